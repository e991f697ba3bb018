package daemon

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// as is who runs a daemon. Only root can choose; everybody else runs it as themselves.
func as(name string) (*syscall.Credential, error) {
	if name == "" || os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // no credential: as we are
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("%w; the package that brings the program makes this user", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// Give lets a user own a folder and everything in it; see Command.User.
func Give(path, name string) error {
	who, err := as(name)
	if err != nil || who == nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return root.Lchown(name, int(who.Uid), int(who.Gid))
	})
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// dataDir is the folder of the history.
type dataDir struct {
	path   string
	access func(path string, mode uint32) error // nil: as the operating system says
}

// writeAndSearch is what access(2) is asked for: to make files in a folder.
const writeAndSearch = 2 | 1

func (d dataDir) look(_ context.Context, n *notes) {
	if d.access == nil {
		d.access = syscall.Access
	}
	if d.path == "" {
		n.skip("no data_dir is configured")
		return
	}
	info, err := os.Stat(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.missing(n)
		return
	case err != nil:
		n.problem(err, "let playbot's user reach the folder")
		return
	case !info.IsDir():
		n.broken("name a folder in data_dir", "%s is not a folder", d.path)
		return
	}
	mode := info.Mode().Perm()
	if mode&0o022 != 0 {
		n.broken("chmod 700 "+d.path, "others can write into %s (mode %04o), and so change the history", d.path, mode)
	} else if mode&0o055 != 0 {
		n.warn("chmod 700 "+d.path, "others can look into %s (mode %04o)", d.path, mode)
	}
	if err := d.access(d.path, writeAndSearch); err != nil {
		n.broken(fmt.Sprintf("run playbot, and this, as the owner of the folder, or chown it to uid %d", os.Getuid()),
			"%s cannot be written by uid %d (%v)", d.path, os.Getuid(), err)
	}
	free := d.disk(d.path, n)
	if n.good() {
		n.ok("%s, mode %04o, %s free", d.path, mode, free)
	}
}

// missing looks whether the folder can be made.
func (d dataDir) missing(n *notes) {
	parent := filepath.Dir(d.path)
	for {
		info, err := os.Stat(parent)
		if err == nil && !info.IsDir() {
			n.broken("name another folder in data_dir", "%s cannot be made: %s is not a folder", d.path, parent)
			return
		}
		if err == nil || parent == filepath.Dir(parent) {
			break
		}
		parent = filepath.Dir(parent)
	}
	if err := d.access(parent, writeAndSearch); err != nil {
		n.broken(fmt.Sprintf("make it for playbot's user: install -d -m 700 -o USER %s", d.path),
			"%s is not there, and uid %d cannot make it in %s (%v)", d.path, os.Getuid(), parent, err)
		return
	}
	free := d.disk(parent, n)
	if n.good() {
		n.ok("%s is not there yet, and is made at the first start; %s free", d.path, free)
	}
}

// A store of a million runs is half a gigabyte, and bbolt needs room beside it to grow.
const (
	scarce = 1 << 30
	full   = 64 << 20
)

// disk looks at the disk below a folder, and returns what is free on it.
func (d dataDir) disk(path string, n *notes) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		n.warn("look at the disk", "the free space of %s is not known (%v)", path, err)
		return "an unknown space"
	}
	free := uint64(st.Bavail) * uint64(st.Bsize) //nolint:unconvert // the types differ between systems
	space(path, free, n)
	if name := remote(int64(st.Type)); name != "" { //nolint:unconvert // the types differ between systems
		n.warn("put data_dir on a local disk", "%s is on %s, whose locks and writes are not as sure as those of a local disk", path, name)
	}
	return bytesOf(free)
}

func space(path string, free uint64, n *notes) {
	switch {
	case free < full:
		n.broken("make room: without it nothing is recorded, and so nothing is done", "%s is free on the disk of %s", bytesOf(free), path)
	case free < scarce:
		n.warn("make room on the disk", "only %s is free on the disk of %s", bytesOf(free), path)
	}
}

// remote names the file systems of a network by their numbers in statfs(2).
func remote(kind int64) string {
	return map[int64]string{0x6969: "NFS", 0xFF534D42: "CIFS", 0xFE534D42: "SMB", 0x517B: "SMB"}[kind&0xFFFFFFFF]
}

func bytesOf(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

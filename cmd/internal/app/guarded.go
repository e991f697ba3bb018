package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/playbot/playbot/playbooks"
)

// Guarded is an error when everybody on this machine can change what playbot does: the configuration, which says
// who may do what, or a playbook. T-34 of the threat model; `playbot doctor` also looks at groups and owners.
func (c *Config) Guarded() error {
	err := everybodyWrites(c.file, "it says who may do what")
	return errors.Join(err, guardedBooks(c.Playbooks))
}

// guardedBooks is an error when everybody can change a playbook, or put another one beside it.
func guardedBooks(dir string) error {
	err := everybodyWrites(dir, "whoever can decides what runs on the fleet")
	entries, readErr := os.ReadDir(dir)
	if readErr != nil {
		return err // opening the library says so
	}
	for _, e := range entries {
		if playbooks.IsBookFile(e.Name()) {
			err = errors.Join(err, everybodyWrites(filepath.Join(dir, e.Name()), "whoever can decides what runs on the fleet"))
		}
	}
	return err
}

func everybodyWrites(path, why string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o002 == 0 {
		return nil //nolint:nilerr // what is not there is told by whoever opens it
	}
	return fmt.Errorf("%s can be written by everybody (mode %04o), and %s; run chmod o-w %s", path, info.Mode().Perm(), why, path)
}

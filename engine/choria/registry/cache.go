package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// store keeps a DDL for the next start. The file is whole at every moment.
func (r *Registry) store(name, text string) error {
	if err := os.MkdirAll(r.opts.Cache, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(r.opts.Cache, ".new-*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(r.opts.Cache, name+".json"))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// readBounded reads a file that may be no DDL at all.
func readBounded(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Size() > maxText {
		return "", fmt.Errorf("%s: it is no file of at most %d bytes", file, maxText)
	}
	data, err := os.ReadFile(file)
	return string(data), err
}

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/playbot/playbot/playbooks"
)

// playbookFile is a file that is to be checked.
type playbookFile struct {
	name string
	data []byte
}

// playbookFiles reads a playbook, or every playbook of a folder.
func playbookFiles(path string) ([]playbookFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("look for playbooks: %w", err)
	}
	names := []string{path}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("look for playbooks: %w", err)
		}
		names = nil
		for _, e := range entries {
			if playbooks.IsBookFile(e.Name()) {
				names = append(names, filepath.Join(path, e.Name()))
			}
		}
	}
	var out []playbookFile
	for _, name := range names {
		// Reading a pipe or a device would never end; the bot does not load such files either.
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file; a playbook is one", name)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a playbook: %w", err)
		}
		out = append(out, playbookFile{name: name, data: data})
	}
	return out, nil
}

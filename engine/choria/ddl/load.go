package ddl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the DDLs of folders. A folder is either Choria's `libdir`, with the DDLs in
// mcollective/agent or choria/agent, or such a folder of agents itself: NAME.json, or NAME/NAME.json as
// servers lay them out. The error names every file that cannot be used, with the place.
func Load(dirs ...string) (*Index, error) {
	x := &Index{}
	var problems []error
	for _, dir := range dirs {
		files, err := find(dir)
		if err != nil {
			problems = append(problems, err)
		}
		for _, file := range files {
			problems = append(problems, x.read(file))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Index) read(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("read a DDL: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > MaxSize {
		return fmt.Errorf("%s: it is no file of at most %d bytes; put DDLs there only", file, MaxSize)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read a DDL: %w", err)
	}
	d, err := Parse(file, data)
	if err != nil {
		return err
	}
	return x.Add(d)
}

// find lists the files of DDLs of a folder, sorted.
func find(dir string) ([]string, error) {
	folders := []string{filepath.Join(dir, "mcollective", "agent"), filepath.Join(dir, "choria", "agent")}
	folders = slices.DeleteFunc(folders, func(f string) bool { info, err := os.Stat(f); return err != nil || !info.IsDir() })
	if len(folders) == 0 {
		folders = []string{dir}
	}
	var files []string
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("read DDLs: %w; name a folder that can be read", err)
		}
		for _, e := range entries {
			if file := candidate(folder, e); file != "" {
				files = append(files, file)
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no DDL; name Choria's libdir, or a folder of NAME.json", dir)
	}
	return files, nil
}

// candidate is the file of a DDL that an entry stands for; "" when there is none.
func candidate(folder string, e fs.DirEntry) string {
	path := filepath.Join(folder, e.Name())
	if strings.HasSuffix(e.Name(), ".json") && !e.IsDir() {
		return path
	}
	inside := filepath.Join(path, e.Name()+".json")
	if info, err := os.Stat(inside); err == nil && info.Mode().IsRegular() {
		return inside
	}
	return ""
}

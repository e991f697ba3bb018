package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"gopkg.in/yaml.v3"
)

func (s *store) encode(values map[string]any) ([]byte, error) {
	if s.format == "json" {
		return json.MarshalIndent(values, "", "  ")
	}
	return yaml.Marshal(values)
}

// decode reads the content of the file; an empty one is an empty mapping.
func (s *store) decode(data []byte) (map[string]any, error) {
	values := make(map[string]any)
	var err error
	switch {
	case len(data) == 0:
	case s.format == "json":
		err = decodeJSON(data, &values)
	default:
		err = yaml.Unmarshal(data, &values)
	}
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(values))
	for k, v := range values {
		out[k] = plain(v)
	}
	return out, nil
}

func decodeJSON(data []byte, into *map[string]any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // so that 3 stays a whole number, however large
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the mapping")
	}
	return nil
}

// plain makes what the libraries read the data that playbooks know: text, numbers, booleans, lists
// and mappings with text as keys. A date is text, as people wrote it.
func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
		return v.String()
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.Format(time.RFC3339Nano)
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[fmt.Sprint(plain(k))] = plain(item)
		}
		return out
	}
	return value
}

// replace puts new content in the place of a file at once. What the path links to, and who may
// read it, stays; a new file is for its owner alone.
func replace(path string, data []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode))
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(tmp.Name()))
	}
	return nil
}

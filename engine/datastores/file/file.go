// Package file is the data store type `file`: values in a YAML or JSON file, locks in a second file
// beside it.
package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the data store type. Relative paths are relative to dir; ~ is the home folder.
func Type(dir string) engine.DataStoreType {
	return engine.DataStoreType{
		Name: "file", Summary: "values in a YAML or JSON file", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.DataStore, error) {
			s := &store{
				path: locate(dir, p.RequireText("file")), format: p.Choice("format", "", "yaml", "json"),
				create: p.Bool("create", false), timeout: p.Duration("timeout", 0),
			}
			p.Duration("ttl", 0) // of 2017; a lock in a file is held until it is released
			if !p.Deferred("format") && p.Any("format") == nil {
				p.RequireText("format")
			}
			return s, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "file", Kind: playbooks.KindText, Required: true,
			Doc: "The path of a file that holds a mapping of keys to values; a relative one starts at `data_dir`, `~/` is the home folder. Locks are in `FILE.locks` beside it.",
		},
		{Name: "format", Kind: playbooks.KindText, Required: true, Choices: []string{"yaml", "json"}, Doc: "How the file is written."},
		{Name: "create", Kind: playbooks.KindBool, Default: "false", Doc: "Whether a file that is not there is created by the first write."},
		{Name: "timeout", Kind: playbooks.KindDuration, Default: "120", Doc: "How long a run waits for a lock of this store; a bare number is seconds."},
		{Name: "ttl", Kind: playbooks.KindDuration, Doc: "Accepted for playbooks of 2017; a lock in a file is held until it is released."},
	}
}

func locate(dir, path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

type store struct {
	path, format string
	create       bool
	timeout      time.Duration
}

// LockTimeout is how long a run waits for a lock; 0 is the engine's default.
func (s *store) LockTimeout() time.Duration { return s.timeout }

// Ready reports whether the file can be read. The engine asks before the first task, when inputs read the store.
func (s *store) Ready(context.Context) error {
	_, err := s.read()
	return err
}

// Get implements [engine.DataStore].
func (s *store) Get(_ context.Context, key string) (any, error) {
	values, err := s.read()
	if err != nil {
		return nil, err
	}
	v, ok := values[key]
	if !ok {
		return nil, fmt.Errorf("%s has no key %q: %w", s.path, key, engine.ErrNoKey)
	}
	return v, nil
}

// Put implements [engine.DataStore].
func (s *store) Put(ctx context.Context, key string, value any) error {
	return s.change(ctx, func(values map[string]any) bool {
		values[key] = value
		return true
	})
}

// Delete implements [engine.DataStore].
func (s *store) Delete(ctx context.Context, key string) error {
	return s.change(ctx, func(values map[string]any) bool {
		_, ok := values[key]
		delete(values, key)
		return ok
	})
}

// change rewrites the file under a lock that other processes honour; nobody ever sees half of it.
func (s *store) change(ctx context.Context, edit func(map[string]any) bool) error {
	unlock, err := guard(ctx, s.path+".guard")
	if err != nil {
		return err
	}
	defer unlock()
	values, err := s.read()
	if err != nil || !edit(values) {
		return err
	}
	data, err := s.encode(values)
	if err != nil {
		return fmt.Errorf("write %s: %w", s.path, err)
	}
	return replace(s.path, data)
}

func (s *store) read() (map[string]any, error) {
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		if s.create {
			return map[string]any{}, nil
		}
		return nil, engine.Errorf(engine.CodeInvalid, "the file %s does not exist; create it, or set create: true", s.path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the data store: %w", err)
	}
	values, err := s.decode(data)
	if err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "%s does not hold a %s mapping: %v", s.path, s.format, err)
	}
	return values, nil
}

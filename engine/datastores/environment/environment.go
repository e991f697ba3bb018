// Package environment is the data store type `environment`: the variables that playbot was started
// with. Writes are seen by the same run only; the process's own environment never changes.
package environment

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

// Type is the data store type.
func Type() engine.DataStoreType {
	return engine.DataStoreType{
		Name: "environment", Summary: "variables that playbot was started with", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.DataStore, error) {
			s := &store{prefix: p.Text("prefix", ""), changed: make(map[string]*string)}
			p.Duration("timeout", 0) // keys that every store of 2017 had
			p.Duration("ttl", 0)
			return s, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "prefix", Kind: playbooks.KindText,
			Doc: "What stands before the key in the name of the variable. Values are text; what a run writes is seen by that run alone.",
		},
		{Name: "timeout", Kind: playbooks.KindDuration, Doc: "Accepted for playbooks of 2017; this store has no locks."},
		{Name: "ttl", Kind: playbooks.KindDuration, Doc: "Accepted for playbooks of 2017; this store has no locks."},
	}
}

type store struct {
	prefix string

	mu      sync.Mutex         // guards changed
	changed map[string]*string // nil: deleted
}

// Get implements [engine.DataStore].
func (s *store) Get(_ context.Context, key string) (any, error) {
	name := s.prefix + key
	s.mu.Lock()
	v, ok := s.changed[name]
	s.mu.Unlock()
	if ok && v != nil {
		return *v, nil
	}
	if value, set := os.LookupEnv(name); set && !ok {
		return value, nil
	}
	return nil, fmt.Errorf("the environment variable %s is not set: %w", name, engine.ErrNoKey)
}

// Put implements [engine.DataStore].
func (s *store) Put(_ context.Context, key string, value any) error {
	text, ok := process.Variable(value)
	if !ok {
		return engine.Errorf(engine.CodeInvalid, "an environment variable holds text; %s cannot be a list, a mapping or nothing", s.prefix+key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[s.prefix+key] = &text
	return nil
}

// Delete implements [engine.DataStore].
func (s *store) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed[s.prefix+key] = nil
	return nil
}

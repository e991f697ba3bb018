package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/playbot/playbot/playbooks"
)

// session is what a run keeps in memory between its workers: its open data stores.
type session struct {
	book  *playbooks.Playbook
	types Types

	mu     sync.Mutex // guards what follows
	stores map[string]DataStore
	locked bool // this process holds the locks of the run
}

// session returns the session of a run, which lives until the run ends.
func (e *Engine) session(id RunID, book *playbooks.Playbook) *session {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.sessions[id]
	if !ok {
		s = &session{book: book, types: e.opts.Types, stores: make(map[string]DataStore)}
		e.sessions[id] = s
	}
	return s
}

// store opens a data store of the playbook on first use.
func (s *session) store(ctx context.Context, name string, scope playbooks.Scope) (DataStore, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.stores[name]; ok {
		return st, nil
	}
	for _, part := range s.book.DataStores {
		if part.Name != name {
			continue
		}
		st, err := s.open(ctx, part, scope)
		if err != nil {
			return nil, fmt.Errorf("data store %q: %w", name, err)
		}
		s.stores[name] = st
		return st, nil
	}
	return nil, Errorf(CodeInvalid, "the playbook has no data store %q; declare it under data_stores", name)
}

func (s *session) open(ctx context.Context, part playbooks.Part, scope playbooks.Scope) (DataStore, error) {
	for _, t := range s.types.Stores {
		if t.Name != part.Type {
			continue
		}
		props, err := playbooks.Rendered(part.Properties, ctx, scope)
		if err != nil {
			return nil, err
		}
		return t.Decode(props)
	}
	return nil, Errorf(CodeInvalid, "there is no data store type %q", part.Type)
}

// input resolves an input: the value given for this run, else its store, else its default.
func (s *session) input(ctx context.Context, static map[string]any, name string, scope playbooks.Scope) (any, error) {
	in, ok := s.book.Input(name)
	if !ok {
		return nil, Errorf(CodeInvalid, "the playbook has no input %q", name)
	}
	if v, given := static[name]; given {
		return v, nil
	}
	if in.Data != "" {
		v, err := s.read(ctx, in, scope)
		if err == nil || !errors.Is(err, ErrNoKey) {
			return v, err
		}
		if !in.HasDefault {
			return nil, fmt.Errorf("input %q has no value: %w", name, err)
		}
	}
	if in.HasDefault {
		return in.Default, nil
	}
	return nil, Errorf(CodeInvalid, "input %q has no value, data source or default", name)
}

func (s *session) read(ctx context.Context, in playbooks.Input, scope playbooks.Scope) (any, error) {
	store, key, err := splitStore(in.Data)
	if err != nil {
		return nil, err
	}
	st, err := s.store(ctx, store, scope)
	if err != nil {
		return nil, err
	}
	v, err := st.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read %s for input %q: %w", in.Data, in.Name, err)
	}
	if err := in.Check(v); err != nil {
		return nil, fmt.Errorf("the value in %s is not fit for input %q: %w", in.Data, in.Name, err)
	}
	return v, nil
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/playbot/playbot/playbooks"
)

// session is what a run keeps in memory between its workers: its open data stores and its secrets.
type session struct {
	book  *playbooks.Playbook
	types Types
	vault *vault

	mu     sync.Mutex // guards what follows
	stores map[string]DataStore
	locked bool // this process holds the locks of the run
	// progress of the latest attempt; nil when there is none, or it tells nothing
	progress *Progress
}

// session returns the session of a run, which lives until the run ends.
func (e *Engine) session(id RunID, book *playbooks.Playbook) *session {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.sessions[id]
	if !ok {
		s = &session{book: book, types: e.opts.Types, stores: make(map[string]DataStore), vault: newVault(e.opts.Secrets, e.redact)}
		e.sessions[id] = s
	}
	return s
}

// drop forgets the session of a run that was not written down.
func (e *Engine) drop(id RunID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, id)
}

// store opens a data store of the playbook on first use. scope must not ask a store: see [performer.store].
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
	t, ok := s.types.store(part.Type)
	if !ok {
		return nil, Errorf(CodeInvalid, "there is no data store type %q", part.Type)
	}
	props, err := playbooks.Rendered(part.Properties, ctx, scope, playbooks.Special{})
	if err != nil {
		return nil, err
	}
	return t.Decode(props)
}

// input resolves an input: the value given for this run, else its store, else its default.
func (s *session) input(ctx context.Context, given map[string]any, name string, scope playbooks.Scope) (any, error) {
	in, ok := s.book.Input(name)
	if _, static := given[name]; ok && !static && in.Data != "" {
		v, err := s.read(ctx, in, scope)
		if err == nil || !errors.Is(err, ErrNoKey) {
			return v, err
		}
		if !in.HasDefault {
			return nil, fmt.Errorf("input %q has no value: %w", name, err)
		}
	}
	return s.static(given, name)
}

// static resolves an input without its store: while stores are opened there is none to ask.
func (s *session) static(given map[string]any, name string) (any, error) {
	in, ok := s.book.Input(name)
	v, isGiven := given[name]
	switch {
	case !ok:
		return nil, Errorf(CodeInvalid, "the playbook has no input %q", name)
	case isGiven && in.Secret():
		secret, known := s.vault.get(name)
		if !known {
			return nil, fmt.Errorf("input %q: %w", name, errSecretLost)
		}
		return secret, nil
	case isGiven:
		return v, nil
	case in.HasDefault:
		return in.Default, nil
	case in.Data != "":
		return nil, Errorf(CodeInvalid, "input %q is read from a data store, and none is open yet; give the input a default", name)
	}
	return nil, &Error{Code: CodeInvalid, Message: fmt.Sprintf("input %q", name), Err: playbooks.ErrNoValue}
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
	if v, err = in.Stored(v); err != nil {
		return nil, fmt.Errorf("the value in %s is not fit for input %q: %w", in.Data, in.Name, err)
	}
	return v, nil
}

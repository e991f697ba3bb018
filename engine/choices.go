package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/playbot/playbot/playbooks"
)

// Program runs a program of playbot's machine, which no shell reads, and returns what it printed: an
// error when that is more than can be offered.
type Program func(ctx context.Context, argv []string) ([]byte, error)

const (
	// maxChoices is how many values of one source are kept.
	maxChoices = 5000
	// maxChoice is the longest value that is kept, in bytes: a longer one is nothing to choose from a menu.
	maxChoice = 1000
)

// resolveChoices asks the source of an input's `choices`. No run belongs to it: what the source needs
// of inputs are their defaults, and what holds a secret of playbot is left out.
func (e *Engine) resolveChoices(ctx context.Context, book *playbooks.Playbook, in playbooks.Input) (values []string, more int, err error) {
	look := &choiceScope{engine: e, session: newChoiceSession(e, book), book: book, input: in.Name}
	switch c := in.Choices; {
	case c.Store != "":
		values, err = look.store(ctx, c.Store)
	case c.Nodes != "":
		values, err = look.nodes(ctx, c.Nodes)
	default:
		values, err = look.program(ctx, c.Command)
	}
	if err != nil {
		return nil, 0, err
	}
	return e.kind(values)
}

// kind leaves out what cannot be offered, and what is beyond the bound.
func (e *Engine) kind(all []string) (values []string, more int, err error) {
	values = slices.DeleteFunc(unique(all), func(v string) bool {
		return strings.TrimSpace(v) == "" || len(v) > maxChoice || !utf8.ValidString(v) || e.redact.text(v) != v
	})
	if len(values) > maxChoices {
		values, more = values[:maxChoices], len(values)-maxChoices
	}
	return values, more, nil
}

// choiceScope is what a source of choices sees: the playbook and the defaults of its inputs.
type choiceScope struct {
	engine  *Engine
	session *session
	book    *playbooks.Playbook
	input   string
}

func newChoiceSession(e *Engine, book *playbooks.Playbook) *session {
	return &session{book: book, types: e.opts.Types, stores: map[string]DataStore{}, vault: newVault(e.opts.Secrets, e.redact)}
}

// scope is what templates see. While stores are opened there is none to ask, as in a run.
func (s *choiceScope) scope() (all, closed playbooks.Scope) {
	all = playbooks.Scope{Metadata: metadata(s.book), Started: time.Now()}
	closed = all
	closed.Input = func(_ context.Context, name string) (any, error) { return s.session.static(nil, name) }
	all.Input = func(ctx context.Context, name string) (any, error) {
		return s.session.input(ctx, nil, name, closed)
	}
	return all, closed
}

func (s *choiceScope) store(ctx context.Context, path string) ([]string, error) {
	name, key, err := splitStore(path)
	if err != nil {
		return nil, err
	}
	_, closed := s.scope()
	st, err := s.session.store(ctx, name, closed)
	if err != nil {
		return nil, err
	}
	v, err := st.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	values, ok := listed(v)
	if !ok {
		return nil, Errorf(CodeInvalid, "what stands under %s is no list", path)
	}
	return values, nil
}

// listed reads a list as data stores hold one: a list, a JSON list, or a value in each line.
func listed(v any) ([]string, bool) {
	if text, isText := v.(string); isText {
		var items []any
		if json.Unmarshal([]byte(text), &items) != nil {
			return lines(text), true
		}
		v = items
	}
	items, isList := v.([]any)
	if !isList {
		return nil, false
	}
	var out []string
	for _, item := range items {
		switch t := item.(type) {
		case string:
			out = append(out, t)
		case int, float64, bool:
			text, err := json.Marshal(t)
			if err != nil {
				return nil, false
			}
			out = append(out, string(text))
		default:
			return nil, false
		}
	}
	return out, true
}

// lines are those that are not blank.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return out
}

func (s *choiceScope) nodes(ctx context.Context, name string) ([]string, error) {
	i := slices.IndexFunc(s.book.NodeSets, func(n playbooks.NodeSet) bool { return n.Name == name })
	if i < 0 {
		return nil, Errorf(CodeInvalid, "the playbook has no node set %q", name)
	}
	set := &s.book.NodeSets[i]
	t, ok := s.engine.opts.Types.nodes(set.Type)
	if !ok {
		return nil, Errorf(CodeInvalid, "there is no node set type %q", set.Type)
	}
	all, _ := s.scope()
	props, err := playbooks.Rendered(set.Properties, ctx, all, playbooks.Special{})
	if err != nil {
		return nil, err
	}
	source, err := t.Decode(props)
	if err != nil {
		return nil, err
	}
	return source.Discover(ctx, s.call(ctx))
}

// call is what a node source gets. It belongs to no run, and may start none.
func (s *choiceScope) call(ctx context.Context) *Call {
	all, closed := s.scope()
	return &Call{
		Run:  RunInfo{Playbook: PlaybookRef{Name: s.book.Name, Version: s.book.Version, Digest: s.book.Digest, RunAs: s.book.RunAs}},
		Path: Path("choices." + s.input), Attempt: 1, Key: "choices/" + s.book.Digest + "/" + s.input, Started: time.Now(),
		Note: func(string) {}, Mask: s.engine.redact.text,
		Store: func(name string) (DataStore, error) { return s.session.store(ctx, name, closed) },
		Child: func(context.Context, string, map[string]any) (*Run, error) {
			return nil, Errorf(CodeInvalid, "choices start no playbook")
		},
		Inputs: func(ctx context.Context) (map[string]any, error) {
			out := make(map[string]any)
			for _, in := range s.book.Inputs {
				if v, err := all.Input(ctx, in.Name); err == nil {
					out[in.Name] = v
				}
			}
			return out, nil
		},
	}
}

func (s *choiceScope) program(ctx context.Context, argv []string) ([]string, error) {
	if s.engine.opts.Types.Program == nil {
		return nil, Errorf(CodeInvalid, "this playbot runs no programs to find choices")
	}
	out, err := s.engine.opts.Types.Program(ctx, argv)
	if err != nil {
		return nil, err
	}
	return lines(string(out)), nil
}

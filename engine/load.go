package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/playbot/playbot/playbooks"
)

// Load reads a run from the log. The result is the caller's.
func (e *Engine) Load(ctx context.Context, id RunID) (*Run, error) {
	run := &Run{}
	for ev, err := range e.opts.Log.Read(ctx, id.Stream()) {
		if err != nil {
			return nil, fmt.Errorf("read run %s: %w", id.Short(), err)
		}
		run.Apply(whole(ev))
	}
	if run.ID == "" {
		return nil, Errorf(CodeNotFound, "there is no run %s", id.Short())
	}
	return run, nil
}

// Book returns the version of a playbook that a run uses: from the library, else from the log.
func (e *Engine) Book(ctx context.Context, ref PlaybookRef) (*playbooks.Playbook, error) {
	if book, ok := e.opts.Books.ByDigest(ref.Digest); ok {
		return book, nil
	}
	for ev, err := range e.opts.Log.Read(ctx, PlaybookStream(ref.Digest)) {
		if err != nil {
			return nil, fmt.Errorf("read playbook %s: %w", ref.Name, err)
		}
		if kept, ok := ev.Payload.(PlaybookKept); ok {
			return playbooks.Parse(kept.File, kept.Source, e.opts.Types)
		}
	}
	return nil, Errorf(CodeNotFound, "version %s of playbook %s is not kept", ref.Version, ref.Name)
}

// whole gives inputs back the integers that JSON read as floats, so that a resumed run renders "5" and not "5.0".
func whole(ev Event) Event {
	switch p := ev.Payload.(type) {
	case RunRequested:
		p.Inputs = wholeMap(p.Inputs)
		ev.Payload = p
	case Prepared:
		p.Inputs = wholeMap(p.Inputs)
		ev.Payload = p
	case ApprovalAsked:
		p.Sealed = wholeMap(p.Sealed)
		ev.Payload = p
	default: // the rest holds no values that templates see as numbers
	}
	return ev
}

func wholeMap(m map[string]any) map[string]any {
	for k, v := range m {
		m[k] = wholeNumbers(v)
	}
	return m
}

func wholeNumbers(v any) any {
	switch t := v.(type) {
	case float64:
		if t == math.Trunc(t) && math.Abs(t) < 1<<53 {
			return int(t)
		}
	case []any:
		for i := range t {
			t[i] = wholeNumbers(t[i])
		}
	case map[string]any:
		return wholeMap(t)
	}
	return v
}

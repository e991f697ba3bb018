// Package playbook is the task type `playbook`: it starts another playbook as a run of its own and
// waits for its end.
package playbook

import (
	"context"
	"fmt"
	"maps"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Books finds playbooks. *playbooks.Library is one.
type Books interface {
	Get(name string) (*playbooks.Playbook, error)
}

// Type is the task type.
func Type(books Books) engine.TaskType {
	return engine.TaskType{
		Name: "playbook", Summary: "runs another playbook and waits for its end", Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			t := &task{books: books, name: p.RequireText("name"), inputs: p.Map("inputs"), inherit: p.Bool("inherit_inputs", false)}
			return t, p.Err()
		},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "name", Kind: playbooks.KindText, Required: true, Doc: "The playbook to run. It becomes a run of its own; its success is this task's."},
		{Name: "inputs", Kind: playbooks.KindMap, Doc: "The inputs of that run; they count before inherited ones."},
		{
			Name: "inherit_inputs", Kind: playbooks.KindBool, Default: "false",
			Doc: "Whether the other playbook gets what it declares of this run's inputs, by name.",
		},
	}
}

type task struct {
	books   Books
	name    string
	inputs  map[string]any
	inherit bool
}

// Effect implements [engine.Task]: a repeat joins the run that the cut off attempt started.
func (*task) Effect() engine.Effect { return engine.Idempotent }

// ActionName implements [engine.ActionNamed].
func (t *task) ActionName() string { return t.name }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	if t.books == nil {
		return engine.Result{}, engine.Errorf(engine.CodeInvalid, "no playbooks are configured; set playbooks in the configuration")
	}
	book, err := t.books.Get(t.name)
	if err != nil {
		return engine.Result{}, err
	}
	given, err := t.given(ctx, c, book)
	if err != nil {
		return engine.Result{}, err
	}
	bound, err := book.Bind(given, false)
	if err != nil {
		return engine.Result{}, engine.Errorf(engine.CodeInvalid, "playbook %s was not started: %v", t.name, err)
	}
	run, err := c.Child(ctx, t.name, bound)
	if err != nil {
		return result(run), err
	}
	r := result(run)
	r.Message = fmt.Sprintf("%s %s: %s", run.ID.Short(), t.name, run.Status)
	if run.Status != engine.RunSuccess {
		r.Message += ": " + run.Message
		return r, engine.Errorf(engine.CodeFailed, "%s", r.Message)
	}
	return r, nil
}

func result(run *engine.Run) engine.Result {
	if run == nil {
		return engine.Result{}
	}
	return engine.Result{Child: run.ID}
}

// given is what the child gets: what it declares of this run's inputs when it inherits, then what the task names.
func (t *task) given(ctx context.Context, c *engine.Call, book *playbooks.Playbook) (map[string]any, error) {
	given := make(map[string]any)
	if t.inherit {
		have, err := c.Inputs(ctx)
		if err != nil {
			return nil, err
		}
		for _, in := range book.Inputs {
			if v, ok := have[in.Name]; ok && !in.Dynamic {
				given[in.Name] = v
			}
		}
	}
	maps.Copy(given, t.inputs)
	return given, nil
}

// Package assert is the task type `assert`: it fails unless something holds, with a sentence for the
// person who reads it at night.
package assert

import (
	"context"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the task type.
func Type() engine.TaskType {
	return engine.TaskType{
		Name: "assert", Summary: "fails unless something holds",
		Keys: []playbooks.Key{
			{
				Name: "that", Kind: playbooks.KindBool, Required: true,
				Doc: "What must be true: a template whose expression gives true or false, as in `{{ len(tasks.primary.ok_nodes) == 1 }}`.",
			},
			{Name: "message", Kind: playbooks.KindText, Required: true, Doc: "What to tell when it is false: what is wrong, and what to do."},
		},
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			if !p.Deferred("that") && p.Any("that") == nil {
				p.RequireText("that")
			}
			return task{that: p.Bool("that", false), message: p.RequireText("message")}, p.Err()
		},
	}
}

type task struct {
	that    bool
	message string
}

// Effect implements [engine.Task].
func (task) Effect() engine.Effect { return engine.ReadOnly }

// Run implements [engine.Task].
func (t task) Run(context.Context, *engine.Call) (engine.Result, error) {
	if !t.that {
		return engine.Result{Message: t.message}, engine.Errorf(engine.CodeFailed, "%s", t.message)
	}
	return engine.Result{Message: "it holds"}, nil
}

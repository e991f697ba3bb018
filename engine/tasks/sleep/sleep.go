// Package sleep is the task type `sleep`. It is durable: after a restart it sleeps what is left.
package sleep

import (
	"context"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Type is the task type.
func Type() engine.TaskType {
	return engine.TaskType{
		Name: "sleep", Summary: "waits",
		Keys: []playbooks.Key{{
			Name: "duration", Kind: playbooks.KindDuration, Required: true,
			Doc: "How long; a bare number is seconds. A restart of playbot does not begin it again: the rest is slept.",
		}},
		Decode: func(p *playbooks.Properties) (engine.Task, error) {
			if p.Any("duration") == nil { // a template counts as there
				p.RequireText("duration")
			}
			return task{p.Duration("duration", 0)}, p.Err()
		},
	}
}

// short leaves the zeros away that time.Duration writes: 10m and not 10m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

type task struct{ duration time.Duration }

// Effect implements [engine.Task].
func (task) Effect() engine.Effect { return engine.Idempotent }

// Run implements [engine.Task].
func (t task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	timer := time.NewTimer(time.Until(c.Started.Add(t.duration)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return engine.Result{Message: "slept " + short(t.duration)}, nil
	case <-ctx.Done():
		return engine.Result{Message: "woken before the end"}, context.Cause(ctx)
	}
}

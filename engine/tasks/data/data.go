// Package data is the task type `data`: it writes or deletes a key of a data store.
package data

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// The actions. There is none that reads: an input that is bound to a store does.
const (
	write  = "write"
	remove = "delete"
)

// maxKept bounds a value that is repeated in the result, in bytes of JSON.
const maxKept = 256 << 10

// Type is the task type.
func Type() engine.TaskType {
	return engine.TaskType{Name: "data", Summary: "writes or deletes a key of a data store", Decode: decode, Keys: keys()}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{Name: "action", Kind: playbooks.KindText, Required: true, Choices: []string{write, remove}, Doc: "What to do. Deleting a key that is not there is no failure."},
		{
			Name: "key", Kind: playbooks.KindText, Required: true,
			Doc: "`store/key`: the name of a data store of this playbook, and what follows the first slash is the key.",
		},
		{Name: "value", Kind: playbooks.KindAny, Doc: "What to write; `write` needs it. Stores outside the `memory` and `file` types hold text only."},
		{Name: "options", Kind: playbooks.KindAny, Doc: "Accepted for playbooks of 2017, where it had no effect either."},
	}
}

type task struct {
	action, store, key string
	value              any
}

func decode(p *playbooks.Properties) (engine.Task, error) {
	t := &task{action: p.Choice("action", "", write, remove), value: p.Any("value")}
	if p.Any("action") == nil {
		p.RequireText("action") // a template counts as there
	}
	path := p.RequireText("key")
	var ok bool
	if t.store, t.key, ok = strings.Cut(path, "/"); path != "" && (!ok || t.store == "" || t.key == "") {
		p.Remedy("key", "write store/key, with the name of a data store of this playbook", "%q is not a key of a data store", path)
	}
	if t.action == write && t.value == nil && !p.Deferred("value") {
		p.Remedy("value", "add value: …", "value is missing, which write needs")
	}
	p.Has("options") // of 2017, without effect
	return t, p.Err()
}

// Effect implements [engine.Task].
func (*task) Effect() engine.Effect { return engine.Idempotent }

// ActionName implements [engine.ActionNamed].
func (t *task) ActionName() string { return "data." + t.action }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	if ctx.Err() != nil {
		return engine.Result{}, context.Cause(ctx)
	}
	store, err := c.Store(t.store)
	if err != nil {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent, "%s %s/%s: %v", t.action, t.store, t.key, err)
	}
	result := engine.Result{Data: []any{}}
	if t.action == remove {
		result.Message = fmt.Sprintf("deleted %s/%s", t.store, t.key)
		err = store.Delete(ctx, t.key)
	} else {
		result.Message, result.Data = fmt.Sprintf("wrote %s/%s", t.store, t.key), []any{kept(t.value)}
		err = store.Put(ctx, t.key, t.value)
	}
	switch {
	case err == nil:
		return result, nil
	case ctx.Err() != nil:
		return engine.Result{}, context.Cause(ctx)
	}
	return engine.Result{}, engine.Errorf(engine.CodeFailed, "%s %s/%s: %v", t.action, t.store, t.key, err)
}

// kept is the value, or how large it is.
func kept(value any) any {
	raw, err := json.Marshal(value)
	if err == nil && len(raw) <= maxKept {
		return value
	}
	return fmt.Sprintf("a value of %d bytes, which is too large to be repeated", len(raw))
}

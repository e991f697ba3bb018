package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// begin evaluates the condition and renders what describes the task.
func (p *performer) begin(ctx context.Context, path Path, t *playbooks.Task) Payload {
	scope := p.scope()
	name := p.describe(ctx, t, scope)
	if t.When != nil {
		ok, err := t.When.Bool(ctx, scope)
		if err != nil {
			return p.begun(path, t, name, fmt.Errorf("when: %w", err))
		}
		if !ok {
			return TaskSkipped{Path: path, Type: t.Type, As: t.As, Description: name, Reason: p.redact().text("when: " + t.When.Source())}
		}
	}
	b := TaskBegun{Path: path, Type: t.Type, As: t.As, Description: name}
	var err error
	b.Gated, err = p.gated(ctx, t, scope)
	if err != nil {
		return p.begun(path, t, name, err)
	}
	if b.Locks, err = p.taskLocks(ctx, path, t); err != nil {
		return p.begun(path, t, name, err)
	}
	if t.Rolling != nil {
		b.EachWave = t.Approval.EachWave
		if b.Timeout, err = duration(ctx, "timeout", t.Timeout, 0, scope); err != nil {
			return p.begun(path, t, name, err)
		}
	}
	for _, field := range []struct {
		key      string
		value    playbooks.Value
		fallback time.Duration
		into     *time.Duration
	}{{"try_sleep", t.TrySleep, defaultTrySleep, &b.TrySleep}, {"pre_sleep", t.PreSleep, 0, &b.PreSleep}} {
		if *field.into, err = duration(ctx, field.key, field.value, field.fallback, scope); err != nil {
			return p.begun(path, t, name, err)
		}
	}
	if b.Tries, err = tries(ctx, t.Tries, scope); err != nil {
		return p.begun(path, t, name, err)
	}
	return b
}

// defaultTrySleep is 2017's.
const defaultTrySleep = 10 * time.Second

// begun begins a task that cannot be carried out: its first attempt will find the same error.
func (p *performer) begun(path Path, t *playbooks.Task, name string, err error) Payload {
	p.engine.logger.Warn("task cannot begin", "run", p.run.ID, "task", path, "error", p.redact().text(err.Error()))
	return TaskBegun{Path: path, Type: t.Type, As: t.As, Description: name, Tries: 1, Broken: p.redact().text(err.Error())}
}

func (p *performer) failBegin(path Path, t *playbooks.Task, message string) []Payload {
	return []Payload{TaskBegun{Path: path, Type: t.Type, As: t.As, Description: t.Type + " task", Tries: 1, Broken: message}}
}

func (p *performer) describe(ctx context.Context, t *playbooks.Task, scope playbooks.Scope) string {
	if !t.Description.IsZero() {
		if v, err := t.Description.Render(ctx, scope); err == nil {
			return p.redact().text(fmt.Sprint(v))
		}
	}
	return t.Type + " task"
}

// gated says why a task asks before it starts; empty when it does not.
func (p *performer) gated(ctx context.Context, t *playbooks.Task, scope playbooks.Scope) (string, error) {
	if t.Destructive {
		return "destructive", nil
	}
	named := make(map[string]any) // what tells the action; the rest is rendered when it is used
	for _, entry := range t.Properties.Entries() {
		if entry.Key != "action" && entry.Key != "name" {
			continue
		}
		v, err := entry.Value.Render(ctx, scope)
		if err != nil && entry.Key == "action" {
			return "", err
		}
		if err == nil {
			named[entry.Key] = v
		}
	}
	tt, _ := p.engine.opts.Types.task(t.Type)
	var task Task
	if tt.Decode != nil {
		task, _ = tt.Decode(playbooks.FromMap(named)) // that the rest is missing does not matter
	}
	action, _ := named["action"].(string)
	return p.policyGate(t.Type, task, action), nil
}

// policyGate is the rule by which the policy has a task ask; empty when it does not. A pattern may
// match any name of the type, and the action.
func (p *performer) policyGate(typ string, task Task, action string) string {
	tt, _ := p.engine.opts.Types.task(typ)
	names := append([]string{typ, tt.Name, action}, tt.Aliases...)
	if named, ok := task.(ActionNamed); ok {
		names = append(names, named.ActionName())
	}
	rule, _ := p.engine.opts.Policy.Gate(names...)
	return rule
}

// duration renders a duration: a bare number is seconds.
func duration(ctx context.Context, key string, v playbooks.Value, fallback time.Duration, scope playbooks.Scope) (time.Duration, error) {
	if v.IsZero() {
		return fallback, nil
	}
	raw, err := v.Render(ctx, scope)
	if err != nil {
		return 0, err
	}
	props := playbooks.FromMap(map[string]any{key: raw})
	d := props.Duration(key, fallback)
	return d, props.Err()
}

func tries(ctx context.Context, v playbooks.Value, scope playbooks.Scope) (int, error) {
	n, err := wholeNumber(ctx, "tries", v, 1, scope)
	if err == nil && n < 1 {
		err = Errorf(CodeInvalid, "tries is %d; it must be at least 1", n)
	}
	return n, err
}

// wholeNumber renders a whole number.
func wholeNumber(ctx context.Context, key string, v playbooks.Value, fallback int, scope playbooks.Scope) (int, error) {
	if v.IsZero() {
		return fallback, nil
	}
	raw, err := v.Render(ctx, scope)
	if err != nil {
		return 0, err
	}
	props := playbooks.FromMap(map[string]any{key: raw})
	n := props.Int(key, fallback)
	return n, props.Err()
}

// yesOrNo renders a condition that is a value.
func yesOrNo(ctx context.Context, key string, v playbooks.Value, scope playbooks.Scope) (bool, error) {
	if v.IsZero() {
		return false, nil
	}
	raw, err := v.Render(ctx, scope)
	if err != nil {
		return false, err
	}
	props := playbooks.FromMap(map[string]any{key: raw})
	yes := props.Bool(key, false)
	return yes, props.Err()
}

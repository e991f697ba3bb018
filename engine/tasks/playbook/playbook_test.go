package playbook_test

import (
	"context"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/playbook"
	"github.com/playbot/playbot/playbooks"
)

// shelf is the books that a test writes.
type shelf map[string]*playbooks.Playbook

func (s shelf) Get(name string) (*playbooks.Playbook, error) {
	if b, ok := s[name]; ok {
		return b, nil
	}
	return nil, engine.Errorf(engine.CodeNotFound, "there is no playbook %q", name)
}

const inner = `name: inner
version: 1.0.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs:
  tier: {description: Tier, type: String, required: true}
  rev: {description: Revision, type: String, default: abc, required: false}
  seen: {description: Seen, type: String, required: false}
tasks: []
`

func books(t *testing.T) shelf {
	t.Helper()
	b, err := playbooks.Parse("inner.yaml", []byte(inner), engine.Types{})
	if err != nil {
		t.Fatal(err)
	}
	return shelf{"inner": b}
}

// parent is a run that has three inputs and starts children which end as ended says.
type parent struct {
	name   string
	inputs map[string]any
}

func (p *parent) call(c *engine.Call) {
	c.Inputs = func(context.Context) (map[string]any, error) {
		return map[string]any{"tier": "bravo", "secret": "of the parent", "seen": "yes"}, nil
	}
	c.Child = func(ctx context.Context, name string, inputs map[string]any) (*engine.Run, error) {
		p.name, p.inputs = name, inputs
		if inputs["tier"] == "stuck" {
			<-ctx.Done()
			return &engine.Run{ID: "01CHILD"}, context.Cause(ctx)
		}
		status := engine.RunSuccess
		if inputs["tier"] == "fail" {
			status = engine.RunFailed
		}
		return &engine.Run{ID: "01CHILD", Status: status, Message: "0 of 1 tasks done"}, nil
	}
}

func given(tier string) map[string]any {
	return map[string]any{"name": "inner", "inputs": map[string]any{"tier": tier}}
}

func TestPlaybook_passesTheSuite(t *testing.T) {
	t.Parallel()
	tasktest.Run(t, tasktest.Case{
		Type: playbook.Type(books(t)), Good: given("bravo"), Bad: given("fail"), Call: func(c *engine.Call) { new(parent).call(c) },
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return given("stuck"), nil },
	})
}

func run(t *testing.T, p *parent, properties map[string]any) (engine.Result, error) {
	t.Helper()
	task, err := playbook.Type(books(t)).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	c := tasktest.Call(nil)
	p.call(c)
	return task.Run(t.Context(), c)
}

func TestPlaybook_passesWhatItNamesAndWhatTheChildDeclares(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		properties map[string]any
		want       map[string]any
	}{
		"named":     {given("alfa"), map[string]any{"tier": "alfa"}},
		"inherited": {map[string]any{"name": "inner", "inherit_inputs": true}, map[string]any{"tier": "bravo", "seen": "yes"}},
		"both": {
			map[string]any{"name": "inner", "inherit_inputs": true, "inputs": map[string]any{"tier": "alfa", "rev": "def"}},
			map[string]any{"tier": "alfa", "seen": "yes", "rev": "def"},
		},
	} {
		p := &parent{}
		result, err := run(t, p, row.properties)
		if err != nil || p.name != "inner" || result.Child != "01CHILD" || !strings.Contains(result.Message, "inner: success") {
			t.Errorf("%s: got %q for %s, %+v, %v", name, p.name, name, result, err)
		}
		for k, v := range row.want {
			if p.inputs[k] != v {
				t.Errorf("%s: the child got %v, want %v", name, p.inputs, row.want)
			}
		}
		if _, leaked := p.inputs["secret"]; leaked {
			t.Errorf("%s: the child got %v, which it does not declare", name, p.inputs)
		}
	}
}

func TestPlaybook_failureOfTheChildIsTheTasks(t *testing.T) {
	t.Parallel()
	result, err := run(t, &parent{}, given("fail"))
	if engine.CodeOf(err) != engine.CodeFailed || result.Child != "01CHILD" || !strings.Contains(result.Message, "failed: 0 of 1 tasks done") {
		t.Errorf("got %+v, %v", result, err)
	}
}

func TestPlaybook_isNotStartedWithInputsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"tier":                   {"name": "inner"},
		"nosuch":                 {"name": "inner", "inputs": map[string]any{"tier": "x", "nosuch": 1}},
		`no playbook "nosuch"`:   {"name": "nosuch"},
		"playbook inner was not": {"name": "inner", "inputs": map[string]any{"tier": []any{"x"}}},
	} {
		p := &parent{}
		_, err := run(t, p, properties)
		if err == nil || !strings.Contains(err.Error(), want) || p.name != "" {
			t.Errorf("%v: got %v, and started %q; want %q", properties, err, p.name, want)
		}
	}
}

func TestPlaybook_withoutBooksSaysWhatToConfigure(t *testing.T) {
	t.Parallel()
	task, err := playbook.Type(nil).Decode(playbooks.FromMap(given("x")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Run(t.Context(), tasktest.Call(nil)); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestPlaybook_policySeesTheNameOfTheChild(t *testing.T) {
	t.Parallel()
	task, err := playbook.Type(books(t)).Decode(playbooks.FromMap(given("x")))
	if err != nil {
		t.Fatal(err)
	}
	named, ok := task.(engine.ActionNamed)
	if !ok || named.ActionName() != "inner" || task.Effect() != engine.Idempotent {
		t.Errorf("got %v with effect %s", named, task.Effect())
	}
}

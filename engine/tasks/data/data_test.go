package data_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/memory"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/data"
	"github.com/playbot/playbot/playbooks"
)

// stores are the data stores of a run: mem, and slow, which works until it is cut off.
type stores struct {
	mem  engine.DataStore
	slow *slow
}

type slow struct {
	engine.DataStore

	once  sync.Once
	begun chan struct{}
}

func (s *slow) Put(ctx context.Context, _ string, _ any) error {
	s.once.Do(func() { close(s.begun) })
	<-ctx.Done()
	return ctx.Err()
}

func open(t *testing.T) *stores {
	t.Helper()
	return &stores{datastoretest.Open(t, memory.Type(memory.NewLocks()), nil), &slow{begun: make(chan struct{})}}
}

func (s *stores) give(c *engine.Call) {
	c.Store = func(name string) (engine.DataStore, error) {
		switch name {
		case "mem":
			return s.mem, nil
		case "slow":
			return s.slow, nil
		}
		return nil, engine.Errorf(engine.CodeInvalid, "the playbook has no data store %q", name)
	}
}

func (s *stores) run(t *testing.T, properties map[string]any) (engine.Result, error) {
	t.Helper()
	task, err := data.Type().Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	c := tasktest.Call(nil)
	s.give(c)
	return task.Run(t.Context(), c)
}

func write(key string, value any) map[string]any {
	return map[string]any{"action": "write", "key": key, "value": value}
}

func TestData_passesTheSuite(t *testing.T) {
	t.Parallel()
	s := open(t)
	tasktest.Run(t, tasktest.Case{
		Type: data.Type(), Good: write("mem/web/batch", 3), Bad: write("nosuch/k", "v"), Call: s.give,
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return write("slow/k", "v"), s.slow.begun },
	})
}

func TestData_writesAndDeletes(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, v := range []any{"text", 3, 0.5, false, []any{"a", 1}, map[string]any{"a": "b"}, ""} {
		result, err := s.run(t, write("mem/web/batch", v))
		if err != nil || result.Message != "wrote mem/web/batch" || !reflect.DeepEqual(result.Data, []any{v}) {
			t.Errorf("%v: got %+v, %v", v, result, err)
		}
		if got, err := s.mem.Get(t.Context(), "web/batch"); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("the store holds %T %v, %v; want %T %v", got, got, err, v, v)
		}
	}
	for range 2 { // the second time it is not there any more
		result, err := s.run(t, map[string]any{"action": "delete", "key": "mem/web/batch", "options": map[string]any{"recurse": true}})
		if err != nil || result.Message != "deleted mem/web/batch" {
			t.Errorf("got %+v, %v", result, err)
		}
	}
	if v, err := s.mem.Get(t.Context(), "web/batch"); !errors.Is(err, engine.ErrNoKey) {
		t.Errorf("the store still holds %v, %v", v, err)
	}
}

func TestData_failuresNameActionAndKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	for want, properties := range map[string]map[string]any{
		`write nosuch/k: the playbook has no data store "nosuch"`:    write("nosuch/k", "v"),
		`write mem/k: keep "k": a value of type chan int is no data`: write("mem/k", make(chan int)),
	} {
		if _, err := s.run(t, properties); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestData_largeValueIsWrittenAndNotRepeated(t *testing.T) {
	t.Parallel()
	s := open(t)
	large := strings.Repeat("x", 1<<20)
	result, err := s.run(t, write("mem/k", large))
	if err != nil || !strings.Contains(result.Data.([]any)[0].(string), "1048578 bytes") {
		t.Errorf("got %.200v, %v", result, err)
	}
	if v, err := s.mem.Get(t.Context(), "k"); err != nil || v != large {
		t.Errorf("the store holds %.40v, %v", v, err)
	}
}

func TestData_refusesWhatNamesNoKey(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"action is missing":         {"key": "mem/k"},
		`action cannot be "read"`:   {"action": "read", "key": "mem/k"},
		"key is missing":            {"action": "delete"},
		`"mem" is not a key`:        {"action": "delete", "key": "mem"},
		`"mem/" is not a key`:       {"action": "delete", "key": "mem/"},
		`"/k" is not a key`:         {"action": "delete", "key": "/k"},
		"value is missing":          {"action": "write", "key": "mem/k"},
		"which write needs":         {"action": "write", "key": "mem/k", "value": nil},
		"action must be text, not ": {"action": []any{"write"}, "key": "mem/k"},
	} {
		_, err := data.Type().Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

func TestData_everyPropertyMayBeATemplate(t *testing.T) {
	t.Parallel()
	_, err := playbooks.Parse("suite.yaml", []byte(`name: suite
version: 1.0.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs: {v: {description: V, type: String}}
data_stores: {mem: {type: memory}}
tasks:
  - data: {action: "{{ inputs.v }}", key: "{{ inputs.v }}", value: "{{ inputs.v }}"}
  - data: {action: write, key: "mem/{{ inputs.v }}", value: "{{ inputs.v }}"}
`), engine.Types{Tasks: []engine.TaskType{data.Type()}, Stores: []engine.DataStoreType{memory.Type(memory.NewLocks())}})
	if err != nil {
		t.Error(err)
	}
}

func TestData_mayBeRepeated(t *testing.T) {
	t.Parallel()
	task, err := data.Type().Decode(playbooks.FromMap(write("mem/k", "v")))
	if err != nil || task.Effect() != engine.Idempotent {
		t.Errorf("got %v, %v", task, err)
	}
	if n, ok := task.(engine.ActionNamed); !ok || n.ActionName() != "data.write" {
		t.Errorf("got %v, want the name data.write for policy", task)
	}
}

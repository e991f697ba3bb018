package tasktest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

const (
	// MaxReturn is how long a task that was cut off may take to return.
	MaxReturn = time.Second
	// MaxResult bounds a result as JSON, in bytes: what may be kept is 256 KiB, and JSON may write a
	// byte with six.
	MaxResult = 6*256<<10 + 4096
	// MaxNote bounds one note, in bytes.
	MaxNote = 4096
)

// Run puts a task type to the test.
func Run(t *testing.T, c Case) {
	t.Helper()
	t.Run("empty properties are refused where they stand", c.refusesNothing)
	t.Run("an unknown property is refused", c.refusesUnknown)
	t.Run("success is told, and again by the same task", c.runsTwice)
	t.Run("one task may run at the same time", c.runsAtOnce)
	if c.Bad != nil {
		t.Run("failure is an error that says why", c.fails)
	}
	if c.Long != nil {
		t.Run("a cut off task returns soon and leaves nothing", c.isCutOff)
	}
	if c.Big != nil {
		t.Run("what is kept is bounded", c.isBounded)
	}
}

// refusesNothing writes the task without properties into a playbook, and decodes it as a run would.
func (c Case) refusesNothing(t *testing.T) {
	source := "name: suite\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: A test\nrun_as: choria=test.user\n" +
		"tasks:\n  - " + c.Type.Name + ": {}\n"
	_, err := playbooks.Parse("suite.yaml", []byte(source), engine.Types{Tasks: []engine.TaskType{c.Type}})
	problems, ok := errors.AsType[*playbooks.Problems](err)
	if !ok {
		t.Fatalf("a playbook with %s: {} is not refused: %v", c.Type.Name, err)
	}
	for _, p := range problems.All() {
		if p.Pos.Line != 7 {
			t.Errorf("%q stands on line %d, want 7", p.Message, p.Pos.Line)
		}
	}
	if _, err := c.Type.Decode(playbooks.FromMap(nil)); err == nil {
		t.Error("no properties at all make a task")
	}
}

func (c Case) refusesUnknown(t *testing.T) {
	with := map[string]any{"no_such_property": "x"}
	maps.Copy(with, c.Good)
	p := playbooks.FromMap(with)
	_, err := c.Type.Decode(p)
	if err = errors.Join(err, p.Err()); err == nil || !strings.Contains(err.Error(), `unknown key "no_such_property"`) {
		t.Errorf("got %v", err)
	}
}

func (c Case) runsTwice(t *testing.T) {
	task := c.decode(t, c.Good)
	c.checkEffect(t, task)
	first, second := c.run(t.Context(), task), c.run(t.Context(), task)
	for _, a := range []attempt{first, second} {
		if a.err != nil {
			t.Fatalf("%v: %v", c.Good, a.err)
		}
		c.check(t, a)
	}
	if first.result.Message == "" || first.result.Message != second.result.Message {
		t.Errorf("the first run says %q, the second %q", first.result.Message, second.result.Message)
	}
}

func (c Case) checkEffect(t *testing.T, task engine.Task) {
	t.Helper()
	effects := []engine.Effect{engine.ReadOnly, engine.Idempotent, engine.Once}
	if e := task.Effect(); !slices.Contains(effects, e) {
		t.Errorf("the effect is %q, want one of %v", e, effects)
	}
}

// runsAtOnce is of use under the race detector.
func (c Case) runsAtOnce(t *testing.T) {
	task := c.decode(t, c.Good)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if a := c.run(t.Context(), task); a.err != nil {
				t.Errorf("%v: %v", c.Good, a.err)
			}
		})
	}
	wg.Wait()
}

func (c Case) fails(t *testing.T) {
	task := c.decode(t, c.Bad)
	c.checkEffect(t, task)
	a := c.run(t.Context(), task)
	if a.err == nil {
		t.Fatalf("%v succeeds: %+v", c.Bad, a.result)
	}
	if engine.CodeOf(a.err) == engine.CodeInternal {
		t.Errorf("the error has no code for programs: %v", a.err)
	}
	c.check(t, a)
}

func (c Case) isCutOff(t *testing.T) {
	properties, begun := c.Long(t)
	task := c.decode(t, properties)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan attempt, 1)
	go func() { done <- c.run(ctx, task) }()
	if begun != nil {
		select {
		case <-begun:
		case a := <-done:
			t.Fatalf("the task ended before it began its work: %+v, %v", a.result, a.err)
		case <-time.After(10 * time.Second):
			t.Fatal("the task has not begun after 10 s")
		}
	}
	cut := time.Now()
	cancel(engine.Errorf(engine.CodeCanceled, "cancelled by the suite"))
	a := <-done
	if took := time.Since(cut); took > MaxReturn {
		t.Errorf("it took %s to return, want at most %s", took, MaxReturn)
	}
	if a.err == nil {
		t.Errorf("a cut off task is a success: %+v", a.result)
	}
	c.check(t, a)
	if c.Left != nil {
		if left := c.Left(); left != "" {
			t.Errorf("the task left behind: %s", left)
		}
	}
}

func (c Case) isBounded(t *testing.T) {
	a := c.run(t.Context(), c.decode(t, c.Big))
	c.check(t, a)
	if len(mustJSON(a.result)) < 1024 {
		t.Errorf("next to nothing is kept of a long answer: %s", mustJSON(a.result))
	}
}

// check holds what holds for every attempt, however it ended.
func (c Case) check(t *testing.T, a attempt) {
	t.Helper()
	raw := mustJSON(a.result)
	if len(raw) > MaxResult {
		t.Errorf("the result has %d bytes, want at most %d", len(raw), MaxResult)
	}
	for _, n := range a.notes {
		if len(n) > MaxNote {
			t.Errorf("a note has %d bytes, want at most %d", len(n), MaxNote)
		}
	}
	var again engine.Result
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatalf("the result cannot be read again: %v", err)
	}
	if got := mustJSON(again); string(got) != string(raw) || strings.Contains(string(raw), `\ufffd`) {
		t.Errorf("the result changes on its way through JSON: %.300s becomes %.300s", raw, got)
	}
	if c.Secret != "" && strings.Contains(a.said(), c.Secret) {
		t.Errorf("the secret is shown in: %.600s", a.said())
	}
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		return []byte("cannot be written as JSON: " + err.Error())
	}
	return raw
}

package tasktest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Case is a task type with what the suite needs to put it to the test. Properties are what a
// playbook would give, already rendered.
type Case struct {
	Type engine.TaskType
	Good map[string]any // a task that succeeds; run it twice and it says the same
	Bad  map[string]any // a task that fails; nil when the type cannot fail
	Big  map[string]any // a task that is told more than may be kept; nil when nothing is told
	// Long is a task that would go on for minutes. It returns its properties and a channel that is
	// closed when the task is in the middle of its work; nil cuts it off at once. The type nil means
	// that the task is over at once.
	Long func(t *testing.T) (properties map[string]any, begun <-chan struct{})
	// Left says, after a task was cut off, what it left behind; empty means nothing. It may be nil.
	Left func() string
	// Secret is a word in the properties of every task above which nobody may be shown; empty when
	// the type takes none.
	Secret string
	// Call adds to a call what the type needs of its run; it may be nil.
	Call func(c *engine.Call)
}

// attempt is one run of a task, and all that can be seen of it.
type attempt struct {
	result engine.Result
	err    error
	notes  []string
	took   time.Duration
}

// said is everything that a person could be shown.
func (a attempt) said() string {
	text := fmt.Sprintf("%s\n%s", mustJSON(a.result), strings.Join(a.notes, "\n"))
	if a.err != nil {
		text += "\n" + a.err.Error()
	}
	return text
}

func (c Case) decode(t *testing.T, properties map[string]any) engine.Task {
	t.Helper()
	p := playbooks.FromMap(properties)
	task, err := c.Type.Decode(p)
	if err == nil {
		err = p.Err()
	}
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return task
}

func (c Case) run(ctx context.Context, task engine.Task) attempt {
	var mu sync.Mutex
	var a attempt
	began := time.Now()
	call := Call(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		a.notes = append(a.notes, line)
	})
	if c.Call != nil {
		c.Call(call)
	}
	result, err := task.Run(ctx, call)
	mu.Lock()
	defer mu.Unlock()
	a.result, a.err, a.took = result, err, time.Since(began)
	return a
}

// Call is a call as the engine makes it, for a task at tasks.1 of a run by ana. note may be nil.
func Call(note func(string)) *engine.Call {
	now := time.Now()
	if note == nil {
		note = func(string) {}
	}
	id := engine.NewRunID(now)
	return &engine.Call{
		Run: engine.RunInfo{
			ID: id, Actor: engine.Actor{Team: "T1", User: "UANA", Name: "ana"}, Requested: now,
			Playbook: engine.PlaybookRef{Name: "suite"},
		},
		Path: "tasks.1", Attempt: 1, Key: fmt.Sprintf("%032x", now.UnixNano()), Started: now, Describe: "a task of the suite", Note: note,
	}
}

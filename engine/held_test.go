//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// howeverItEnds runs a test of what a run holds once for each way in which its task `one` may end: the tasks
// that are cancelled hang, and so do those of further ways.
func howeverItEnds(t *testing.T, test func(t *testing.T, h *enginetest.House, how string), further ...string) {
	t.Helper()
	ways := map[string]enginetest.Act{
		"success": nil,
		"failure": func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{}, errors.New("no")
		},
		"panic":  panics,
		"cancel": hang,
	}
	for _, how := range further {
		ways[how] = hang
	}
	for how, act := range ways {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Script.On("one", act)
				test(t, h, how)
			})
		})
	}
}

// atGate starts a run that holds what it wants while it waits for a person, without anything under way.
func atGate(h *enginetest.House, body string) engine.RunID {
	h.Book("gated", body)
	id := h.Start("gated", nil)
	synctest.Wait()
	return id
}

// restartAtOnce stops an engine in which nothing is under way, and starts another.
func restartAtOnce(t *testing.T, h *enginetest.House) {
	t.Helper()
	began := time.Now()
	if err := h.Engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("stopping took %s with nothing under way", took)
	}
	h.Restart()
}

//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine/enginetest"
)

// A run that is taken up may look for its child before the child is taken up itself.
func TestResume_givesNoRunASecondGoroutine(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: work, idempotent: true}}]")
		h.Script.On("work", slow)
		id := h.Start("b", nil)
		synctest.Wait()
		h.Stop()
		h.Restart()
		synctest.Wait()
		if err := h.Engine.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTranscript(t, h.Finish(id), "tasks.1 ok x2\nsuccess: 1 of 1 tasks done")
		if n := h.Script.Calls("work"); n != 2 {
			t.Errorf("the task ran %d times, want once before the crash and once after it", n)
		}
	})
}

//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// appendsLog keeps what each append held, because an append is a commit when nobody else writes.
type appendsLog struct {
	engine.Log

	mu   sync.Mutex // guards list
	list []string
}

func (l *appendsLog) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	kinds := make([]string, len(facts))
	for i, f := range facts {
		kinds[i] = f.Kind()
	}
	l.mu.Lock()
	l.list = append(l.list, strings.Join(kinds, " "))
	l.mu.Unlock()
	return l.Log.Append(ctx, stream, after, facts...)
}

// A commit is the dearest part of a step: the outcome of one shares that of the next one's intent.
func TestRun_makesOneCommitForEachStep(t *testing.T) {
	t.Parallel()
	var log *appendsLog
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one}}, {do: {name: two}}, {do: {name: three}}]")
		h.Finish(h.Start("b", nil))
		want := []string{
			"playbook_kept", "run_requested",
			"prepared task_begun attempt_started",
			"attempt_ended task_ended task_begun attempt_started",
			"attempt_ended task_ended task_begun attempt_started",
			"attempt_ended task_ended run_ended",
		}
		if got := strings.Join(log.list, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	}, func(o *engine.Options) {
		log = &appendsLog{Log: o.Log}
		o.Log = log
	})
}

//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// shyLog is a log in which some streams cannot be read for a while.
type shyLog struct {
	engine.Log

	mu   sync.Mutex // guards what follows
	left map[engine.StreamID]int
	lost engine.StreamID // of which nothing is left
}

func (l *shyLog) Read(ctx context.Context, stream engine.StreamID) iter.Seq2[engine.Event, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left[stream] > 0 {
		l.left[stream]--
		return func(yield func(engine.Event, error) bool) { yield(engine.Event{}, errors.New("bad block")) }
	}
	if stream == l.lost {
		return func(func(engine.Event, error) bool) {}
	}
	return l.Log.Read(ctx, stream)
}

// lose has a run hold nothing any more.
func (l *shyLog) lose(id engine.RunID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = id.Stream()
}

// fail has the next reads of a run fail.
func (l *shyLog) fail(id engine.RunID, times int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = map[engine.StreamID]int{id.Stream(): times}
}

func inShyHouse(t *testing.T, test func(t *testing.T, h *enginetest.House, log *shyLog), change ...func(*engine.Options)) {
	t.Helper()
	log := &shyLog{}
	inHouse(t, func(t *testing.T, h *enginetest.House) { test(t, h, log) }, append(change, func(o *engine.Options) {
		log.Log, o.Log = o.Log, log
	})...)
}

// A run whose log cannot be read when the process starts has its nodes all the same.
func TestLeases_ofARunThatCannotBeReadAtFirst(t *testing.T) {
	t.Parallel()
	inShyHouse(t, func(t *testing.T, h *enginetest.House, log *shyLog) {
		h.Book("gated", webBook)
		h.Book("one", oneNode)
		h.Book("other", "tasks: [{do: {name: three, nodes: [db1]}}]\n")
		first := h.Start("gated", nil)
		gate(t, h, first)
		h.Stop()
		log.fail(first, 3) // at the restart, when it is taken up, and 5 seconds later
		h.Restart()
		second, other := h.Start("one", nil), h.Start("other", nil)
		for _, id := range []engine.RunID{second, other} {
			if w := waitsFor(t, h, id); w == nil || !w.Unread || w.Holder.Run != first || len(w.Nodes) != 1 {
				t.Errorf("it waits for %+v", w)
			}
		}
		time.Sleep(11 * time.Second)
		if w := waitsFor(t, h, second); w == nil || w.Unread || w.Holder.Run != first || w.Holder.Who != "ana" {
			t.Errorf("once the log was read it waits for %+v", w)
		}
		if run := h.Finish(other); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		cancelRun(t, h, first)
		if run := h.Finish(second); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		h.Finish(first)
	})
}

// As long as a log stays unreadable, nobody has nodes that the run may have, and the refusal names it.
func TestLeases_areNotGivenWhileALogCannotBeRead(t *testing.T) {
	t.Parallel()
	inShyHouse(t, func(t *testing.T, h *enginetest.House, log *shyLog) {
		h.Book("gated", webBook)
		h.Book("wait", oneNode)
		h.Book("fail", "leases: fail\n"+oneNode)
		h.Book("none", "leases: none\n"+oneNode)
		h.Book("reads", `tasks: [{do: {name: look, nodes: [web2], effect: read_only}}]`+"\n")
		first := h.Start("gated", nil)
		gate(t, h, first)
		h.Stop()
		log.fail(first, 1000)
		h.Restart()
		for book, want := range map[string]engine.RunStatus{"wait": engine.RunFailed, "fail": engine.RunFailed, "none": engine.RunSuccess, "reads": engine.RunSuccess} {
			run := h.Finish(h.Start(book, nil))
			says := "run " + first.Short() + " has not ended and its log cannot be read since 2000-01-01T00:00:00Z, so that nobody knows whether it has web2"
			if run.Status != want || want == engine.RunFailed && !strings.Contains(run.Message, says) {
				t.Errorf("%s: got %s: %s", book, run.Status, run.Message)
			}
		}
		log.fail(first, 0)
		time.Sleep(6 * time.Second)
		if run := h.Finish(h.Start("fail", nil)); run.Status != engine.RunFailed || !strings.Contains(run.Message, "web2 is reserved by "+first.Short()) {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		cancelRun(t, h, first)
		h.Finish(first)
	})
}

// What a log was repaired to that holds nothing any more reserves nothing.
func TestLeases_areGivenWhenALogThatCouldNotBeReadIsGone(t *testing.T) {
	t.Parallel()
	inShyHouse(t, func(t *testing.T, h *enginetest.House, log *shyLog) {
		h.Book("gated", "tasks: [{do: {name: one, destructive: true}}]\n")
		h.Book("wait", oneNode)
		first := h.Start("gated", nil)
		gate(t, h, first)
		h.Stop()
		log.fail(first, 2)
		log.lose(first)
		h.Restart()
		time.Sleep(6 * time.Second)
		if run := h.Finish(h.Start("wait", nil)); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
		log.lose("")
		h.Stop()
		h.Restart()
		cancelRun(t, h, first)
		h.Finish(first)
	})
}

// A person who speaks to a run that cannot be read is told so, and the run is taken up when it can be.
func TestResume_triesAgainToReadARun(t *testing.T) {
	t.Parallel()
	inShyHouse(t, func(t *testing.T, h *enginetest.House, log *shyLog) {
		h.Book("b", gatedBook)
		id := h.Start("b", nil)
		gate(t, h, id)
		h.Stop()
		log.fail(id, 2)
		h.Restart()
		synctest.Wait()
		log.fail(id, 1)
		if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Actor: h.Ben}); err == nil || !strings.Contains(err.Error(), "bad block") {
			t.Errorf("ben was told %v", err)
		}
		time.Sleep(time.Hour) // nobody speaks to it, and its gate expires
		if run := load(t, h, id); run.Status != engine.RunFailed || !strings.Contains(run.Message, "nobody approved until") {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

// A parent does not go on beside a child that nobody knows of yet.
func TestFamily_aParentWaitsForAChildThatCannotBeReadAtFirst(t *testing.T) {
	t.Parallel()
	fleet := newFleet(t)
	inShyHouse(t, func(t *testing.T, h *enginetest.House, log *shyLog) {
		fleet.house = h
		outer, inner := cutOffParent(t, h)
		h.Stop()
		log.fail(inner, 10) // until 45 seconds after the restart
		h.Restart()
		resolve(t, h, outer, "tasks.1", engine.ResolveDone)
		time.Sleep(30 * time.Second)
		if run := load(t, h, outer); len(run.Order) != 1 || !run.Steps["tasks.1"].Ended.IsZero() {
			t.Errorf("it went on:\n%s", enginetest.Transcript(run))
		}
		time.Sleep(30 * time.Second)
		if run := h.Finish(inner); run.Status != engine.RunCancelled {
			t.Errorf("the child is %s: %s", run.Status, run.Message)
		}
		if run := h.Finish(outer); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, fleet.types)
}

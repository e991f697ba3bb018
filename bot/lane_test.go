package bot

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine"
)

// F-32: people are asked before others are told something, and each thread keeps its order, also when Slack
// does not take a message now.
func TestLane_givesEachRunItsEventsInOrderAndAllRunsTheirTurn(t *testing.T) {
	t.Parallel()
	kinds := []engine.Payload{
		engine.TaskBegun{},
		engine.TaskEnded{},
		engine.ApprovalAsked{},
		engine.RunEnded{},
		engine.WordWeighed{},
		engine.WordWeighed{Refused: "no"},
		engine.NodesUncompared{Try: 1},
		engine.NodesUncompared{Try: 2},
	}
	rapid.Check(t, func(rt *rapid.T) {
		l := newLane()
		pushed := map[engine.RunID][]engine.Pos{}
		for i := range rapid.IntRange(0, 100).Draw(rt, "events") {
			run := engine.RunID(fmt.Sprint(rapid.IntRange(0, 4).Draw(rt, "run")))
			pushed[run] = append(pushed[run], engine.Pos(i))
			l.push(t.Context(), job{run: run, event: engine.Event{Pos: engine.Pos(i), Payload: rapid.SampledFrom(kinds).Draw(rt, "kind")}})
		}
		l.close()
		got := map[engine.RunID][]engine.Pos{}
		var before engine.RunID
		asking := func() (runs []engine.RunID) {
			for run, queue := range l.queues {
				if slices.ContainsFunc(queue, asks) {
					runs = append(runs, run)
				}
			}
			return runs
		}
		first := asking()
		for group := l.next(t.Context()); group != nil; group = l.next(t.Context()) {
			run, steps := group[0].run, 0
			switch {
			case len(first) > 0 && !slices.Contains(first, run):
				rt.Errorf("run %s is told something while %v wait to be asked", run, first)
			case len(first) == 0 && run == before && len(l.turns) > 1:
				rt.Errorf("run %s has two turns in a row while others wait", run)
			}
			if before = run; rapid.IntRange(0, 3).Draw(rt, "taken") == 0 {
				l.back(group) // Slack does not take it now
				before, first = "", asking()
				continue
			}
			l.done(group)
			first = asking()
			for i, j := range group {
				got[run] = append(got[run], j.event.Pos)
				if j.run != run || weightOf(j.event.Payload) == weighsMore && (i > 0 || len(group) > 1) {
					rt.Errorf("these do not fit into one message: %+v", group)
				}
				if weightOf(j.event.Payload) == weighsStep {
					steps++
				}
			}
			if steps > maxGroup {
				rt.Errorf("%d steps share a message", steps)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(pushed) {
			rt.Errorf("got %v, want %v", got, pushed)
		}
	})
}

// Steps that end right behind an event that shows on the card alone are replied for all the same.
func TestDraw_repliesForStepsBehindWhatShowsOnTheCard(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]engine.Payload{
		"a word that counts": engine.WordWeighed{}, "a second failed look-up": engine.NodesUncompared{Try: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", "tasks: [{do: {name: one, description: Step one}}]")
				s.slash("ana", "#deploys", "run b")
				run := s.newest()
				s.settle(run)
				before := len(s.thread(run))
				said, err := s.current().thread.draw(s.tb.Context(), newLane(), []job{
					{run: run.ID, event: engine.Event{Pos: 1 << 40, Payload: first}},
					{run: run.ID, event: engine.Event{Pos: 1<<40 + 1, Payload: engine.TaskEnded{Path: "tasks.1", Status: engine.TaskOK}}},
				})
				if after := s.thread(run); err != nil || !said || len(after) != before+1 || !has(after[before], "Step one") {
					s.tb.Errorf("said %t (%v): %q", said, err, after[before:])
				}
			})
		})
	}
}

func TestLane_thatIsFullHoldsTheReaderUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLane()
		pushed := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range laneLength + 5 {
				l.push(t.Context(), job{run: "r", event: engine.Event{Payload: engine.ApprovalAsked{}}})
				pushed++
			}
		}()
		synctest.Wait()
		if pushed != laneLength {
			t.Errorf("%d events wait, want %d", pushed, laneLength)
		}
		for range 5 {
			l.done(l.next(t.Context()))
		}
		<-done
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if group := l.next(ended); group != nil {
			t.Errorf("after the end there is still %v", group)
		}
	})
}

func TestBucket_fillsUpAgainAndSparesSome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBucket(3, 2*time.Second)
		for range 2 {
			if b.try(1) != 0 {
				t.Error("a full bucket does not give two of three")
			}
		}
		if wait := b.try(1); wait < 2*time.Second || wait > 2*time.Second+10*time.Millisecond {
			t.Errorf("one is to be spared, and the wait is %s, want 2 s", wait)
		}
		began := time.Now()
		for range 4 {
			b.take(t.Context())
		}
		if took := time.Since(began); took < 6*time.Second || took > 7*time.Second {
			t.Errorf("four from a bucket of one took %s, want 6 s", took)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if b.take(ended) {
			t.Error("a bucket gives after the end")
		}
	})
}

func TestTracker_standsBeforeTheFirstThatIsNotDrawn(t *testing.T) {
	t.Parallel()
	tr := newTracker()
	tr.start(10)
	for _, step := range []struct {
		do   func()
		want engine.Pos
	}{
		{func() { tr.pass(11) }, 11},
		{func() { tr.begin(12); tr.begin(13) }, 11},
		{func() { tr.begin(12) }, 11}, // drawn in two places
		{func() { tr.pass(14) }, 11},
		{func() { tr.end(13) }, 11},
		{func() { tr.end(12) }, 11},
		{func() { tr.end(12) }, 14},
	} {
		if step.do(); tr.low() != step.want {
			t.Errorf("it stands at %d, want %d", tr.low(), step.want)
		}
	}
}

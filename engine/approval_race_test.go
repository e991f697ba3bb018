package engine_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// F-39: eight people decide in the same moment, on a real file and in real time. What happens is what was written
// first, once, and everybody is told what came of it.
func TestApproval_ofEightPeopleAtOnceHasOneOutcome(t *testing.T) {
	t.Parallel()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	h := enginetest.NewHouse(t, log, eightRules)
	for q := 1; q <= 3; q++ {
		h.Book(fmt.Sprintf("b%d", q), fmt.Sprintf("approval: {count: %d, from: [sre, dba]}\ntasks: [{do: {name: drain, destructive: true}}]", q))
	}
	s := &sim{t: t, h: h, now: h.Engine, luck: rand.New(rand.NewPCG(39, 8))}
	pairs := [][]string{{"approves", "approves"}, {"approves", "denies"}, {"approves", "cancels"}, {"approves", "takes back"}, {"denies", "cancels"}, {"approves", "denies", "cancels", "takes back"}}
	for round := range 60 {
		r := &simRun{id: h.Start(fmt.Sprintf("b%d", 1+round%3), nil)}
		r.gate = s.waits(log, r.id).Approval
		words := pairs[round%len(pairs)]
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i, who := range eight() {
			wg.Go(func() {
				<-start
				s.say(r, who, words[i%len(words)])
			})
		}
		close(start)
		wg.Wait()
		_ = h.Engine.Cancel(t.Context(), r.id, person("ana"), "") // where no quorum was reached
		h.Finish(r.id)
		s.said = append(s.said, said{run: r, who: "ana", what: "cancels"}) // it may have been this one
		s.judge(r)
	}
	s.outside()
}

// waits is the gate that a run comes to.
func (s *sim) waits(log *store.Store, id engine.RunID) *engine.Approval {
	for {
		head := log.Head()
		run, err := s.h.Engine.Load(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		if a := run.Pending(); a != nil {
			return a
		}
		if err := log.Wait(s.t.Context(), head); err != nil {
			s.t.Fatal(err)
		}
	}
}

package bot

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// An outage of what finds the nodes is one reply in the thread, and then a question.
func TestCompare_anOutageIsSaidOnceAndThenAsked(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		var down atomic.Bool
		s.Script.OnDiscover(func(context.Context) error {
			if down.Load() {
				return errors.New("no network")
			}
			return nil
		})
		run, gate := s.atGate()
		down.Store(true)
		s.click("ben", gate, "approve")
		s.await("#deploys", "⚠️ The nodes could not be compared before", "no network", "it tries again at")
		s.await("#deploys", "⏳ web — running", "The nodes could not be compared before")
		s.until("it asks people", func() bool { a := s.newest().Pending(); return a != nil && a.Uncompared != "" })
		again := s.await("#deploys", "It asks although the nodes could not be compared")
		s.wantRecord(gate, "🚫 Taken back at", "the nodes could not be compared")
		down.Store(false)
		s.click("ben", again, "approve")
		s.settle(run)
		s.wantThread(run, "✅ web — success", "✅ Check abc", "🚫 Taken back at", "⚠️ The nodes could not be compared before", "✅ Approved by @ben", "✅ Drain", "✅ Upgrade", "web success")
	})
}

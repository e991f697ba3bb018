package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// longAsk has the task `ask` ask 100 nodes in 10 batches, so long each. The last one fails.
func (s *stage) longAsk(each time.Duration) {
	s.Script.On("ask", func(ctx context.Context, _ int, c *engine.Call) (engine.Result, error) {
		var r engine.Result
		began := time.Now()
		for i := range 10 {
			c.Tell(engine.Progress{Of: 100, OK: 10 * i, Batch: i + 1, Batches: 10, Began: began, BatchBegan: time.Now()})
			select {
			case <-time.After(each):
			case <-ctx.Done():
				return r, context.Cause(ctx)
			}
			for n := range 10 {
				r.OKNodes = append(r.OKNodes, fmt.Sprintf("web%03d", 10*i+n+1))
			}
		}
		r.OKNodes, r.FailedNodes = r.OKNodes[:99], r.OKNodes[99:]
		c.Note("web100: failed: no space left")
		return r, errors.New("one failed")
	})
}

func longBook() string {
	var nodes []string
	for i := range 100 {
		nodes = append(nodes, fmt.Sprintf("web%03d", i+1))
	}
	return "tasks:\n  - do: {name: ask, description: Ask all, fail_ok: true, nodes: [" + strings.Join(nodes, ", ") + "]}\n  - do: {name: two, description: After}"
}

func TestBar_isOneReplyThatIsEditedAndBecomesTheResult(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", longBook())
		s.longAsk(30 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		bar := s.await("#deploys", "⏳ Ask all — since 00:00:00 UTC", "░░░░░░░░░░░░░░░░░░░░ 0 of 100 nodes: 0 ok", "batch 1 of 10")
		if so := time.Since(run.At); so < longStep || so > longStep+5*time.Second {
			t.Errorf("the reply came after %s", so)
		}
		s.until("the bar grows", func() bool {
			return has(s.now(bar), "████████░░░░░░░░░░░░ 40 of 100 nodes: 40 ok", "batch 5 of 10", "done at about 00:05 UTC, if it goes on like this")
		})
		s.settle(run)
		if text := s.now(bar); !has(text, "⚠️ Ask all — 5m, 99 of 100 nodes ok, 1 failed, tolerated", "web100 failed: no space left") || has(text, "█") {
			t.Errorf("in the end the reply says\n%s", text)
		}
		s.wantThread(run, "✅ b — success", "⚠️ Ask all", "✅ After", "b success after 5m")
		edits := 0
		for _, c := range s.calls("chat.update") {
			if strings.Contains(c.Body, bar.TS) {
				edits++
			}
		}
		if edits < 9 || edits > 12 {
			t.Errorf("the reply was edited %d times in five minutes", edits)
		}
	})
}

func TestBar_ofAShortStepIsNone(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", longBook())
		s.longAsk(1900 * time.Millisecond)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		s.wantThread(run, "✅ b — success", "⚠️ Ask all — 19s", "✅ After", "b success after")
		for _, c := range s.calls("chat.postMessage") {
			if strings.Contains(c.Body, "░") {
				s.tb.Errorf("a bar was posted: %s", c.Body)
			}
		}
	})
}

func TestBar_goesOnAfterARestart(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*stage){"of the bot": func(s *stage) { s.stop(); s.start() }, "by a kill of the bot": func(s *stage) { s.kill(); s.start() }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				s.book("b", longBook())
				s.longAsk(30 * time.Second)
				s.slash("ana", "#deploys", "run b")
				run := s.newest()
				bar := s.await("#deploys", "⏳ Ask all", "batch 2 of 10")
				end(s)
				s.until("the bar grows", func() bool { return has(s.now(bar), "batch 4 of 10") })
				s.settle(run)
				s.wantThread(run, "✅ b — success", "⚠️ Ask all — 5m", "✅ After", "b success after")
			})
		})
	}
}

func TestBar_ofAStepThatEndedWhileNobodyDrewIsItsResult(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", longBook())
		s.longAsk(10 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.await("#deploys", "⏳ Ask all")
		s.kill()
		time.Sleep(3 * time.Minute)
		s.start()
		s.settle(run)
		s.wantThread(run, "✅ b — success", "⚠️ Ask all — 1m40s", "✅ After", "b success after")
	})
}

func TestBar_ofWavesCountsNodesOfWavesThatAreOver(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("roll", `
tasks:
  - rolling:
      description: Restart all
      nodes: [k1, k2, k3, k4, k5, k6]
      waves: [1]
      max_failures: 2
      tasks: [{do: {name: restart, description: Restart one, nodes: "{{ wave.nodes }}"}}]
`)
		s.Script.On("restart", func(ctx context.Context, n int, _ *engine.Call) (engine.Result, error) {
			select {
			case <-time.After(2 * time.Minute):
			case <-ctx.Done():
				return engine.Result{}, context.Cause(ctx)
			}
			node := []string{fmt.Sprint("k", n)}
			if n == 2 {
				return engine.Result{Message: "no", FailedNodes: node}, errors.New("no")
			}
			return engine.Result{OKNodes: node}, nil
		})
		s.slash("ana", "#deploys", "run roll")
		run := s.newest()
		bar := s.await("#deploys", "⏳ Restart all — since", "░░░░░░░░░░░░░░░░░░░░ 0 of 6 nodes: 0 ok", "wave 1 of 6: k1, Restart one")
		s.until("the fourth wave is shown", func() bool {
			return has(s.now(bar), "██████████░░░░░░░░░░ 3 of 6 nodes: 2 ok, 1 failed", "wave 4 of 6: k4", "done at about 00:12 UTC")
		})
		s.settle(run)
		if text := s.now(bar); !has(text, "✅ Restart all — 12m, 5 of 6 nodes ok, 1 failed") {
			t.Errorf("in the end the reply says\n%s", text)
		}
		s.wantThread(run, "✅ roll — success", "✅ Restart all", "❌ wave 2: Restart one", "roll success after 12m")
	})
}

func TestBar_saysOnlyWhatIsHonest(t *testing.T) {
	t.Parallel()
	now := began.Add(time.Hour)
	for name, row := range map[string]struct {
		s    standing
		want string
	}{
		"nothing yet":        {standing{of: 3}, "░░░░░░░░░░░░░░░░░░░░ 0 of 3 nodes: 0 ok"},
		"almost all":         {standing{of: 1000, ok: 990, failed: 6, silent: 3}, "███████████████████░ 999 of 1000 nodes: 990 ok, 6 failed, 3 silent"},
		"all":                {standing{of: 1, silent: 1}, "████████████████████ 1 of 1 node: 0 ok, 1 silent"},
		"none":               {standing{}, "░░░░░░░░░░░░░░░░░░░░ 0 of 0 nodes: 0 ok"},
		"a rest":             {standing{of: 2, ok: 1, where: "batch 9 of 10", rest: 10 * time.Minute}, "██████████░░░░░░░░░░ 1 of 2 nodes: 1 ok|batch 9 of 10|done at about 11:10 UTC, if it goes on like this"},
		"a rest of a moment": {standing{of: 2, ok: 1, rest: 10 * time.Second}, "██████████░░░░░░░░░░ 1 of 2 nodes: 1 ok"},
	} {
		if got := strings.Join(row.s.lines(now), "|"); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestBar_ofAStepThatWasCutOffSaysSo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", longBook())
		s.longAsk(30 * time.Second)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		bar := s.await("#deploys", "⏳ Ask all", "batch 2 of 10")
		s.crash()
		q := s.await("#deploys", "Did this happen?", "Ask all")
		s.until("the bar does not go on", func() bool { return has(s.now(bar), "❓ Ask all — cut off; somebody has to say what became of it") })
		s.click("ana", q, "mark_done")
		s.settle(run)
		if text := s.now(bar); !has(text, "✅ Ask all") {
			t.Errorf("in the end the reply says\n%s", text)
		}
	})
}

func TestBar_ofAStepThatWasCutOffEarlyIsNone(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", longBook())
		s.longAsk(30 * time.Second)
		s.slash("ana", "#deploys", "run b")
		s.await("#deploys", "⏳ Ask all") // on the card
		s.crash()
		q := s.await("#deploys", "Did this happen?", "Ask all")
		time.Sleep(10 * time.Minute)
		if m, found := s.find("#deploys", "Ask all — "); found {
			s.tb.Errorf("there is a reply: %s", s.ws.PlainText(m))
		}
		run := s.newest()
		s.click("ana", q, "abort")
		s.settle(run)
	})
}

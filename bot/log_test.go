package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// manyAnswers has the task `ask` ask so many nodes, of which the third fails.
func (s *stage) manyAnswers(n int) {
	s.Script.On("ask", func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
		var r engine.Result
		for i := 1; i <= n; i++ {
			node := fmt.Sprintf("web%04d.example.net", i)
			if i == 3 {
				r.FailedNodes = append(r.FailedNodes, node)
				c.Note(node + ": failed: no <space> left")
				continue
			}
			r.OKNodes = append(r.OKNodes, node)
			c.Note(fmt.Sprintf("%s: version=%s", node, strings.Repeat("*1*", 20)))
		}
		return r, errors.New("one failed")
	})
}

func TestLog_opensWhatWasSaidPageByPage(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks:\n  - do: {name: one, description: First}\n  - do: {name: ask, description: Ask all}")
		s.manyAnswers(150)
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		if said := s.slash("ana", "#ops", "show "+run.ID.Short()); !has(said, "failed: web0003.example.net: no <space> left") {
			t.Errorf("show says\n%s", said)
		}
		card := s.await("#deploys", "❌ b — failed")
		if err := s.ws.Click(t.Context(), "ben", card.Channel, card.TS, "log"); err != nil {
			t.Fatal(err)
		}
		shown := func() string { _, v := s.ws.Modal("ben"); return s.ws.PlainView(v) }
		s.until("ben sees the log", func() bool {
			return has(shown(), "Ask all: failed", "1 failed: no <space> left", "web0003.example.net", "149 same: version=*1*", "page 1 of 3", "[Later ›]")
		})
		press := func(action string, value map[string]any) {
			t.Helper()
			id, _ := s.ws.Modal("ben")
			if err := s.ws.Press(t.Context(), workspace.Press{User: "ben", View: id, ActionID: action, Value: value}); err != nil {
				t.Fatal(err)
			}
		}
		press("log/on", nil)
		s.until("the next page is shown", func() bool { return has(shown(), "page 2 of 3", "[‹ Earlier] [Later ›]") })
		press("log/on", nil)
		s.until("the last page is shown", func() bool {
			return has(shown(), "page 3 of 3", "web0150.example.net: version") && !has(shown(), "Later")
		})
		first := commands.LogPlace{Run: run.ID, Step: "tasks.1", Page: 1}.Value()
		press("log/step", map[string]any{"selected_option": map[string]any{"text": map[string]any{"type": "plain_text", "text": "First"}, "value": first}})
		s.until("the other step is shown", func() bool { return has(shown(), "First: ok", "page 1 of 1") && !has(shown(), "web0150") })
		if n := len(s.ephemerals("ben")); n != 0 {
			t.Errorf("ben was told %q besides", s.ephemerals("ben"))
		}
	})
}

// T-15: the log of a run counts as read in the channel that it was opened in, on later pages too.
func TestLog_countsWhereItWasOpened(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.book("b", "tasks: [{do: {name: ask}}]")
		s.manyAnswers(150)
		s.slash("ana", "#deploys", "run b")
		s.settle(s.newest())
		card := s.await("#deploys", "❌ b — failed")
		shown := func() string { _, v := s.ws.Modal("ben"); return s.ws.PlainView(v) }
		if err := s.ws.Click(t.Context(), "ben", card.Channel, card.TS, "log"); err != nil {
			t.Fatal(err)
		}
		s.until("ben sees the log", func() bool { return has(shown(), "page 1 of", "[Later ›]") })
		time.Sleep(2 * channelAge)
		s.ws.FailNext("conversations.info", "missing_scope", 1)
		id, _ := s.ws.Modal("ben")
		if err := s.ws.Press(t.Context(), workspace.Press{User: "ben", View: id, ActionID: "log/on"}); err != nil {
			t.Fatal(err)
		}
		s.until("ben is shown no other page", func() bool {
			return has(shown(), "could not say whether this channel is shared") && !has(shown(), "web0")
		})
	})
}

func TestLog_thatSlackDoesNotOpenIsAnsweredAllTheSame(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, _ := s.atGate()
		card := s.await("#deploys", "✋ web — waiting")
		s.ws.FailNext("views.open", "expired_trigger_id", 1)
		if said := s.click("ana", card, "log"); !has(said, "Slack did not open the log", "/playbook show "+run.ID.Short()) {
			s.tb.Errorf("ana was told %q", said)
		}
	})
}

func TestLog_thatThereIsNotSaysSo(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.atGate()
		b := s.current()
		for _, value := range []string{"x", string(sampleID), commands.LogPlace{Run: s.newest().ID, Step: "tasks.9", Page: 1}.Value(), "a/b/c"} {
			v := b.logView(s.tb.Context(), ana(), value)
			text := s.ws.PlainText(workspace.Message{Blocks: decoded(s.tb, message{blocks: v.Blocks.BlockSet})})
			if !has(text, "another version") && !has(text, "there is no run") && !has(text, "has no step") {
				s.tb.Errorf("%q: got %q", value, text)
			}
		}
	})
}

func TestLogView_isWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	l := commands.Log{Title: strings.Repeat("t", 300), At: commands.LogPlace{Run: sampleID, Step: "tasks.450", Page: 2}, Pages: 3}
	for i := range 500 {
		p := engine.Path(fmt.Sprintf("tasks.%d", i))
		l.Steps = append(l.Steps, commands.LogStep{Path: p, Label: strings.Repeat("a long name ", 40), Value: commands.LogPlace{Run: sampleID, Step: p, Page: 1}.Value()})
	}
	for range 12 {
		l.Lines = append(l.Lines, strings.Repeat("x", 490))
	}
	checkView(t, "log", logModal(l))
	if got := around(l); len(got) != maxOptions || got[0].Path != "tasks.400" {
		t.Errorf("the menu has %d steps from %s on", len(got), got[0].Path)
	}
	checkView(t, "no log", logProblem(strings.Repeat("x", 5000)))
}

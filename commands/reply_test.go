package commands_test

import (
	"testing"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestText_drawsEveryBlock(t *testing.T) {
	t.Parallel()
	plain := func(text string) []commands.Span { return []commands.Span{{Kind: commands.Plain, Text: text}} }
	r := commands.Reply{Title: "Title", Blocks: []commands.Block{
		commands.Text{Spans: []commands.Span{{Kind: commands.Mention, Text: "ana"}, {Kind: commands.Plain, Text: " did it"}}},
		commands.Fields{Items: []commands.Field{{Label: "a", Value: plain("1")}, {Label: "größer", Value: plain("2")}}},
		commands.List{Items: [][]commands.Span{plain("x"), plain("y")}},
		commands.List{Ordered: true, Items: [][]commands.Span{plain("x"), plain("y")}},
		commands.Preformatted{Text: "one\n\x1b[31mtwo\n"},
		commands.Buttons{Items: []commands.Button{{Label: "Press"}}},
		commands.Context{Spans: plain("small print")},
	}}
	want := "Title\n@ana did it\n  a       1\n  größer  2\n  • x\n  • y\n  1. x\n  2. y\n    one\n    \ufffd[31mtwo\nsmall print\n"
	if got := r.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (commands.Reply{}).Text(); got == "" {
		t.Error("an empty reply draws nothing")
	}
}

func TestClean_showsWhatHides(t *testing.T) {
	t.Parallel()
	if got, want := commands.Clean("a\x1bb\u202ec\nd\te\xfff"), "a\ufffdb\ufffdc\nd\te\ufffdf"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "2h": 2 * time.Hour, "7d": 7 * 24 * time.Hour, "1h30m": 90 * time.Minute,
		"": 0, "d": 0, "0d": 0, "-5m": 0, "0s": 0, "5": 0, "99999d": 0, "1.5d": 0, "soon": 0,
	} {
		got, err := commands.ParseSpan(text)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %s and %v, want %s", text, got, err, want)
		}
	}
}

func TestTookAndAgo_readAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration][2]string{
		0:                        {"0s", "just now"},
		850 * time.Millisecond:   {"850ms", "just now"},
		4230 * time.Millisecond:  {"4.2s", "just now"},
		59960 * time.Millisecond: {"1m", "just now"},
		time.Minute:              {"1m", "1m ago"},
		192 * time.Second:        {"3m12s", "3m ago"},
		2 * time.Hour:            {"2h", "2h ago"},
		125 * time.Minute:        {"2h5m", "2h ago"},
		50 * time.Hour:           {"50h", "2d ago"},
	} {
		if took, ago := commands.Took(d), commands.Ago(d); took != want[0] || ago != want[1] {
			t.Errorf("%s: got %q and %q, want %q", d, took, ago, want)
		}
	}
}

func TestMarks_everyStateHasItsOwn(t *testing.T) {
	t.Parallel()
	for _, s := range []engine.RunStatus{
		engine.RunPreparing, engine.RunRunning, engine.RunWaiting, engine.RunSuccess, engine.RunFailed, engine.RunCancelled,
	} {
		if commands.RunMark(s) == "·" {
			t.Errorf("a run that is %s has no mark", s)
		}
	}
	for _, s := range []engine.TaskStatus{
		engine.TaskRunning, engine.TaskWaiting, engine.TaskOK, engine.TaskFailed, engine.TaskTolerated, engine.TaskSkippedOver, engine.TaskDenied, engine.TaskCancelled,
	} {
		if commands.TaskMark(s) == "·" {
			t.Errorf("a task that is %s has no mark", s)
		}
	}
}

func TestLine_givesBackWhatAShellTookAway(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"run", "web", "tier=bravo"}, `run web tier=bravo`},
		{[]string{"run", "web", "rev=v 2"}, `run web rev="v 2"`},
		{[]string{"run", "web", `why=say "no"`}, `run web why="say \"no\""`},
		{[]string{"run", "web", "hosts=a,b"}, `run web hosts=a,b`},
		{[]string{"run", "web", `x:={"a": 1}`}, `run web x:={"a": 1}`},
		{[]string{"approve", "r-1234", "it is fine"}, `approve r-1234 "it is fine"`},
		{[]string{"history", "--since=1h"}, `history --since=1h`},
	} {
		if got := commands.Line(row.args); got != row.want {
			t.Errorf("%q: got %s, want %s", row.args, got, row.want)
		}
	}
}

func TestNew_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := commands.New(commands.Deps{}); err == nil {
		t.Error("commands without an engine")
	}
}

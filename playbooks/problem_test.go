package playbooks_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

func TestNearest_is_at_most_two_changes_away(t *testing.T) {
	t.Parallel()
	known := []string{"tries", "try_sleep", "timeout", "at_least", "a"}
	for word, want := range map[string]string{
		"trys": "tries", "TRIES": "tries", "timeuot": "timeout", "atleast": "at_least", "retries": "tries",
		"x": "", "tim": "", "": "", "duration": "", "to": "",
	} {
		if got := playbooks.Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestRender_shows_a_window_of_a_long_line_and_nothing_that_moves_the_cursor(t *testing.T) {
	t.Parallel()
	p := playbooks.Problem{File: "b.yaml", Pos: playbooks.Pos{Line: 3, Column: 5003}, Line: strings.Repeat("ü", 5000) + "\t\x1b|here|" + strings.Repeat("x", 5000), Message: "m"}
	got := p.Render()
	if len([]rune(got)) > 600 || strings.Contains(got, "\x1b") || !strings.Contains(got, "here") {
		t.Errorf("got %d characters: %q", len(got), got)
	}
	lines := strings.Split(got, "\n")
	line, caret := []rune(lines[1]), []rune(lines[2])
	if at := len(caret) - 1; caret[at] != '^' || line[at] != '|' {
		t.Errorf("got the caret below %q, want it below |", string(line[at]))
	}
	far := playbooks.Problem{Pos: playbooks.Pos{Line: 1, Column: 50}, Line: "short", Message: "m", Warning: true}
	if got := far.Render(); !strings.Contains(got, "warning: m") || !strings.HasSuffix(got, "     ^\n") {
		t.Errorf("got %q, want the caret at the end of the line", got)
	}
}

func TestParse_refuses_what_is_too_big_quickly(t *testing.T) {
	t.Parallel()
	line := "  - any: {v: \"{{ inputs.nope }}\"}\n"
	for name, body := range map[string]string{
		"a megabyte":           head + strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 11_000),
		"thousands of values":  head + "tasks:\n" + strings.Repeat(line, 25_000),
		"texts repeated":       head + "macros:\n  a: &a \"" + strings.Repeat("{{ x }}", 50_000) + "\"\n  b: [" + strings.Repeat("*a, ", 50_000) + "]\n",
		"one line":             head + "macros: [" + strings.Repeat(`"{{ inputs.nope }}",`, 40_000) + "]\nfoo: bar\n",
		"escapes":              head + "macros: [" + strings.Repeat(`"\x7b{ x }}",`, 60_000) + "]\nfoo: bar\n",
		"quotes never closed":  head + "tasks:\n" + strings.Repeat("  - any: {v: x}\n", 50_000) + "  - \"",
		"deep flow":            head + "macros: " + strings.Repeat("[", 9_000),
		"merge upon merge":     head + "macros:\n  a: &a {x: 1}\n" + strings.Repeat("  b: &a {<<: [*a, *a, *a, *a]}\n", 1000),
		"templates not closed": head + "tasks:\n  - any: {v: [" + strings.Repeat(`"{{ x",`, 50_000) + "]}\n",
	} {
		start := time.Now()
		_, err := playbooks.Parse("b.yaml", []byte(body), anything{})
		if _, ok := errors.AsType[*playbooks.Problems](err); !ok {
			t.Errorf("%s: got %v, want problems", name, err)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: took %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestAnswerLines_nameTheMinorityAndCountTheRest(t *testing.T) {
	t.Parallel()
	three := engine.Result{OKNodes: []string{"a", "b", "c"}}
	four := engine.Result{OKNodes: []string{"a", "b", "c", "d"}}
	mixed := engine.Result{OKNodes: []string{"a", "b"}, FailedNodes: []string{"c"}, SilentNodes: []string{"d", "e"}}
	for name, row := range map[string]struct {
		result  engine.Result
		message string
		notes   string
		want    string
	}{
		"a bare ok":                     {four, "", "a: ok|b: ok|c: ok|d: ok", ""},
		"what all say":                  {four, "", "a: up|b: up|c: up|d: up", "all 4: up"},
		"what few say":                  {three, "", "a: up|b: up|c: up", "a, b, c: up"},
		"what a summary says":           {four, "4 × up", "a: up|b: up|c: up|d: up", ""},
		"one that differs":              {four, "", "b: up|a: down|c: up|d: up", "a differs: down|3 same: up"},
		"those that are not well first": {mixed, "", "a: ok|b: ok|c: failed: disk full|d: no answer|e: no answer", "c failed: disk full|2 did not answer|  d, e"},
		"whose fate is unknown":         {mixed, "", "c: failed: disk full|d: unknown: the network was lost|e: unknown: the network was lost", "c failed: disk full|2 unknown: the network was lost|  d, e"},
		"reasons with other numbers":    {engine.Result{FailedNodes: []string{"a", "b"}}, "", "a: failed: exit 1 after 3s|b: failed: exit 1 after 9s", "2 failed: exit 1 after 3s (alike, with other numbers)|  a, b"},
		"values that do not hold":       {engine.Result{FailedNodes: []string{"a", "b"}}, "", "a: does not satisfy x: y=1|b: does not satisfy x: y=1", "2 do not satisfy x: y=1|  a, b"},
		"one that does not hold":        {engine.Result{FailedNodes: []string{"a"}}, "", "a: does not satisfy x: y=1", "a does not satisfy x: y=1"},
		"those that were not asked":     {engine.Result{FailedNodes: []string{"a"}, UnaskedNodes: []string{"b", "c"}}, "", "a: failed: no", "a failed: no|2 not asked|  b, c"},
		"what would be markup":          {engine.Result{FailedNodes: []string{"a"}}, "", "a: failed: \x1b[31mno\x1b[0m\tspace\u202e", "a failed: no space\ufffd"},
	} {
		o := &engine.AttemptEnded{Result: row.result, Notes: strings.Split(row.notes, "|")}
		if got := strings.Join(answerLines(commands.AnswersOf(o), row.message, 20), "|"); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestAnswerLines_areBounded(t *testing.T) {
	t.Parallel()
	o := &engine.AttemptEnded{}
	for i := range 10000 {
		n := fmt.Sprintf("node%05d.a-long-name.example.net", i)
		o.Result.FailedNodes = append(o.Result.FailedNodes, n)
		o.Notes = append(o.Notes, fmt.Sprintf("%s: failed: reason %s", n, strings.Repeat(string(rune('a'+i%40)), 1000)))
	}
	lines := answerLines(commands.AnswersOf(o), "", maxAnswerLines)
	if n := len(strings.Join(lines, "\n")); n > 12*(maxAnswer+maxNames+60) || len(lines) != maxAnswerLines+1 {
		t.Errorf("got %d lines of %d bytes", len(lines), n)
	}
	if last := lines[len(lines)-1]; last != "… 28 other answers of 7000 nodes: Log on the card has them" {
		t.Errorf("the last line is %q", last)
	}
}

func TestWithoutAnswers_keepsTheRest(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"4 of 6 ok; 2 failed: web2 said \"disk; full\", web3 said \"a \\\"b; c\\\"\"; at most 1 allowed": "4 of 6 ok; at most 1 may fail or keep silent",
		"2 of 6 ok; 1 did not answer: web4; 2 were not asked: web5, web6":                                "2 of 6 ok",
		"0 of 3 ok; 3 do not satisfy data.lag < 5: web4 (lag=7)":                                         "0 of 3 ok",
		"1 of 3 ok; 2 unknown (the network was lost or overloaded): web5":                                "1 of 3 ok",
		"timed out after 5m: cut off: 2 of 3 ok; 1 does not satisfy x: web5 (no data)":                   "timed out after 5m: cut off: 2 of 3 ok",
		"exit 1: rsync failed; see above":                                                                "exit 1: rsync failed; see above",
	} {
		if got := withoutAnswers(message); got != want {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

func TestWithoutAnswers_splitsAtNoSemicolonOfANode(t *testing.T) {
	t.Parallel()
	if got := splitOutsideQuotes(`a "b; c" d; e`); !slices.Equal(got, []string{`a "b; c" d`, "e"}) {
		t.Errorf("got %q", got)
	}
}

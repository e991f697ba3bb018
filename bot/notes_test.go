package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
)

func TestTelling_leavesOutWhatTheMessageSays(t *testing.T) {
	t.Parallel()
	four := engine.Result{OKNodes: []string{"a", "b", "c", "d"}}
	mixed := engine.Result{OKNodes: []string{"a", "b"}, FailedNodes: []string{"c"}, SilentNodes: []string{"d"}}
	var many engine.Result
	var manyNotes []string
	for i := range 40 {
		n := fmt.Sprintf("n%02d", i)
		many.OKNodes, manyNotes = append(many.OKNodes, n), append(manyNotes, fmt.Sprintf("%s: load=%d", n, i%2))
	}
	for name, row := range map[string]struct {
		result  engine.Result
		message string
		notes   string
		want    []string
	}{
		"a bare ok":                    {four, "", "a: ok|b: ok|c: ok|d: ok", nil},
		"what all say":                 {four, "", "a: up|b: up|c: up|d: up", []string{"all 4: up"}},
		"what some say":                {four, "", "b: up|a: down|c: up|d: up", []string{"b, c, d: up", "a: down"}},
		"what many say":                {many, "", strings.Join(manyNotes, "|"), []string{"n00, n02, n04, n06, n08 and 15 more: load=0", "n01, n03, n05, n07, n09 and 15 more: load=1"}},
		"what a summary says":          {four, "4 × up", "a: up|b: up|c: up|d: up", nil},
		"what the message says":        {mixed, `1 failed: c said "disk: full"; 1 did not answer: d`, "a: ok|c: failed: disk: full|b: ok|d: no answer", nil},
		"a node the message names not": {mixed, "1 failed", "c: failed: disk full", []string{"c: failed: disk full"}},
		"a reason the message lacks":   {mixed, "1 failed: c", "c: failed: disk full", []string{"c: failed: disk full"}},
		"how far the asking has come":  {four, "", "asking 2 of 4 nodes; 0 have answered|a: up", []string{"a: up"}},
		"output of a command":          {engine.Result{}, "exit 0: two", "one: ok|two", []string{"one: ok", "two"}},
		"its only line":                {engine.Result{}, "exit 0: two", "two", nil},
		"words that name no node":      {four, "", "x: ok", []string{"x: ok"}},
	} {
		if got := telling(&engine.AttemptEnded{Result: row.result, Notes: strings.Split(row.notes, "|")}, row.message); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestCovered_namesEachNodeOnce(t *testing.T) {
	t.Parallel()
	names := func(n int) (list []string, sealed []any) {
		for i := range n {
			list = append(list, fmt.Sprintf("n%02d", i))
			sealed = append(sealed, list[i])
		}
		return list, sealed
	}
	few, fewSealed := names(3)
	many, manySealed := names(40)
	for name, row := range map[string]struct {
		nodes  []string
		sealed []any
		want   string
	}{
		"few":                  {few, fewSealed, "touches 3: n00, n01, n02"},
		"others than it names": {few, manySealed[:2], "touches 3: n00, n01, n02|nodes: [\"n00\",\"n01\"]"},
		"in another order":     {few, []any{"n01", "n00", "n02"}, "touches 3: n00, n01, n02|nodes: [\"n01\",\"n00\",\"n02\"]"},
		"many":                 {many, manySealed, "touches 40, listed as nodes below|nodes: [\"" + strings.Join(many, "\",\"") + "\"]"},
	} {
		a := &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Nodes: row.nodes, Sealed: map[string]any{"nodes": row.sealed}}}
		if got := strings.Join(covered(nil, a), "|"); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

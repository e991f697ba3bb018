package bot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
)

func TestTelling_leavesOutWhatTheMessageAndTheAnswersSay(t *testing.T) {
	t.Parallel()
	four := engine.Result{OKNodes: []string{"a", "b", "c"}, SilentNodes: []string{"d"}}
	for name, row := range map[string]struct {
		result  engine.Result
		message string
		notes   string
		want    []string
	}{
		"answers of nodes":            {four, "", "a: up|b: up|c: down|d: no answer", nil},
		"how far the asking has come": {four, "", "asking 2 of 4 nodes; 0 have answered|a: up", nil},
		"what is about no node":       {four, "", "a: up|not counted: 1 second answers of a node", []string{"not counted: 1 second answers of a node"}},
		"output of a command":         {engine.Result{}, "exit 0: two", "one: ok|two", []string{"one: ok", "two"}},
		"its only line":               {engine.Result{}, "exit 0: two", "two", nil},
		"words that name no node":     {four, "", "x: ok", []string{"x: ok"}},
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
		"many":                 {many, manySealed, "touches 40: n[00-39]"},
	} {
		a := &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Nodes: row.nodes, Sealed: map[string]any{"nodes": row.sealed}}}
		if got := strings.Join(covered(nil, a), "|"); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

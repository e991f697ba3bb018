//nolint:thelper // what inHouse and inSample run are the tests: a failure names their lines
package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// Section 14.3: what becomes of what was discovered.
func TestCompat2017_nodeSetsAreBounded(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ set, want string }{ // want is the nodes, or part of the message after "!"
		"the first of limit":              {"nodes: [r1, r2, r3], limit: 1", "r1"},
		"each once, in order":             {"nodes: [r1, r2, r1]", "r1 r2"},
		"empty, with text":                {`nodes: [], when_empty: "nobody in {{ metadata.name }}"`, `!node set "web": nobody in b`},
		"empty, without text":             {"nodes: []", `!node set "web": did not discover any nodes`},
		"empty before limit and at_least": {"nodes: [], at_least: 2, limit: 5", "!did not discover any nodes"},
		"fewer than at_least":             {"nodes: [r1], at_least: 2", `!node set "web": needs at least 2 nodes, found 1`},
		"as many as at_least":             {"nodes: [r1, r2], at_least: 2", "r1 r2"},
		"more than at_least":              {"nodes: [r1, r2, r3], at_least: 2", "r1 r2 r3"},
		"at_least counts after limit":     {`nodes: [r1, r2, r3], at_least: "{{ inputs.n }}", limit: 2`, "!needs at least 3 nodes, found 2"},
		"at_least 0 and nobody":           {"nodes: [], at_least: 0", ""},
		"empty_ok and nobody":             {"nodes: [], empty_ok: true", ""},
		"empty_ok and too few":            {"nodes: [r1], empty_ok: true, at_least: 2", "!needs at least 2 nodes, found 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "inputs: {n: {type: Integer, default: 3}}\nnodes: {web: {type: list, "+row.set+"}}\ntasks: [{do: {name: one}}]\nhooks: {pre_book: [{do: {name: first}}]}\n")
				run := h.Finish(h.Start("b", map[string]any{"n": 3}))
				if message, fails := strings.CutPrefix(row.want, "!"); fails {
					if run.Status != engine.RunFailed || !strings.Contains(run.Message, message) || h.Script.Calls("first") != 0 {
						t.Errorf("%s: %s; want %q and no task", run.Status, run.Message, message)
					}
					return
				}
				if run.Prepared == nil || strings.Join(run.Prepared.Nodes["web"], " ") != row.want {
					t.Errorf("%s: %s; got %v, want %s", run.Status, run.Message, run.Prepared, row.want)
				}
			})
		})
	}
}

func TestCompat2017_connectivityIsTestedWhereItIsSaid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first, second string // test of the two sets
		silent        []string
		err           error
		want          string // of the failure
		seen          []string
	}{
		"no set":               {"false", "no", nil, nil, "", nil},
		"one set":              {"true", "false", nil, nil, "", []string{"ping r1 r2"}},
		"both, each node once": {"true", "yes", nil, nil, "", []string{"ping r1 r2 r3"}},
		"a silent node":        {"true", "false", []string{"r2"}, nil, "connectivity test: 1 of 2 nodes did not answer: r2", []string{"ping r1 r2"}},
		"no answer at all":     {"true", "false", nil, errors.New("the network is away"), "connectivity test: the network is away", []string{"ping r1 r2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWatchedHouse(t, func(t *testing.T, h *enginetest.House, w *witness, f *watchedFleet) {
				f.silent, f.err = row.silent, row.err
				h.Book("b", "nodes:\n  a: {type: list, nodes: [r1, r2], test: "+row.first+"}\n  b: {type: list, nodes: [r2, r3], test: "+row.second+"}\n  c: {type: list, nodes: [r4]}\ntasks: [{do: {name: one}}]\n")
				run := h.Finish(h.Start("b", nil))
				if !strings.Contains(run.Message, row.want) || (run.Status == engine.RunSuccess) != (row.want == "") {
					t.Errorf("%s: %s; want %q", run.Status, run.Message, row.want)
				}
				seen := slices.DeleteFunc(w.all(), func(line string) bool { return line == "discover" })
				if !slices.Equal(seen, row.seen) {
					t.Errorf("got %q, want %q", seen, row.seen)
				}
			})
		})
	}
}

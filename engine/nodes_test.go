//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestNodes_whoseNamesAreNoneStopTheRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"web 1", "web\\u0000", "web.*", "web.>", "<!channel>", "$(reboot)", "web;reboot", ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", `
nodes: {web: {type: list, nodes: [web1, "`+name+`"]}}
tasks: [{do: {name: one, nodes: "{{ nodes.web }}"}}]
`)
				run := h.Finish(h.Start("b", nil))
				if run.Status != engine.RunFailed || !strings.Contains(run.Message, "is not the name of a node") {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

// limit keeps the first nodes without a word; at_most refuses a set that is larger than its author expected.
func TestNodes_moreThanAtMostStopTheRun(t *testing.T) {
	t.Parallel()
	for bounds, want := range map[string]string{
		"at_most: 3":                        "",
		"at_most: 2":                        `node set "web": may have at most 2 nodes, found 3: web1, web2, web3`,
		`at_most: "{{ inputs.most }}"`:      `node set "web": may have at most 1 nodes, found 3: web1, web2, web3`,
		`at_most: "{{ inputs.most - 1 }}"`:  `node set "web": at_most is 0; it must be 1 or more`,
		"at_most: 2, limit: 1":              `node set "web": may have at most 2 nodes, found 3: web1, web2, web3`,
		`at_least: "{{ inputs.most + 3 }}"`: `node set "web": needs at least 4 nodes, found 3`,
		`limit: "{{ inputs.most }}"`:        "",
		`limit: "{{ inputs.most - 1 }}"`:    `node set "web": limit is 0; it must be 1 or more`,
	} {
		t.Run(bounds, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "inputs: {most: {type: Integer, default: 1}}\nnodes: {web: {type: list, nodes: [web1, web2, web3], "+bounds+"}}\ntasks: [{do: {name: one}}]\n")
				run := h.Finish(h.Start("b", nil))
				if got := run.Message; want != "" && (run.Status != engine.RunFailed || got != want) {
					t.Errorf("got %s: %q, want %q", run.Status, got, want)
				}
				if did := h.Script.Calls("one"); did > 0 != (want == "") {
					t.Errorf("the task ran %d times", did)
				}
			})
		})
	}
}

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

package commands

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// A pause does not hide what else keeps a run: resuming it alone would not let it go on.
func TestWaits_ofAPausedRunNamesWhatElseKeepsIt(t *testing.T) {
	t.Parallel()
	ana := engine.Actor{User: "ana", Name: "ana"}
	for name, row := range map[string]struct {
		change func(r *engine.Run)
		want   string
	}{
		"secrets": {func(r *engine.Run) { r.SecretsNeeded = []string{"token"} }, "token"},
		"a lock":  {func(r *engine.Run) { r.Awaits = &engine.LockAwaited{Lock: "s/deploy"} }, "It waits for the lock s/deploy"},
		"nodes": {func(r *engine.Run) {
			r.AwaitsNodes = &engine.NodesAwaited{Nodes: []string{"web1"}, Holder: engine.Holder{Since: time.Now()}}
		}, "It waits for web1"},
		"a word": {func(r *engine.Run) {
			r.Words = []engine.Word{{Actor: ana, Fact: engine.CancelRequested{Actor: ana}}}
		}, "ana wants to cancel the run; that counts as soon as it is looked up who they are"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &engine.Run{ID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Status: engine.RunWaiting, Pauses: []engine.Pause{{By: ana}}}
			row.change(r)
			got := Reply{Blocks: (&Commands{}).waits(ana, r)}.Text()
			if !strings.Contains(got, "Paused by") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want the pause and %q", got, row.want)
			}
		})
	}
}

package app_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
)

// described lets playbot know the agents of the fleet.
func described(_ *testing.T, l *app.Local) {
	l.Config.Choria.DDLs = []string{filepath.Join("..", "..", "..", "engine", "choria", "ddl", "testdata", "agents")}
}

func TestWebUpgrade_withDescribedAgents(t *testing.T) {
	t.Parallel()
	situation{
		gated: true, decide: "approve", executed: allTasks + succeeded, status: engine.RunSuccess, configure: described,
		after: func(t *testing.T, w *world) {
			t.Helper()
			upgraded(t, w)
			run := w.newest("web_upgrade")
			if got := run.Steps["tasks.4"].Message; !strings.HasSuffix(got, ": Revision: 3 × abc; Previous: 3 × 1.0.0") {
				t.Errorf("the upgrade says %q", got)
			}
		},
	}.play(t)
}

func TestNew_warnsOfDescriptionsThatAreUsedInPart(t *testing.T) {
	t.Parallel()
	local, err := app.StartLocal(t.Context(), app.LocalOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, local.Stop) })
	described(t, local)
	var log bytes.Buffer
	a, err := app.New(t.Context(), app.Options{Config: local.Config, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, a.Stop)
	for _, want := range []string{"a DDL is used in part", "puppet.json: actions.runonce.input.tags.validation"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log.String())
		}
	}
}

func TestNew_refusesADescriptionThatIsBroken(t *testing.T) {
	t.Parallel()
	local, err := app.StartLocal(t.Context(), app.LocalOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, local.Stop) })
	local.Config.Choria.DDLs = []string{filepath.Join("..", "..", "..", "docs", "schema")} // JSON, but of another kind
	a, err := app.New(t.Context(), app.Options{Config: local.Config})
	if err == nil {
		stop(t, a.Stop)
	}
	if err == nil || !strings.Contains(err.Error(), "playbook.json: metadata: it is missing; this is no DDL of an agent") {
		t.Errorf("it says %v", err)
	}
}

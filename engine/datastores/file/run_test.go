package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/file"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

const lockedBook = `
data_stores: {s: {type: file, file: s.yaml, format: yaml, create: true, timeout: 30}}
locks: [s/tier/bravo]
tasks: [{do: {name: one, effect: idempotent, pre_sleep: 10m}}]
`

// house is an engine on a real file, with the type file for stores in dir; it belongs into a bubble of virtual time.
func house(t *testing.T) (h *enginetest.House, dir string) {
	t.Helper()
	dir = t.TempDir()
	log, err := store.Open(filepath.Join(dir, "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	return enginetest.NewHouse(t, log, func(o *engine.Options) { o.Types.Stores = append(o.Types.Stores, file.Type(dir)) }), dir
}

func locked(t *testing.T, dir string) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "s.yaml.locks"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), "tier/bravo")
}

func TestRun_lockIsHeldOverARestartAndReleasedAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, dir := house(t)
		h.Book("b", lockedBook)
		id := h.Start("b", nil)
		time.Sleep(time.Minute)
		h.Stop()
		if !locked(t, dir) {
			t.Error("the end of the process has released the lock of a run that goes on")
		}
		h.Restart()
		if run := h.Finish(id); run.Status != engine.RunSuccess || locked(t, dir) {
			t.Errorf("%s: %s; locked at the end: %v", run.Status, run.Message, locked(t, dir))
		}
	})
}

func TestRun_waitsForTheLockAsLongAsTheStoreSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, dir := house(t)
		h.Book("b", lockedBook)
		first := h.Start("b", nil)
		time.Sleep(time.Minute)
		began := time.Now()
		second := h.Finish(h.Start("b", nil))
		if took := time.Since(began).Round(time.Second); second.Status != engine.RunFailed || took != 30*time.Second {
			t.Errorf("%s after %s: %s; want a failure after 30s", second.Status, took, second.Message)
		}
		if !strings.Contains(second.Message, first.Short()) || !strings.Contains(second.Message, "ana") {
			t.Errorf("%q does not name the holder %s", second.Message, first.Short())
		}
		if h.Finish(first).Status != engine.RunSuccess || locked(t, dir) {
			t.Error("the second run has disturbed the first")
		}
	})
}

func TestRun_savedInputIsReadByTheNextRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, dir := house(t)
		h.Book("b", `
data_stores: {s: {type: file, file: s.yaml, format: yaml, create: true}}
inputs:
  batch: {description: Batch, type: Integer, data: s/web/batch, save: true, default: 3, required: false}
tasks: [{do: {name: one, any: "{{ inputs.batch }}"}}]
`)
		h.Finish(h.Start("b", map[string]any{"batch": 1000000}))
		if data, err := os.ReadFile(filepath.Join(dir, "s.yaml")); err != nil || string(data) != "web/batch: 1000000\n" {
			t.Errorf("the file holds %q, %v", data, err)
		}
		run := h.Finish(h.Start("b", nil))
		if got := run.Steps["tasks.1"].Last().Properties["any"]; run.Status != engine.RunSuccess || fmt.Sprint(got) != "1000000" {
			t.Errorf("%s: the next run read %T %v", run.Message, got, got)
		}
	})
}

package memory_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/memory"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

func TestRun_takesItsLockAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		log, err := store.Open(filepath.Join(dir, "playbot.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		locks := memory.NewLocks()
		typ := memory.Type(locks)
		typ.Decode = func(p *playbooks.Properties) (engine.DataStore, error) { return memory.Type(locks).Decode(p) }
		h := enginetest.NewHouse(t, log, func(o *engine.Options) { o.Types.Stores = append(o.Types.Stores, typ) })
		h.Book("b", `
data_stores: {s: {type: memory, timeout: 30}}
locks: [s/tier]
tasks: [{do: {name: one, effect: idempotent, pre_sleep: 10m}}]
`)
		id := h.Start("b", nil)
		time.Sleep(time.Minute)
		h.Stop()
		locks = memory.NewLocks() // another process
		h.Restart()
		time.Sleep(time.Minute)
		if second := h.Finish(h.Start("b", nil)); second.Status == engine.RunSuccess {
			t.Error("two runs held one lock")
		}
		h.Finish(id)
	})
}

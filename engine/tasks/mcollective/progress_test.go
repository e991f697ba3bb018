package mcollective_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestRun_tellsHowFarItHasComeBatchByBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web1" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
		w.fleet.Fault(fleetsim.Fault{Node: "web3" + suffix, Kind: fleetsim.Silent})
		h.Book("b", `
tasks:
  - mcollective:
      action: rpcutil.ping
      nodes: [web1.example.net, web2.example.net, web3.example.net, web4.example.net, web5.example.net, web6.example.net]
      batch_size: 2
      batch_sleep_time: 1h
      max_failures: 6
`)
		id := h.Start("b", nil)
		for _, want := range []engine.Progress{
			{Of: 6, OK: 1, Failed: 1, Batch: 1, Batches: 3},
			{Of: 6, OK: 2, Failed: 1, Batch: 2, Batches: 3},
			{Of: 6, OK: 4, Failed: 1, Silent: 1, Batch: 3, Batches: 3},
		} {
			time.Sleep(30 * time.Minute) // in the middle between two batches
			synctest.Wait()
			got, ok := h.Engine.Progress(id)
			if want.Batch < 3 {
				time.Sleep(31 * time.Minute)
			}
			want.Path, want.Attempt, want.Began, want.BatchBegan = got.Path, got.Attempt, got.Began, got.BatchBegan
			if want.Batch == 3 { // the last batch is over at once, and the run with it
				if ok {
					t.Errorf("a run that is over is at %+v", got)
				}
				continue
			}
			if !ok || got != want || got.Path != "tasks.1" || got.Began.IsZero() || got.BatchBegan.Before(got.Began) {
				t.Errorf("got %+v, %t, want %+v", got, ok, want)
			}
		}
		h.Finish(id)
	})
}

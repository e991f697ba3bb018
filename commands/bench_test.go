package commands_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// BenchmarkDispatch_runToReply is command to ack: from a line to the reply that says that the run
// was started, which is when the request is on disk. The run ends before the next line. The rate of
// a disk means nothing by itself, and on a shared machine it changes by the second, so each line has
// a raw write of 4 KiB that reaches the disk right beside it: x_raw is the ratio of the medians.
func BenchmarkDispatch_runToReply(b *testing.B) {
	c, e := newDesk(b)
	write := enginetest.RawWriter(b)
	var replies, writes []time.Duration
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		r := c.Say(b.Context(), commands.Request{
			Key: fmt.Sprint("line/", i), Actor: actor("ana"), Origin: engine.OriginTyped,
			Text: `run web_upgrade tier=bravo rev="v 2" hosts=web1,web2 parallel=2`,
		})
		replies = append(replies, time.Since(began))
		b.StopTimer()
		if r.Code != "" || r.Run == "" {
			b.Fatalf("refused: %s", r.Text())
		}
		if err := e.Cancel(b.Context(), r.Run, actor("ana"), ""); err != nil {
			b.Fatal(err)
		}
		if _, err := e.Wait(b.Context(), r.Run); err != nil {
			b.Fatal(err)
		}
		writes = append(writes, write())
		b.StartTimer()
	}
	slices.Sort(replies)
	slices.Sort(writes)
	reply, raw := replies[len(replies)/2], writes[len(writes)/2]
	b.ReportMetric(float64(reply.Nanoseconds()), "median-ns")
	b.ReportMetric(float64(raw.Nanoseconds()), "raw-median-ns")
	b.ReportMetric(float64(reply)/float64(raw), "x_raw")
}

// newDesk returns commands on a real engine and a real file, in real time.
func newDesk(tb testing.TB) (*commands.Commands, *engine.Engine) {
	tb.Helper()
	log, err := store.Open(filepath.Join(tb.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = log.Close() })
	var library *playbooks.Library
	h := enginetest.NewHouse(tb, log, func(o *engine.Options) {
		if o.Policy, err = policy.New(rules()); err != nil {
			tb.Fatal(err)
		}
		if library, err = playbooks.OpenLibrary("testdata/playbooks", o.Types); err != nil {
			tb.Fatal(err)
		}
		o.Books = library
	})
	h.Script.On("check", func(context.Context, int, *engine.Call) (engine.Result, error) { return engine.Result{}, nil })
	c, err := commands.New(commands.Deps{Engine: h.Engine, History: log, Books: library})
	if err != nil {
		tb.Fatal(err)
	}
	return c, h.Engine
}

package bot

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

const (
	ackRate   = 200                    // commands a second
	ackActive = 50                     // runs that are active meanwhile
	ackSync   = 200 * time.Millisecond // that the disk takes to sync
)

// Commands are acknowledged in time while the disk is slow and many runs write: what a command waits for is
// the commit that is under way, and its own; the first ones of a version of a playbook wait for two of each,
// because its text is kept first. Time is virtual here, so that this is about queues alone; for
// the numbers of a machine see BenchmarkAck_slowDisk.
func TestAck_comesInTimeThoughTheDiskIsSlow(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.twoSockets()
		s.book("long", fiveSteps)
		s.slowSteps(2 * time.Second)
		s.book("gated", "leases: none\ntasks: [{do: {name: gated, destructive: true}}]")
		for range ackActive {
			s.slash("ana", "#ops", "run long")
		}
		took, refused := askAtRate(s.tb, s.ws, 4*time.Second)
		if refused != 0 {
			t.Errorf("%d commands were dropped", refused)
		}
		slices.Sort(took)
		t.Logf("%d commands: half in %s, 99 of 100 in %s, all in %s", len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
		const commit = 2 * ackSync // it waits for the disk twice
		if last := took[len(took)-1]; last > 4*commit+100*time.Millisecond {
			t.Errorf("a command was acknowledged after %s", last)
		}
		s.stopWithin(0) // drawing a thousand cards takes Slack a quarter of an hour
	}, setting{store: func(o *store.Options) { o.SlowSync = ackSync }})
}

// askAtRate asks for runs at the rate. It returns how long each command waited for its ack, and how many got
// none: they were dropped, and their sender was told to try again.
func askAtRate(tb testing.TB, ws *workspace.Server, during time.Duration) (took []time.Duration, dropped int64) {
	tb.Helper()
	n := int(during.Seconds()) * ackRate
	took = make([]time.Duration, n)
	var none atomic.Int64
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / ackRate)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		wg.Go(func() {
			began := time.Now()
			m, err := ws.Slash(tb.Context(), "ana", "#deploys", "/playbook run gated")
			if took[i] = time.Since(began); err != nil {
				none.Add(1)
			} else if text := ws.PlainText(*m); !has(text, "Started gated") {
				tb.Errorf("command %d was answered with %q", i, text)
			}
		})
	}
	wg.Wait()
	return took, none.Load()
}

// BenchmarkAck_slowDisk is the same with a real socket, file and clock: what people wait for the answer to a
// command when 200 a second come, 50 runs are active and each sync of the disk takes 200 ms longer.
func BenchmarkAck_slowDisk(b *testing.B) {
	ws := ackDesk(b)
	var took []time.Duration
	var dropped int64
	for b.Loop() {
		some, none := askAtRate(b, ws, 5*time.Second)
		took, dropped = append(took, some...), dropped+none
	}
	slices.Sort(took)
	ms := func(part int) float64 { return float64(took[min(len(took)*part/1000, len(took)-1)].Milliseconds()) }
	b.ReportMetric(ms(500), "ms-to-ack-p50")
	b.ReportMetric(ms(990), "ms-to-ack-p99")
	b.ReportMetric(ms(999), "ms-to-ack-p99.9")
	b.ReportMetric(ms(1000), "ms-to-ack-max")
	b.ReportMetric(float64(dropped), "not-acked")
}

// ackDesk is a bot in real time on a slow disk, with runs that are active.
func ackDesk(b *testing.B) *workspace.Server {
	b.Helper()
	opts := testWorkspace()
	opts.Logger = testLogger()
	ws := workspace.New(opts)
	if err := ws.Listen(b.Context(), "127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(ws.Stop)
	log, err := store.Open(filepath.Join(b.TempDir(), "playbot.db"), store.Options{SlowSync: ackSync})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	h := enginetest.NewHouse(b, log)
	books := &shelf{}
	c, err := commands.New(commands.Deps{Engine: h.Engine, History: log, Books: books})
	if err != nil {
		b.Fatal(err)
	}
	bot, err := New(Options{
		BotToken: ws.BotToken(), AppToken: ws.AppToken(), APIURL: ws.APIURL(), Commands: c, Runs: h.Engine, Feed: log, OpsChannel: "#ops", Logger: testLogger(),
	})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- bot.Run(context.Background()) }()
	b.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel() // drawing thousands of cards takes Slack its time
		bot.Stop(now)
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	if err := ws.Until(b.Context(), func() bool { return ws.Connected() == sockets }); err != nil {
		b.Fatal(err)
	}
	books.add(h.Book("gated", "leases: none\ntasks: [{do: {name: gated, destructive: true}}]"))
	books.add(h.Book("busy", "leases: none\ntasks:\n"+strings.Repeat("  - do: {name: busy}\n", 200)))
	h.Script.On("busy", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
		select {
		case <-time.After(time.Second):
			return engine.Result{Message: "done"}, nil
		case <-ctx.Done():
			return engine.Result{}, context.Cause(ctx)
		}
	})
	for range ackActive {
		if _, err := ws.Slash(b.Context(), "ana", "#ops", "/playbook run busy"); err != nil {
			b.Fatal(err)
		}
	}
	return ws
}

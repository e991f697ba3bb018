package engine_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/tasks/shell"
	"github.com/playbot/playbot/store"
)

// Rates of a disk and of a machine mean nothing by themselves, and on a shared one they change by the
// second: the benchmarks report ratios to raw work of the same kind that is done in turn with theirs.

// steps is how many tasks a run of the step benchmarks has.
const steps = 50

func benchHouse(b *testing.B) (*enginetest.House, *store.Store) {
	b.Helper()
	log, err := store.Open(filepath.Join(b.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	h := enginetest.NewHouse(b, log, func(o *engine.Options) { o.Types.Tasks = append(o.Types.Tasks, shell.Type()) })
	return h, log
}

func manySteps(h *enginetest.House, name, task string) {
	body := "tasks:\n"
	for range steps {
		body += "  - " + task + "\n"
	}
	h.Book(name, body)
}

// BenchmarkStep_overhead is what the engine adds to a task that does nothing; one operation is one step.
func BenchmarkStep_overhead(b *testing.B) {
	h, _ := benchHouse(b)
	manySteps(h, "b", "do: {name: one}")
	raw := rawWrites(b)
	perStep := runSteps(b, h, raw)
	b.ReportMetric(micro(median(perStep)), "µs/step")
	b.ReportMetric(micro(median(raw.took)), "µs/raw_write")
	b.ReportMetric(ratio(perStep, raw.took), "x_raw")
}

// BenchmarkStep_true is a step that runs `true`; a step makes one commit of its own.
func BenchmarkStep_true(b *testing.B) {
	h, log := benchHouse(b)
	manySteps(h, "b", `shell: {command: ["true"]}`)
	fork, commit := forks(b), commits(b, log)
	perStep := runSteps(b, h, fork, commit)
	b.ReportMetric(micro(median(perStep)), "µs/step")
	b.ReportMetric(micro(median(fork.took)), "µs/fork")
	b.ReportMetric(micro(median(commit.took)), "µs/commit")
	b.ReportMetric(ratio(perStep, fork.took), "x_fork")
	for i := range perStep {
		perStep[i] -= commit.took[i]
	}
	b.ReportMetric(ratio(perStep, fork.took), "x_fork_without_commit")
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median[N time.Duration | float64](list []N) N {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// ratio is the median of the ratios of what was measured side by side.
func ratio(ours, raw []time.Duration) float64 {
	all := make([]float64, len(ours))
	for i := range ours {
		all[i] = float64(ours[i]) / float64(raw[i])
	}
	return median(all)
}

// gauge is raw work that is measured in turn with what is compared to it.
type gauge struct {
	work func()
	took []time.Duration // the median of each turn
}

func (g *gauge) measure() {
	turn := make([]time.Duration, 25)
	for i := range turn {
		began := time.Now()
		g.work()
		turn[i] = time.Since(began)
	}
	g.took = append(g.took, median(turn))
}

// runSteps runs playbook b until b.N steps are done, and returns the time of a step in each run.
func runSteps(b *testing.B, h *enginetest.House, beside ...*gauge) []time.Duration {
	b.Helper()
	var perStep []time.Duration
	b.ResetTimer()
	for len(perStep)*steps < b.N {
		began := time.Now()
		if run := h.Finish(h.Start("b", nil)); run.Status != engine.RunSuccess {
			b.Fatalf("got %s: %s", run.Status, run.Message)
		}
		perStep = append(perStep, time.Since(began)/steps)
		b.StopTimer()
		for _, g := range beside {
			g.measure()
		}
		b.StartTimer()
	}
	b.StopTimer()
	return perStep
}

// BenchmarkStart_100AtOnce is 100 requests at the same moment, until the last of the runs has ended.
func BenchmarkStart_100AtOnce(b *testing.B) {
	h, _ := benchHouse(b)
	h.Book("b", threeTasks)
	key := 0
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			key++
			q := engine.StartRequest{Key: fmt.Sprint(key), Actor: h.Ana, Playbook: "b"}
			wg.Go(func() {
				id, err := h.Engine.Start(b.Context(), q)
				if err != nil {
					b.Error(err)
					return
				}
				if run, err := h.Engine.Wait(b.Context(), id); err != nil || run.Status != engine.RunSuccess {
					b.Errorf("run %s is lost: %v", id.Short(), err)
				}
			})
		}
		wg.Wait()
	}
	if n := h.Script.Calls("three"); n != key {
		b.Errorf("%d of %d runs came to their last task", n, key)
	}
	b.ReportMetric(float64(key-h.Script.Calls("three")), "lost")
}

func BenchmarkFold_10000Events(b *testing.B) {
	events := []engine.Event{{Stream: "run/01X", Payload: engine.RunRequested{Key: "k"}}}
	for i := 1; len(events) < 10_000; i++ {
		path := engine.Path(fmt.Sprintf("tasks.%d", i))
		for _, f := range []engine.Payload{
			engine.TaskBegun{Path: path, Tries: 1},
			engine.AttemptStarted{Path: path, Attempt: 1, Key: "k"},
			engine.AttemptEnded{Path: path, Attempt: 1, OK: true},
			engine.TaskEnded{Path: path, Status: engine.TaskOK},
		} {
			events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(len(events) + 1), Payload: f})
		}
	}
	for b.Loop() {
		r := &engine.Run{}
		for _, e := range events[:10_000] {
			r.Apply(e)
		}
	}
}

// BenchmarkResume_1000Runs is a start with a thousand runs that wait at a gate, until each waits again.
func BenchmarkResume_1000Runs(b *testing.B) {
	const runs = 1000
	h, log := benchHouse(b)
	h.Book("b", "inputs: {n: {description: Servers, type: String, required: true}}\n"+
		strings.Replace(gatedBook, "[web1, web2]", `["{{ inputs.n }}a", "{{ inputs.n }}b"]`, 1)) // each has nodes of its own
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			if _, err := h.Engine.Start(b.Context(), engine.StartRequest{Key: fmt.Sprint(i), Actor: h.Ana, Playbook: "b", Inputs: map[string]any{"n": fmt.Sprint("web", i)}}); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	waitIdle(b, h)
	open, err := log.Unfinished(b.Context())
	if err != nil || len(open) != runs {
		b.Fatalf("%d runs are open (%v), want %d", len(open), err, runs)
	}
	for b.Loop() {
		b.StopTimer()
		h.Stop()
		b.StartTimer()
		h.Restart()
		waitIdle(b, h)
	}
}

// waitIdle returns when every run waits for somebody, and so has no goroutine.
func waitIdle(b *testing.B, h *enginetest.House) {
	b.Helper()
	for h.Engine.Working() > 0 {
		time.Sleep(100 * time.Microsecond)
	}
}

// rawWrites is one write of 4 KiB that reaches the disk.
func rawWrites(b *testing.B) *gauge {
	b.Helper()
	write := enginetest.RawWriter(b)
	return &gauge{work: func() { write() }}
}

// forks is one fork and exec of `true`.
func forks(b *testing.B) *gauge {
	b.Helper()
	return &gauge{work: func() {
		if err := exec.CommandContext(b.Context(), "true").Run(); err != nil {
			b.Fatal(err)
		}
	}}
}

// commits is one append by a lone caller.
func commits(b *testing.B, log engine.Log) *gauge {
	b.Helper()
	fact := engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: engine.Once, Key: "k"}
	return &gauge{work: func() {
		if _, err := log.Append(b.Context(), engine.BotStream, engine.AnySeq, fact); err != nil {
			b.Fatal(err)
		}
	}}
}

package choria_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// clientEnv names a broker: then this program is a client alone; see BenchmarkCall_memory.
const clientEnv = "PLAYBOT_BENCH_CLIENT"

// memoryNodes is how many nodes the client asks.
const memoryNodes = 10_000

// BenchmarkCall_memory has a process of its own ask 10,000 nodes three times, and reports the most memory that it
// has had resident: MB-start when it was connected, MB-peak after the calls. Only Linux tells.
func BenchmarkCall_memory(b *testing.B) {
	f, err := fleetsim.Start(b.Context(), fleetsim.Options{Listen: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.Stop)
	c, err := choria.Connect(b.Context(), choria.Options{Servers: []string{f.URL()}, Insecure: true, Collective: "canned"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	newCanned(b, f, c, memoryNodes)
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), os.Args[0]) // ourselves
		cmd.Env = append(os.Environ(), clientEnv+"="+f.URL())
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		var start, peak float64
		if _, err := fmt.Sscan(string(out), &start, &peak); err != nil {
			b.Fatalf("%v: %q", err, out)
		}
		b.ReportMetric(start/1024, "MB-start")
		b.ReportMetric(peak/1024, "MB-peak")
	}
}

// callAlone is the client of BenchmarkCall_memory.
func callAlone(ctx context.Context, url string) error {
	c, err := choria.Connect(ctx, choria.Options{Servers: []string{url}, Insecure: true, Collective: "canned"})
	if err != nil {
		return err
	}
	defer c.Close()
	start := peakKiB()
	q := choria.Request{Agent: "rpcutil", Action: "ping", ID: benchID, Nodes: cannedNodes(memoryNodes)}
	for range 3 {
		if res, err := c.Call(ctx, q); err != nil || len(res.Replies) != memoryNodes {
			return fmt.Errorf("%s, %w", account(res), err)
		}
	}
	_, err = fmt.Fprintln(os.Stdout, start, peakKiB())
	return err
}

// peakKiB is VmHWM. It is not the maximum of getrusage, in which the parent counts.
func peakKiB() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			return n
		}
	}
	return 0
}

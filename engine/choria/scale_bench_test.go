package choria_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// BenchmarkCallOfFleet asks 500, 2,000 and 10,000 nodes directly, and compares with a bare NATS loop of
// the same payloads: as many messages with the bytes of our request, answered by the same program with
// the same bytes, all sent before the first is awaited, and none of them read. The replies are made
// beforehand, so that what differs is the client's work. x-bare is the ratio of medians; x-bare-cpu the same for the
// processor's time of the process, with broker and nodes, which hardly depends on what else the machine does.
func BenchmarkCallOfFleet(b *testing.B) {
	for _, nodes := range []int{500, 2_000, 10_000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) { benchFleet(b, nodes) })
	}
}

// benchID is the request for which the replies are made.
var benchID = strings.Repeat("b", 32)

func benchFleet(b *testing.B, nodes int) {
	b.Helper()
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
	l, names := newCanned(b, f, c, nodes)
	var ours, bare, oursCPU, bareCPU []time.Duration
	q := ping(names...)
	q.ID = benchID
	peak := watchHeap()
	for b.Loop() {
		began, cpu := time.Now(), processorTime(b)
		res, err := c.Call(b.Context(), q)
		if err != nil || len(res.Replies) != nodes {
			b.Fatalf("%v, %s", err, account(res))
		}
		ours, oursCPU = append(ours, time.Since(began)), append(oursCPU, processorTime(b)-cpu)
		b.StopTimer() // taken in turns, so that what else the machine does hits both
		cpu = processorTime(b)
		bare = append(bare, l.pipelined(b))
		bareCPU = append(bareCPU, processorTime(b)-cpu)
		b.StartTimer()
	}
	b.ReportMetric(float64(median(ours))/float64(median(bare)), "x-bare")
	b.ReportMetric(float64(median(oursCPU))/float64(median(bareCPU)), "x-bare-cpu")
	b.ReportMetric(float64(median(ours).Microseconds()), "us-median")
	b.ReportMetric(float64(peak())/(1<<20), "MiB-heap") // with broker and nodes
}

// processorTime of this process so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// newCanned subscribes nodes whose replies are ready, and returns the bare loop that asks the same nodes.
func newCanned(b *testing.B, f *fleetsim.Fleet, c *choria.Client, nodes int) (*bareLoop, []string) {
	b.Helper()
	l := &bareLoop{replies: make(chan *nats.Msg, nodes)}
	replies, names := make(map[string][]byte, nodes), cannedNodes(nodes)
	for _, name := range names {
		msg, err := wire.EncodeReply(wire.Reply{
			ID: benchID, Sender: name, Agent: "rpcutil", Time: time.Now(), Via: f.URL(),
			Payload: fmt.Sprintf(`{"action":"ping","statuscode":0,"statusmsg":"OK","data":{"pong":%d}}`, time.Now().Unix()),
		})
		if err != nil {
			b.Fatal(err)
		}
		subject := wire.NodeSubject("canned", name)
		replies[subject] = msg
		l.subjects = append(l.subjects, subject)
	}
	responder := benchConn(b, f)
	ours := wire.ReplySubject("canned", "choria=playbot.mcollective", benchID)
	var asked []byte
	sub, err := responder.Subscribe(wire.NodeSubject("canned", ">"), func(m *nats.Msg) {
		to := m.Reply
		if to == "" { // a request of Choria names the subject inside
			asked, to = m.Data, ours
		}
		_ = responder.Publish(to, replies[m.Subject])
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		b.Fatal(err)
	}
	l.conn = benchConn(b, f)
	if _, err := l.conn.ChanSubscribe("bare.reply", l.replies); err != nil {
		b.Fatal(err)
	}
	for _, conn := range []*nats.Conn{responder, l.conn} {
		if err := conn.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	q := ping(names[0])
	q.ID = benchID
	if _, err := c.Call(b.Context(), q); err != nil {
		b.Fatal(err)
	}
	l.request = slices.Clone(asked)
	return l, names
}

func cannedNodes(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("node%05d.example.net", i+1)
	}
	return names
}

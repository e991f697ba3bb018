package choria_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

const benchNodes = 1000

// BenchmarkCall asks 1,000 simulated nodes and compares with the least that the network allows: as
// many bare messages of the same sizes to and fro over the same broker, with nothing written or
// read. "x-bare" is the ratio. "x-bare-sequential" compares with the plain request/reply loop that
// waits for each answer before it asks the next.
func BenchmarkCall(b *testing.B) {
	f, c := benchNetwork(b)
	names := make([]string, 0, benchNodes)
	for _, n := range f.Nodes() {
		names = append(names, n.Name)
	}
	bare := newBareLoop(b, f, names)
	var ours, pipelined, sequential time.Duration
	rounds := 0
	for b.Loop() {
		began := time.Now()
		res, err := c.Call(b.Context(), ping(names...))
		if err != nil || len(res.Replies) != benchNodes {
			b.Fatalf("%v, %s", err, account(res))
		}
		ours += time.Since(began)
		b.StopTimer() // taken in turns, so that what else the machine does hits all of them
		pipelined += bare.pipelined(b)
		sequential += bare.sequential(b)
		rounds++
		b.StartTimer()
	}
	b.ReportMetric(float64(ours)/float64(pipelined), "x-bare")
	b.ReportMetric(float64(ours)/float64(sequential), "x-bare-sequential")
	b.ReportMetric(float64(pipelined.Microseconds())/float64(rounds), "us-bare/op")
}

// BenchmarkIdle measures the heap that a connected client holds while nothing is asked.
func BenchmarkIdle(b *testing.B) {
	const clients = 20
	f, _ := benchNetwork(b)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // a second one, for what the first has let go
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	for b.Loop() {
		before := heap()
		open := make([]*choria.Client, clients)
		for i := range open {
			open[i] = benchClient(b, f)
		}
		b.ReportMetric(float64(heap()-before)/clients/1024, "KiB/client") // with its half of the broker
		for _, c := range open {
			c.Close()
		}
	}
}

func benchNetwork(b *testing.B) (*fleetsim.Fleet, *choria.Client) {
	b.Helper()
	f, err := fleetsim.Start(b.Context(), fleetsim.Options{Nodes: fleetsim.Plain(benchNodes), Listen: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.Stop)
	return f, benchClient(b, f)
}

func benchClient(b *testing.B, f *fleetsim.Fleet) *choria.Client {
	b.Helper()
	c, err := choria.Connect(b.Context(), choria.Options{Servers: []string{f.URL()}, Insecure: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

// bareLoop sends messages of the sizes of a call and its replies.
type bareLoop struct {
	conn     *nats.Conn
	replies  chan *nats.Msg
	subjects []string
	request  []byte
}

func newBareLoop(b *testing.B, f *fleetsim.Fleet, names []string) *bareLoop {
	b.Helper()
	request, answer := sizes(b, f, names[0])
	l := &bareLoop{replies: make(chan *nats.Msg, len(names)), request: make([]byte, request)}
	for _, n := range names {
		l.subjects = append(l.subjects, "bare.node."+n)
	}
	payload := make([]byte, answer)
	responder := benchConn(b, f)
	if _, err := responder.Subscribe("bare.node.>", func(m *nats.Msg) { _ = responder.Publish(m.Reply, payload) }); err != nil {
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
	return l
}

func benchConn(b *testing.B, f *fleetsim.Fleet) *nats.Conn {
	b.Helper()
	conn, err := nats.Connect(f.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(conn.Close)
	return conn
}

// sizes listens to one call and returns the size of its request and of its reply.
func sizes(b *testing.B, f *fleetsim.Fleet, node string) (request, reply int) {
	b.Helper()
	conn, c := benchConn(b, f), benchClient(b, f)
	defer conn.Close() // what it hears would count
	defer c.Close()
	asked, err := conn.SubscribeSync("mcollective.node.>")
	if err != nil {
		b.Fatal(err)
	}
	answered, err := conn.SubscribeSync("mcollective.reply.>")
	if err != nil {
		b.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Call(b.Context(), ping(node)); err != nil {
		b.Fatal(err)
	}
	var size [2]int
	for i, sub := range []*nats.Subscription{asked, answered} {
		m, err := sub.NextMsg(time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		size[i] = len(m.Data)
	}
	return size[0], size[1]
}

func (l *bareLoop) pipelined(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	for _, subject := range l.subjects {
		if err := l.conn.PublishRequest(subject, "bare.reply", l.request); err != nil {
			b.Fatal(err)
		}
	}
	for range l.subjects {
		<-l.replies
	}
	return time.Since(began)
}

func (l *bareLoop) sequential(b *testing.B) time.Duration {
	b.Helper()
	began := time.Now()
	for _, subject := range l.subjects {
		if _, err := l.conn.RequestWithContext(b.Context(), subject, l.request); err != nil {
			b.Fatal(fmt.Errorf("%s: %w", strings.TrimPrefix(subject, "bare.node."), err))
		}
	}
	return time.Since(began)
}

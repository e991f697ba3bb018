package choria_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// payloads that a hostile or broken server may send, and whether they are answers.
func hostilePayloads() []struct {
	name, payload string
	answer        bool
} {
	return []struct {
		name, payload string
		answer        bool
	}{
		{"good", `{"statuscode":0,"statusmsg":"OK","data":{"pong":1}}`, true},
		{"5 MB", `{"statuscode":0,"data":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`, false},
		{"1 MB of text in the status", `{"statuscode":1,"statusmsg":"` + strings.Repeat("x", 500_000) + `"}`, true},
		{"a map in a map 20,000 times", `{"data":` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000) + `}`, false},
		{"a list in a list 9,000 times", `{"data":{"a":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}}`, true},
		{"40,000 maps", `{"data":{"a":[` + strings.Repeat(`{"":0},`, 40_000) + `{}]}}`, true},
		{"status is text", `{"statuscode":"0"}`, false},
		{"status is too large", `{"statuscode":1e99}`, false},
		{"data is a list", `{"data":[1]}`, false},
		{"data is a number", `{"data":1}`, false},
		{"text is a map", `{"statusmsg":{}}`, false},
		{"control characters", "{\"statusmsg\":\"\x00\x1b[2J\"}", false},
		{"control characters, escaped", `{"statuscode":0,"statusmsg":"\u0000\u001b[2J","data":{"\u0007":"\u202e"}}`, true},
		{"no UTF-8", "{\"statusmsg\":\"\xff\xfe\"}", true},
		{"nothing", "", false},
		{"cut off", `{"statuscode":0,"data":{"a":`, false},
	}
}

// hostiles answers requests to any node with the payload of its choice.
type hostiles struct {
	conn *nats.Conn
	pick func(node string) string
}

func newHostiles(tb testing.TB, f *fleetsim.Fleet, collective string, pick func(node string) string) {
	tb.Helper()
	url, opts := f.URL(), []nats.Option(nil)
	if url == "" {
		url, opts = nats.DefaultURL, []nats.Option{nats.InProcessServer(f)}
	}
	conn, err := nats.Connect(url, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	h := &hostiles{conn: conn, pick: pick}
	var last []byte
	var req wire.Request
	if _, err := conn.Subscribe(wire.NodeSubject(collective, ">"), func(m *nats.Msg) {
		if !bytes.Equal(m.Data, last) {
			var err error
			if req, err = wire.DecodeRequest(m.Data, wire.Insecure{}); err != nil {
				tb.Error(err)
			}
			last = m.Data
		}
		h.answer(tb, strings.TrimPrefix(m.Subject, wire.NodeSubject(collective, "")), req)
	}); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	if err := conn.FlushWithContext(ctx); err != nil { // not with a timer of nats.go: see fleetsim
		tb.Fatal(err)
	}
}

func (h *hostiles) answer(tb testing.TB, node string, req wire.Request) {
	tb.Helper()
	msg, err := wire.EncodeReply(wire.Reply{ID: req.ID, Sender: node, Agent: req.Agent, Time: time.Now(), Payload: h.pick(node)})
	if err == nil {
		err = h.conn.Publish(req.ReplyTo, msg)
	}
	if err != nil && !h.conn.IsClosed() {
		tb.Error(err)
	}
}

func TestCall_hostileRepliesAreNoAnswersAndNoCrash(t *testing.T) {
	t.Parallel()
	rows := hostilePayloads()
	var nodes, want []string
	payload := map[string]string{}
	for i, row := range rows {
		n := fmt.Sprintf("node%02d", i)
		nodes = append(nodes, n)
		payload[n] = row.payload
		if row.answer {
			want = append(want, n)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := start(t, fleetsim.Options{})
		c := connect(t, choria.Options{InProcess: f, Insecure: true, Collective: "hostile"})
		newHostiles(t, f, "hostile", func(n string) string { return payload[n] })
		res, err := c.Call(t.Context(), ping(nodes...))
		var got []string
		for _, r := range res.Replies {
			got = append(got, r.Sender)
		}
		if err != nil || !slices.Equal(got, want) || res.Malformed != len(rows)-len(want) || len(res.Silent) != len(rows)-len(want) {
			t.Errorf("got %v, %s, answers of %v; want those of %v", err, account(res), got, want)
		}
	})
}

func TestCall_keepsNoMoreThanThereIsRoomForAndSaysSo(t *testing.T) {
	t.Parallel()
	const total = 40
	f := start(t, fleetsim.Options{Listen: true})
	c := connect(t, choria.Options{Servers: []string{f.URL()}, Insecure: true, Collective: "hostile", Timeout: time.Minute})
	large := `{"statuscode":1,"statusmsg":"` + strings.Repeat("€", 1000) + `","data":{"a":[` + strings.Repeat(`{"":0},`, 9_999) + `{"":0}]}}` // 3 to 4 MB when decoded
	newHostiles(t, f, "hostile", func(string) string { return large })
	var nodes []string
	for i := range total {
		nodes = append(nodes, fmt.Sprintf("node%02d", i))
	}
	q, whole := ping(nodes...), 0
	q.OnReply = func(r choria.Reply) {
		if list, _ := r.Data["a"].([]any); len(list) == 10_000 && !r.Trimmed {
			whole++
		}
	}
	q.BatchSize = 10
	res, err := c.Call(t.Context(), q)
	if err != nil || len(res.Replies) != total || whole != total || res.Trimmed < total/4 || res.Trimmed > total-5 {
		t.Fatalf("got %v, %s; want all %d answers, all %d seen whole, and some of them trimmed", err, account(res), total, whole)
	}
	trimmed := 0
	for _, r := range res.Replies {
		switch {
		case r.StatusCode != 1:
			t.Errorf("%s has status %d", r.Sender, r.StatusCode)
		case r.Trimmed:
			trimmed++
			if r.Data != nil || len(r.StatusMsg) > 300 || !strings.HasPrefix(r.StatusMsg, "€€") {
				t.Errorf("%s: %d bytes of text and %d keys are kept", r.Sender, len(r.StatusMsg), len(r.Data))
			}
		case len(r.Data) != 1:
			t.Errorf("%s has lost its data and does not say so", r.Sender)
		}
	}
	if trimmed != res.Trimmed {
		t.Errorf("%d replies are trimmed, %d are counted", trimmed, res.Trimmed)
	}
}

// BenchmarkCall_hostile asks 10,000 nodes that all answer what becomes large when it is decoded, and
// some 5 MB; it fails when the heap of the process, with broker and nodes, exceeds 256 MiB.
func BenchmarkCall_hostile(b *testing.B) {
	const total, most = 10_000, 256
	f, err := fleetsim.Start(b.Context(), fleetsim.Options{Listen: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.Stop)
	c, err := choria.Connect(b.Context(), choria.Options{Servers: []string{f.URL()}, Insecure: true, Collective: "hostile"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	amplified := `{"statuscode":0,"data":{"a":[` + strings.Repeat(`{"":0},`, 2_000) + `0]}}`
	widest := `{"statuscode":0,"data":{"a":[` + strings.Repeat(`{"":0},`, 60_000) + `0]}}`
	huge := `{"statuscode":0,"data":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
	newHostiles(b, f, "hostile", func(n string) string {
		switch {
		case strings.HasSuffix(n, "77"):
			return widest
		case n == "node00555":
			return huge
		}
		return amplified
	})
	var nodes []string
	for i := range total {
		nodes = append(nodes, fmt.Sprintf("node%05d", i))
	}
	for b.Loop() {
		peak := watchHeap()
		q := ping(nodes...)
		q.BatchSize, q.Timeout = 1000, 3*time.Second
		res, err := c.Call(b.Context(), q)
		mib := float64(peak()) / (1 << 20)
		b.ReportMetric(mib, "MiB-peak")
		b.ReportMetric(float64(res.Trimmed), "trimmed")
		b.ReportMetric(float64(res.Dropped), "dropped")
		if n := len(res.Replies) + len(res.Silent) + len(res.Unknown); err != nil || n != total || mib > most {
			b.Fatalf("got %v, %s, a heap of %.0f MiB; want %d nodes and at most %d MiB", err, account(res), mib, total, most)
		}
	}
}

// watchHeap looks at the heap every few milliseconds until its result is called, which returns the largest size in bytes.
func watchHeap() func() uint64 {
	var peak uint64
	var wg sync.WaitGroup
	quit := make(chan struct{})
	wg.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-tick.C:
			case <-quit:
				return
			}
		}
	})
	return func() uint64 {
		close(quit)
		wg.Wait()
		return peak
	}
}

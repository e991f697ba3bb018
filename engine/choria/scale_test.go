package choria_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// TestCall_tenThousandNodesAreEachClassifiedRight lets of 10,000 nodes 1 % keep silent, 2 % fail, 5 %
// answer twice, 1 % be slow, another 1 % too slow, 0.1 % answer what cannot be read, and some under
// another name or to another request.
func TestCall_tenThousandNodesAreEachClassifiedRight(t *testing.T) {
	t.Parallel()
	const total, batches = 10_000, 4
	shares := []struct {
		kind    fleetsim.Kind
		percent float64
		delay   time.Duration
		class   string
	}{
		{fleetsim.Silent, 1, 0, "silent"},
		{fleetsim.Fail, 2, 0, "failed"},
		{fleetsim.Duplicate, 5, 0, "ok"},
		{fleetsim.Slow, 1, 10 * time.Second, "ok"},
		{fleetsim.Late, 1, 30 * time.Second, "silent"}, // while the next batch is asked
		{fleetsim.Malformed, 0.1, 0, "silent"},
		{fleetsim.Stranger, 0.2, 0, "silent"},
		{fleetsim.WrongRequestID, 0.3, 0, "silent"},
	}
	bubble(t, fleetsim.Plain(total), func(t under) {
		var nodes []string
		for _, n := range t.fleet.Nodes() {
			nodes = append(nodes, n.Name)
		}
		want := make(map[string]string, total)
		at, late := 0, 0 // late: after those of the last batch nobody waits
		for _, share := range shares {
			for range int(share.percent * total / 100) {
				i := at * 7919 % total // all over the fleet, so that every batch has its part
				n := nodes[i]
				at++
				t.fleet.Fault(fleetsim.Fault{Node: n, Kind: share.kind, Delay: share.delay})
				want[n] = share.class
				if share.kind == fleetsim.Late && i < total-total/batches {
					late++
				}
			}
		}
		res, err := t.client.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: nodes, BatchSize: total / batches})
		counts := fmt.Sprintf("ok 9540 failed 200 silent 260 unasked 0 stranger 20 duplicate 500 malformed 10 late %d other 30", late)
		if err != nil || account(res) != counts {
			t.Errorf("got %v, %s; want %s", err, account(res), counts)
		}
		wrong := 0
		for n, got := range classes(res) {
			class := want[n]
			if class == "" {
				class = "ok"
			}
			if got != class {
				if wrong++; wrong < 10 {
					t.Errorf("%s is %s, want %s", n, got, class)
				}
			}
		}
		if n := len(res.Replies) + len(res.Silent) + len(res.Unknown) + len(res.Unasked); n != total || len(classes(res)) != total {
			t.Errorf("%d nodes are accounted for, %d of them once; want %d", n, len(classes(res)), total)
		}
		if late < 50 {
			t.Errorf("%d late nodes are few; the fleet is not mixed", late)
		}
		eachOnce(t, t.fleet, nodes)
	})
}

// classes says of each node what became of it.
func classes(res choria.Result) map[string]string {
	out := make(map[string]string)
	for _, r := range res.Replies {
		out[r.Sender] = "ok"
		if !r.OK() {
			out[r.Sender] = "failed"
		}
	}
	for class, nodes := range map[string][]string{"silent": res.Silent, "unknown": res.Unknown, "unasked": res.Unasked} {
		for _, n := range nodes {
			out[n] += class // one that is in two lists gets both words
		}
	}
	return out
}

// eachOnce fails unless every node was asked exactly once.
func eachOnce(tb testing.TB, f *fleetsim.Fleet, nodes []string) {
	tb.Helper()
	asked := map[string]int{}
	for _, call := range f.Calls() {
		asked[call.Node]++
	}
	for _, n := range nodes {
		if asked[n] != 1 {
			tb.Errorf("%s was asked %d times, want once", n, asked[n])
			delete(asked, n)
		}
	}
	if extra := slices.DeleteFunc(slices.Sorted(maps.Keys(asked)), func(n string) bool { return slices.Contains(nodes, n) }); len(extra) > 0 {
		tb.Errorf("%v were asked, and are no targets", extra)
	}
}

func TestCall_lateReplyOfAnEarlierBatchEndsNoLaterOne(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: fleetsim.Late, Delay: 25 * time.Second})
		t.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Kind: fleetsim.Slow, Delay: 10 * time.Second})
		q := ping(bravo()...)
		q.BatchSize = 1
		res, err := t.client.Call(t.Context(), q)
		want := "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 late 1"
		if err != nil || account(res) != want || fmt.Sprint(res.Silent) != "[web4.example.net]" {
			t.Errorf("got %v, %s, silent %v; want %s", err, account(res), res.Silent, want)
		}
	})
}

func TestLate_countsRepliesToCallsThatAreOver(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: fleetsim.Late, Delay: 25 * time.Second, Times: 1})
		if _, err := t.client.Call(t.Context(), ping("web4.example.net")); err != nil || t.client.Late() != 0 {
			t.Fatalf("got %v, %d late", err, t.client.Late())
		}
		t.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Kind: fleetsim.Slow, Delay: 10 * time.Second})
		res, err := t.client.Call(t.Context(), ping("web5.example.net"))
		if want := "ok 1 failed 0 silent 0 unasked 0 stranger 0 duplicate 0 malformed 0"; err != nil || account(res) != want || t.client.Late() != 1 {
			t.Errorf("got %v, %s, %d late; want %s, 1 late", err, account(res), t.client.Late(), want)
		}
	})
}

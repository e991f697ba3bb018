package choria_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// account sums up a result: ok, failed, silent, unasked, stranger, duplicate, malformed.
func account(res choria.Result) string {
	failed := 0
	for _, r := range res.Replies {
		if !r.OK() {
			failed++
		}
	}
	text := fmt.Sprintf("ok %d failed %d silent %d unasked %d stranger %d duplicate %d malformed %d",
		len(res.Replies)-failed, failed, len(res.Silent), len(res.Unasked), res.Stranger, res.Duplicate, res.Malformed)
	for _, row := range []struct { // what is rare
		name string
		n    int
	}{{"untrusted", res.Untrusted}, {"unknown", len(res.Unknown)}, {"late", res.Late}, {"other", res.Other}, {"dropped", res.Dropped}, {"trimmed", res.Trimmed}} {
		if row.n > 0 {
			text += fmt.Sprintf(" %s %d", row.name, row.n)
		}
	}
	return text
}

func TestCall_accountsForEveryNode(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fleetsim.Kind]string{
		fleetsim.Silent:         "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0",
		fleetsim.Fail:           "ok 2 failed 1 silent 0 unasked 0 stranger 0 duplicate 0 malformed 0",
		fleetsim.Slow:           "ok 3 failed 0 silent 0 unasked 0 stranger 0 duplicate 0 malformed 0",
		fleetsim.Late:           "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0",
		fleetsim.Duplicate:      "ok 3 failed 0 silent 0 unasked 0 stranger 0 duplicate 1 malformed 0",
		fleetsim.Malformed:      "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 1",
		fleetsim.Stranger:       "ok 2 failed 0 silent 1 unasked 0 stranger 1 duplicate 0 malformed 0",
		fleetsim.WrongRequestID: "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 other 1",
		fleetsim.Huge:           "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 1",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
				delay := 2 * time.Second
				if kind == fleetsim.Late {
					delay = time.Minute
				}
				t.fleet.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: kind, Delay: delay})
				// another node is slow, so that whatever the first sends arrives while somebody is awaited
				t.fleet.Fault(fleetsim.Fault{Node: "web6.example.net", Kind: fleetsim.Slow, Delay: time.Second})
				began := time.Now()
				res, err := t.client.Call(t.Context(), ping(bravo()...))
				if err != nil {
					t.Fatal(err)
				}
				if got := account(res); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				end := 20 * time.Second // the time-out, when a node is silent
				if len(res.Silent) == 0 {
					end = time.Second
				}
				if kind == fleetsim.Slow {
					end = delay
				}
				if took := time.Since(began); took != end {
					t.Errorf("took %s, want %s", took, end)
				}
			})
		})
	}
}

func TestCall_withoutTargetsIsAnErrorAndSendsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		q := choria.Request{Agent: "puppet", Action: "disable"}
		for _, nodes := range [][]string{nil, {}, {"*"}, {">"}, {""}, {"a b"}, {"web..net"}, {".web"}, {"web."}, {"web4.example.net", "*"}} {
			q.Nodes = nodes
			if _, err := t.client.Call(t.Context(), q); !errors.Is(err, choria.ErrNotSent) {
				t.Errorf("nodes %q: got %v, want %v", nodes, err, choria.ErrNotSent)
			}
		}
		if _, err := t.client.Ping(t.Context(), nil); !errors.Is(err, choria.ErrNotSent) {
			t.Errorf("ping of nobody: got %v", err)
		}
		if calls := t.fleet.Calls(); len(calls) != 0 {
			t.Errorf("%+v reached the fleet", calls)
		}
	})
}

func TestCall_asksANodeOnceThatIsNamedTwice(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		res, err := t.client.Call(t.Context(), ping("web4.example.net", "web5.example.net", "web4.example.net"))
		if err != nil || len(res.Replies) != 2 || t.fleet.Count("", "rpcutil.ping") != 2 {
			t.Errorf("got %v, %s, %d calls; want two of each", err, account(res), t.fleet.Count("", "rpcutil.ping"))
		}
	})
}

func TestCall_keepsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Kind: fleetsim.Fail, Message: "disk full"})
		res, err := t.client.Call(t.Context(), choria.Request{
			Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2"}, Nodes: []string{"web5.example.net", "web4.example.net"},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := "[{web4.example.net 0 OK map[previous:1.0.0 revision:2] false} {web5.example.net 1 disk full map[] false}]"
		if got := fmt.Sprint(res.Replies); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestCall_goesInBatchesWithRestsBetween(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		began := time.Now()
		res, err := t.client.Call(t.Context(), choria.Request{
			Agent: "rpcutil", Action: "ping", Nodes: append(bravo(), "lb1.example.net", "lb2.example.net"), BatchSize: 2, BatchSleep: 10 * time.Second,
		})
		if err != nil || len(res.Replies) != 5 {
			t.Fatalf("got %v, %s", err, account(res))
		}
		var when []string
		for _, call := range t.fleet.Calls() {
			when = append(when, fmt.Sprint(call.Time.Sub(began)))
			if call.RequestID != res.ID {
				t.Errorf("request %s, want one id for all batches, %s", call.RequestID, res.ID)
			}
		}
		if got := strings.Join(when, " "); got != "0s 0s 10s 10s 20s" {
			t.Errorf("asked at %s", got)
		}
	})
}

func TestCall_stopsBeforeABatchThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		stop, batches := errors.New("enough"), 0
		res, err := t.client.Call(t.Context(), choria.Request{
			Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2"}, Nodes: bravo(), BatchSize: 1,
			Before: func([]string) error {
				if batches++; batches > 2 {
					return stop
				}
				return nil
			},
		})
		if !errors.Is(err, stop) || len(res.Replies) != 2 || fmt.Sprint(res.Unasked) != "[web6.example.net]" {
			t.Errorf("got %v, %s, unasked %v", err, account(res), res.Unasked)
		}
		if t.fleet.Count("web6.example.net", "appmgr.upgrade") != 0 || t.fleet.Node("web4.example.net").Revision != "2" {
			t.Error("the stopped batch was asked, or the first was not")
		}
	})
}

func TestCall_endsBetweenBatchesWhenItIsEnough(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		heard, questions, began := 0, 0, time.Now()
		q := ping(append(bravo(), "web1.example.net", "web2.example.net")...)
		q.BatchSize, q.BatchSleep = 2, time.Minute
		q.OnReply = func(choria.Reply) { heard++ }
		q.Enough = func() bool { questions++; return heard >= 4 }
		res, err := t.client.Call(t.Context(), q)
		if err != nil || len(res.Replies) != 4 || fmt.Sprint(res.Unasked) != "[web2.example.net]" || questions != 2 {
			t.Errorf("got %v, %s, unasked %v after %d questions", err, account(res), res.Unasked, questions)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %s, want one rest of a minute", took)
		}
		heard, questions = 0, 0
		q.Nodes = q.Nodes[:4]
		if res, err := t.client.Call(t.Context(), q); err != nil || len(res.Unasked) != 0 || questions != 1 {
			t.Errorf("got %v, unasked %v after %d questions; nobody asks after the last batch", err, res.Unasked, questions)
		}
	})
}

func TestCall_thatIsCutOffBetweenBatchesLeavesTheRestUnasked(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		why := errors.New("somebody cancelled")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		res, err := t.client.Call(ctx, choria.Request{Agent: "rpcutil", Action: "ping", Nodes: bravo(), BatchSize: 1, BatchSleep: time.Minute})
		if want := "ok 1 failed 0 silent 0 unasked 2 stranger 0 duplicate 0 malformed 0"; !errors.Is(err, why) || account(res) != want {
			t.Errorf("got %v, %s; want %v, %s", err, account(res), why, want)
		}
		if n := len(t.fleet.Calls()); n != 1 {
			t.Errorf("%d nodes were asked, want 1", n)
		}
	})
}

func TestCall_cutOffKeepsWhatWasHeard(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "web6.example.net", Kind: fleetsim.Silent})
		ctx, cancel := context.WithCancelCause(t.Context())
		why, heard := errors.New("somebody cancelled"), 0
		q := ping(bravo()...)
		q.OnReply = func(choria.Reply) {
			if heard++; heard == 2 {
				cancel(why)
			}
		}
		res, err := t.client.Call(ctx, q)
		if !errors.Is(err, why) || len(res.Replies) != 2 || len(res.Silent) != 1 {
			t.Errorf("got %v, %s", err, account(res))
		}
	})
}

func TestCall_thatLastedTooLongIsNotAnsweredByLateReplies(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: fleetsim.Late, Delay: 30 * time.Second, Times: 1})
		t.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Kind: fleetsim.Silent})
		first, err := t.client.Call(t.Context(), ping("web4.example.net"))
		if err != nil || len(first.Silent) != 1 {
			t.Fatalf("got %v, %s", err, account(first))
		}
		second, err := t.client.Call(t.Context(), ping("web5.example.net")) // while the late reply arrives
		if want := "ok 0 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0"; err != nil || account(second) != want {
			t.Errorf("got %v, %s; want %s", err, account(second), want)
		}
	})
}

func TestCall_manyAtOnceKeepTheirRepliesApart(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Plain(50), func(t under) {
		done := make(chan string)
		for i := range 50 {
			go func() {
				name := fmt.Sprintf("node%05d.example.net", i+1)
				res, err := t.client.Call(t.Context(), choria.Request{
					Agent: "rpcutil", Action: "get_fact", Data: map[string]any{"fact": "number"}, Nodes: []string{name, fmt.Sprintf("node%05d.example.net", (i+1)%50+1)},
				})
				if err != nil || len(res.Replies) != 2 || res.Stranger+res.Malformed+res.Duplicate+res.Dropped > 0 {
					done <- fmt.Sprintf("call %d: %v, %s", i, err, account(res))
					return
				}
				for _, r := range res.Replies {
					if want := strings.TrimLeft(r.Sender[4:9], "0"); fmt.Sprint(r.Data["value"]) != want {
						done <- fmt.Sprintf("call %d: %s says it is number %v", i, r.Sender, r.Data["value"])
						return
					}
				}
				done <- ""
			}()
		}
		for range 50 {
			if problem := <-done; problem != "" {
				t.Error(problem)
			}
		}
		if n := t.fleet.Count("", "rpcutil.get_fact"); n != 100 {
			t.Errorf("%d requests reached nodes, want 100", n)
		}
	})
}

func TestCall_thousandNodesWithEveryFault(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Plain(1000), func(t under) {
		kinds := []fleetsim.Kind{fleetsim.Silent, fleetsim.Fail, fleetsim.Duplicate, fleetsim.Malformed, fleetsim.Stranger}
		var nodes []string
		for i, n := range t.fleet.Nodes() {
			nodes = append(nodes, n.Name)
			if i%10 == 0 {
				t.fleet.Fault(fleetsim.Fault{Node: n.Name, Kind: kinds[i/10%len(kinds)]})
			}
		}
		res, err := t.client.Call(t.Context(), ping(nodes...))
		want := "ok 920 failed 20 silent 60 unasked 0 stranger 20 duplicate 20 malformed 20"
		if err != nil || account(res) != want {
			t.Errorf("got %v, %s; want %s", err, account(res), want)
		}
		asked := map[string]int{}
		for _, call := range t.fleet.Calls() {
			asked[call.Node]++
		}
		if twice := slices.DeleteFunc(slices.Sorted(maps.Keys(asked)), func(n string) bool { return asked[n] == 1 }); len(asked) != 1000 || len(twice) > 0 {
			t.Errorf("%d nodes were asked, more than once %v; want each of 1000 once", len(asked), twice)
		}
	})
}

func TestAgents_areReadWithTheirVersions(t *testing.T) {
	t.Parallel()
	nodes := []fleetsim.Node{{Name: "old", Agents: map[string]string{"rpcutil": "1.0.0", "puppet": "0.9.0"}}, {Name: "mute"}, {Name: "ill"}}
	bubble(t, nodes, func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "mute", Kind: fleetsim.Silent})
		t.fleet.Fault(fleetsim.Fault{Node: "ill", Kind: fleetsim.Fail})
		got, err := t.client.Agents(t.Context(), []string{"old", "mute", "ill"})
		if want := "map[old:map[puppet:0.9.0 rpcutil:1.0.0]]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("got %v, %v; want %s: who does not answer has no entry", got, err, want)
		}
		silent, err := t.client.Ping(t.Context(), []string{"old", "mute", "ill"})
		if err != nil || fmt.Sprint(silent) != "[mute]" {
			t.Errorf("silent: %v, %v; want mute", silent, err)
		}
	})
}

package mcollective_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
)

// world is a fleet of two tiers with three web servers each, and a client for it.
type world struct {
	fleet  *fleetsim.Fleet
	client *choria.Client
}

func start(t *testing.T) *world {
	t.Helper()
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &world{f, c}
}

const suffix = ".example.net"

// web names web servers: 4, 5 and 6 are the tier bravo.
func web(numbers ...string) []any {
	var out []any
	for _, n := range numbers {
		out = append(out, "web"+n+suffix)
	}
	return out
}

func bravo() []any { return web("4", "5", "6") }

// ask is the properties of a task for the tier bravo; more are keys and values.
func ask(action string, more ...any) map[string]any {
	m := map[string]any{"action": action, "nodes": bravo()}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func decode(t *testing.T, c mcollective.Client, properties map[string]any) engine.Task {
	t.Helper()
	task, err := mcollective.Type(c, nil).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return task
}

// run runs a task and returns its notes too.
func (w *world) run(t *testing.T, properties map[string]any) (engine.Result, []string, error) {
	t.Helper()
	return w.runContext(t, t.Context(), properties)
}

func (w *world) runContext(t *testing.T, ctx context.Context, properties map[string]any) (engine.Result, []string, error) { //nolint:revive // the test is the receiver
	t.Helper()
	var mu sync.Mutex
	var notes []string
	result, err := decode(t, w.client, properties).Run(ctx, tasktest.Call(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, line)
	}))
	mu.Lock()
	defer mu.Unlock()
	return result, notes, err
}

// short joins names without their domain.
func short(names []string) string { return strings.ReplaceAll(strings.Join(names, " "), suffix, "") }

func TestMcollective_passesTheSuite(t *testing.T) {
	t.Parallel()
	w := start(t)
	begun := make(chan struct{})
	w.fleet.Fault(fleetsim.Fault{Node: "web1" + suffix, Kind: fleetsim.Silent})
	w.fleet.Fault(fleetsim.Fault{Node: "web2" + suffix, Kind: fleetsim.Fail})
	secret := map[string]any{"message": "hunter2hunter2", "service": "httpd"}
	tasktest.Run(t, tasktest.Case{
		Type: mcollective.Type(&signalling{w.client, begun}, nil), Secret: "hunter2hunter2",
		Good: ask("service.status", "properties", secret),
		Bad:  map[string]any{"action": "puppet.disable", "nodes": web("2"), "properties": secret},
		Long: func(*testing.T) (map[string]any, <-chan struct{}) {
			return map[string]any{"action": "puppet.disable", "nodes": web("1"), "properties": secret}, begun
		},
	})
}

// signalling says when the node that keeps silent is being asked.
type signalling struct {
	*choria.Client

	begun chan struct{}
}

func (s *signalling) Call(ctx context.Context, q choria.Request) (choria.Result, error) {
	if q.Nodes[0] == "web1"+suffix {
		close(s.begun)
	}
	return s.Client.Call(ctx, q)
}

func TestMcollective_asksTheNamedNodesAndNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		result, notes, err := w.run(t, ask("puppet.disable", "properties", map[string]any{":message:": "upgrade", ":force": true, "n": 1}))
		if err != nil || result.Message != "3 of 3 ok" || short(result.OKNodes) != "web4 web5 web6" || len(result.FailedNodes)+len(result.SilentNodes) != 0 {
			t.Errorf("got %+v, %v", result, err)
		}
		if n := w.fleet.Count("", "puppet.disable"); n != 3 {
			t.Errorf("%d nodes were asked, want 3", n)
		}
		for _, c := range w.fleet.Calls() {
			if c.Data["message"] != "upgrade" || c.Data["force"] != true || c.Data["n"] != 1.0 {
				t.Errorf("%s got %v; want plain keys", c.Node, c.Data)
			}
		}
		if len(notes) != 3 || !strings.Contains(notes[0], "enabled=false") {
			t.Errorf("got the notes %q", notes)
		}
	})
}

func TestMcollective_keepsEveryReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
		result, _, err := w.run(t, ask("rpcutil.get_fact", "properties", map[string]any{"fact": "tier"}))
		if engine.CodeOf(err) != engine.CodeFailed {
			t.Fatal(err)
		}
		replies := result.Data.([]any)
		first, second := replies[0].(map[string]any), replies[1].(map[string]any)
		if len(replies) != 3 || first["sender"] != "web5"+suffix || first["statuscode"] != 1 || first["statusmsg"] != "disk full" {
			t.Errorf("got %v, want the failed node first", replies)
		}
		if second["agent"] != "rpcutil" || second["action"] != "get_fact" || second["requestid"] != w.fleet.Calls()[0].RequestID {
			t.Errorf("got %v", second)
		}
		if data := second["data"].(map[string]any); data["value"] != "bravo" {
			t.Errorf("got %v", data)
		}
	})
}

func TestMcollective_withoutTargetsIsRefusedAndNothingIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		for _, nodes := range []any{nil, []any{}, "web4" + suffix, []any{nil}} {
			if _, err := mcollective.Type(w.client, nil).Decode(playbooks.FromMap(map[string]any{"action": "puppet.disable", "nodes": nodes})); err == nil {
				t.Errorf("nodes %v are accepted", nodes)
			}
		}
		for _, bad := range []any{"*", ">", "a b", ""} {
			_, _, err := w.run(t, map[string]any{"action": "puppet.disable", "nodes": []any{bad}})
			if engine.CodeOf(err) != engine.CodeNotSent {
				t.Errorf("node %q: got %v", bad, err)
			}
		}
		if n := len(w.fleet.Calls()); n != 0 {
			t.Errorf("%d calls reached the fleet", n)
		}
	})
}

func TestMcollective_nodeNamedTwiceIsAskedAndCountedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		properties := map[string]any{"action": "rpcutil.ping", "nodes": web("4", "5", "4")}
		result, _, err := w.run(t, properties)
		if err != nil || result.Message != "2 of 2 ok" || w.fleet.Count("", "rpcutil.ping") != 2 {
			t.Errorf("got %q, %v; %d were asked", result.Message, err, w.fleet.Count("", "rpcutil.ping"))
		}
		if targeted, ok := decode(t, w.client, properties).(engine.Targeted); !ok || short(targeted.Targets()) != "web4 web5" {
			t.Errorf("got the targets %v", targeted)
		}
	})
}

func TestMcollective_cutOffKeepsWhatWasHeard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web6" + suffix, Kind: fleetsim.Silent})
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, engine.Errorf(engine.CodeTimeout, "timed out after 5s"))
		defer cancel()
		result, _, err := w.runContext(t, ctx, ask("rpcutil.ping"))
		if engine.CodeOf(err) != engine.CodeTimeout || short(result.OKNodes) != "web4 web5" || short(result.SilentNodes) != "web6" {
			t.Errorf("got %+v, %v", result, err)
		}
		if !strings.HasPrefix(result.Message, "cut off: 2 of 3 ok") {
			t.Errorf("got %q", result.Message)
		}
	})
}

func TestMcollective_networkOutOfReachIsNotSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.client.Close()
		if _, _, err := w.run(t, ask("puppet.disable")); engine.CodeOf(err) != engine.CodeNotSent {
			t.Errorf("got %v", err)
		}
		task := decode(t, nil, ask("puppet.disable"))
		if _, err := task.Run(t.Context(), tasktest.Call(nil)); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "nats.servers") {
			t.Errorf("without a network: got %v", err)
		}
	})
}

func TestMcollective_batchesWaitBetweenAndShareARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		nodes := web("1", "2", "3", "4", "5")
		began := time.Now()
		result, notes, err := w.run(t, map[string]any{
			"action": "rpcutil.ping", "nodes": nodes, "batch_size": 2, "batch_sleep_time": "90", "silent": true,
		})
		if err != nil || result.Message != "5 of 5 ok" {
			t.Fatalf("got %q, %v", result.Message, err)
		}
		if took := time.Since(began); took < 180*time.Second || took > 181*time.Second {
			t.Errorf("three batches took %s, want two pauses of 90s", took)
		}
		calls := w.fleet.Calls()
		for i, want := range []time.Duration{0, 0, 90, 90, 180} {
			at := calls[i].Time.Sub(began).Truncate(time.Second)
			if at != want*time.Second || calls[i].RequestID != calls[0].RequestID {
				t.Errorf("%s was asked after %s in request %s", calls[i].Node, at, calls[i].RequestID)
			}
		}
		want := []string{
			"asking 2 of 5 nodes; 0 have answered", "asking 2 of 5 nodes; 2 have answered", "asking 1 of 5 nodes; 4 have answered",
		}
		if !slices.Equal(notes, want) {
			t.Errorf("got the notes %q, want %q: silent is about good replies", notes, want)
		}
	})
}

func TestMcollective_batchSizeMayBeAShare(t *testing.T) {
	t.Parallel()
	// of six nodes; a share is rounded up, so that 20% is two at a time
	for size, want := range map[any]int{"20%": 3, "34%": 2, "100%": 1, "1%": 6, 4: 2, "4": 2, 10: 1} {
		synctest.Test(t, func(t *testing.T) {
			w := start(t)
			_, notes, err := w.run(t, map[string]any{
				"action": "rpcutil.ping", "nodes": web("1", "2", "3", "4", "5", "6"), "batch_size": size, "silent": true,
			})
			if err != nil || len(notes) != want {
				t.Errorf("%v: got %d batches, %v; want %d", size, len(notes), err, want)
			}
		})
	}
}

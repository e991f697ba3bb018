package mcollective_test

import (
	"context"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
)

func described(t *testing.T, c mcollective.Client) engine.TaskType {
	t.Helper()
	x, err := ddl.Load(filepath.Join("..", "..", "choria", "ddl", "testdata", "agents"))
	if err != nil {
		t.Fatal(err)
	}
	return mcollective.Described(c, nil, x)
}

// request remembers what it is asked, and answers for every node.
type request struct{ last choria.Request }

// Callers implements [mcollective.Client].
func (*request) Callers() choria.Callers { return choria.Callers{} }

func (r *request) Call(_ context.Context, q choria.Request) (choria.Result, error) {
	r.last = q
	var res choria.Result
	for _, n := range q.Nodes {
		reply := choria.Reply{Sender: n, Data: map[string]any{}}
		q.OnReply(reply)
		res.Replies = append(res.Replies, reply)
	}
	return res, nil
}

func TestDescribed_summarySaysWhatWasNotKept(t *testing.T) {
	t.Parallel()
	c := canned{Replies: []choria.Reply{{Sender: "web4" + suffix, Data: map[string]any{"enabled": true}}, {Sender: "web5" + suffix, Trimmed: true}}}
	task := decoded(t, described(t, c), map[string]any{"nodes": []any{"web4" + suffix, "web5" + suffix}, "action": "puppet.status", "post": []any{"summarize"}})
	result, err := task.Run(t.Context(), tasktest.Call(func(string) {}))
	if want := "1 × (too large to be kept)"; err != nil || !strings.Contains(result.Message, want) || strings.Contains(result.Message, "2 × no value") {
		t.Errorf("got %q, %v; want %q", result.Message, err, want)
	}
}

// decoded is a task of a type.
func decoded(t *testing.T, typ engine.TaskType, properties map[string]any) engine.Task {
	t.Helper()
	task, err := typ.Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// checked is what checking a task says; body is the rest of it in YAML.
func checked(t *testing.T, body string) string {
	t.Helper()
	const head = "name: b\nversion: 1.0.0\nauthor: A <a@example.net>\ndescription: d\ninputs:\n  n: {description: n, type: Integer, default: 1}\n" +
		"tasks:\n  - mcollective:\n      description: d\n      nodes: [web1]\n"
	_, err := playbooks.Parse("b.yaml", []byte(head+body), engine.Types{Tasks: []engine.TaskType{described(t, nil)}})
	if err == nil {
		return ""
	}
	return err.Error()
}

// The first line of a body is line 11 of the file.
func TestDescribed_problemsAreFoundAtLoad(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ body, want string }{
		"an unknown action":         {"      action: puppet.disabel\n", `b.yaml:11:7: agent puppet has no action "disabel", says its DDL 1.13.1; did you mean "puppet.disable"?`},
		"an action far off":         {"      action: puppet.zzzzzzz\n", "; it has: disable, enable, runonce, status"},
		"an unknown input":          {"      action: puppet.disable\n      properties:\n        mesage: x\n", `b.yaml:13:9: puppet.disable has no input "mesage"; did you mean "message"?`},
		"one with a template":       {"      action: puppet.disable\n      properties:\n        mesage: '{{ inputs.n }}'\n", `b.yaml:13:9: puppet.disable has no input "mesage"`},
		"a missing input":           {"      action: appmgr.upgrade\n", "input revision of appmgr.upgrade is missing; add revision: …"},
		"missing beside a template": {"      action: haproxy.enable\n      properties:\n        weight: '{{ inputs.n }}'\n", "b.yaml:12:7: input backend of haproxy.enable is missing"},
		"a wrong value":             {"      action: haproxy.enable\n      properties: {backend: web, weight: heavy}\n", `b.yaml:12:34: input weight of haproxy.enable: "heavy" is no whole number; write digits`},
		"a shell's sign":            {"      action: puppet.disable\n      properties: {message: 'a; b'}\n", `"a; b" is refused; it must be safe in a shell`},
		"a number without quotes":   {"      action: appmgr.upgrade\n      properties:\n        revision: 2.0\n", "b.yaml:13:9: input revision of appmgr.upgrade must be text, and YAML reads a number or a truth value; put the value in quotes"},
		"a symbol of 2017":          {"      action: puppet.disable\n      properties:\n        ':mesage:': x\n", `b.yaml:13:9: puppet.disable has no input "mesage"`},
	} {
		if got := checked(t, row.body); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s\nwant %s", name, got, row.want)
		}
	}
}

func TestDescribed_whatIsGoodOrNotKnownYetPasses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"good":                       "      action: haproxy.disable\n      properties: {backend: web, servers: [a, b], mode: maint}\n",
		"no inputs":                  "      action: puppet.enable\n",
		"templates":                  "      action: haproxy.enable\n      properties: {backend: '{{ inputs.n }}', weight: '{{ inputs.n }}'}\n",
		"text that is a number":      "      action: haproxy.enable\n      properties: {backend: web, weight: '5'}\n",
		"a symbol of 2017":           "      action: puppet.disable\n      properties: {':message:': x}\n",
		"a templated action":         "      action: 'puppet.{{ inputs.n }}'\n      properties: {x: 1}\n",
		"an agent without a DDL":     "      action: nosuch.thing\n      properties: {x: 1}\n",
		"properties of one template": "      action: appmgr.upgrade\n      properties: '{{ inputs }}'\n",
	} {
		if got := checked(t, body); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestDescribed_sendsWhatTheAgentWants(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		action           string
		properties, want map[string]any
		timeout          time.Duration
	}{
		"converted, with defaults": {
			"haproxy.enable",
			map[string]any{":backend:": "web", "servers": `["a"]`, "weight": "5"},
			map[string]any{"backend": "web", "servers": []any{"a"}, "weight": int64(5)},
			12 * time.Second,
		},
		"defaults": {"appmgr.upgrade", map[string]any{"revision": 5}, map[string]any{"revision": "5", "force": false, "share": 1.0}, 62 * time.Second},
		"nothing is left out": {
			"puppet.disable", map[string]any{"message": nil}, map[string]any{}, 22 * time.Second,
		},
		"without a DDL as it is": {
			"nosuch.thing", map[string]any{"n": "5", "none": nil}, map[string]any{"n": "5", "none": nil}, 0,
		},
	} {
		c := &request{}
		task, err := described(t, c).Decode(playbooks.FromMap(ask(row.action, "properties", row.properties)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := task.Run(t.Context(), tasktest.Call(nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(c.last.Data, row.want) || c.last.Timeout != row.timeout {
			t.Errorf("%s: it sends %#v within %v", name, c.last.Data, c.last.Timeout)
		}
	}
}

func TestDescribed_refusesRenderedValuesBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		action     string
		properties map[string]any
		want       string
	}{
		{"appmgr.upgrade", map[string]any{"revision": "a b"}, "input revision of appmgr.upgrade"},
		{"appmgr.upgrade", nil, "input revision of appmgr.upgrade is missing"},
		{"appmgr.upgrade", map[string]any{"revision": nil}, "input revision of appmgr.upgrade is missing"},
		{"appmgr.upgrade", map[string]any{"revision": "a", "x": 1}, `has no input "x"`},
		{"appmgr.upgrad", map[string]any{"revision": "a"}, `did you mean "appmgr.upgrade"?`},
	} {
		_, err := described(t, &request{}).Decode(playbooks.FromMap(ask(row.action, "properties", row.properties)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s with %v: %v", row.action, row.properties, err)
		}
	}
}

// summary is the message of a task with post: [summarize] for all six web servers.
func (w *world) summary(t *testing.T, action string, more ...any) string {
	t.Helper()
	properties := ask(action, append(more, "post", []any{"summarize"}, "nodes", web("1", "2", "3", "4", "5", "6"))...)
	task, err := described(t, w.client).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	result, err := task.Run(t.Context(), tasktest.Call(nil))
	if err != nil {
		t.Fatal(err)
	}
	return result.Message
}

func TestDescribed_summarizesAsTheDDLSays(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.fleet.Fault(fleetsim.Fault{Node: "web6" + suffix, Kind: fleetsim.Fail, Action: "puppet.disable"})
	if got := w.summary(t, "puppet.disable", "max_failures", "1"); !strings.HasSuffix(got, "at most 1 allowed: Enabled: 5 × disabled") {
		t.Errorf("puppet.disable: %s", got)
	}
	got := w.summary(t, "puppet.status")
	if !strings.HasPrefix(got, "6 of 6 ok: Applying: 6 × not applying; Enabled: 1 × enabled, 5 × disabled; Since Last Run: ") {
		t.Errorf("puppet.status: %s", got)
	}
	if got := w.summary(t, "nrpe.runcommand", "properties", map[string]any{"command": "check_load"}); got != "6 of 6 ok: Exit Code: 6 × OK" {
		t.Errorf("nrpe.runcommand: %s", got)
	}
	// The DDL of puppet.runonce says nothing about summaries.
	if got := w.summary(t, "rpcutil.ping"); !strings.Contains(got, "pong=") {
		t.Errorf("rpcutil.ping: %s", got)
	}
}

func TestDescribed_summarizesEarlierTriesToo(t *testing.T) {
	t.Parallel()
	w := start(t)
	decode := func() engine.Task {
		task, err := described(t, w.client).Decode(playbooks.FromMap(ask("puppet.disable", "retry", "failed", "post", []any{"summarize"})))
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Fail, Action: "puppet.disable", Times: 1})
	first, err := decode().Run(t.Context(), tasktest.Call(nil))
	if err == nil {
		t.Fatalf("the first try passes: %s", first.Message)
	}
	second, err := decode().(engine.Narrower).Narrow(first).Run(t.Context(), tasktest.Call(nil))
	if err != nil || !strings.HasSuffix(second.Message, "Enabled: 3 × disabled") {
		t.Errorf("%v: %s", err, second.Message)
	}
}

// The DDL of rpcutil gives it 2 seconds, the client 20.
func TestDescribed_waitsAsLongAsTheDDLSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Silent})
		for _, row := range []struct {
			typ  engine.TaskType
			want time.Duration
		}{{mcollective.Type(w.client, nil), 20 * time.Second}, {described(t, w.client), 4 * time.Second}} {
			task, err := row.typ.Decode(playbooks.FromMap(ask("rpcutil.ping")))
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			result, err := task.Run(t.Context(), tasktest.Call(nil))
			if took := time.Since(begun); err == nil || short(result.SilentNodes) != "web5" || took < row.want || took > row.want+time.Second {
				t.Errorf("%v after %v: %s", err, took, result.Message)
			}
		}
	})
}

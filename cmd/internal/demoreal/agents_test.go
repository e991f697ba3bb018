package demoreal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// ask has an agent of a machine do something, as a Choria server does, and returns the data of the reply.
// want is what the reply says of a failure; empty: it is OK.
func ask(t *testing.T, m *machine, agent, action string, inputs map[string]any, want string) map[string]any {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(map[string]any{"agent": agent, "action": action, "data": inputs})
	if err != nil {
		t.Fatal(err)
	}
	var settings strings.Builder
	for name, value := range m.agentSettings()[agent] {
		settings.WriteString(name + " = " + value + "\n")
	}
	for name, text := range map[string]string{"request": string(data), "config": settings.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"CHORIA_EXTERNAL_PROTOCOL": "io.choria.mcorpc.external.v1.rpc_request", "CHORIA_EXTERNAL_REQUEST": filepath.Join(dir, "request"),
		"CHORIA_EXTERNAL_REPLY": filepath.Join(dir, "reply"), "CHORIA_EXTERNAL_CONFIG": filepath.Join(dir, "config"),
	}
	if err := external.Serve(t.Context(), func(name string) string { return env[name] }, t.Output(), agents.All()...); err != nil {
		t.Fatal(err)
	}
	var reply struct {
		Code    int            `json:"statuscode"`
		Message string         `json:"statusmsg"`
		Data    map[string]any `json:"data"`
	}
	data, err = os.ReadFile(filepath.Join(dir, "reply"))
	if err == nil {
		err = json.Unmarshal(data, &reply)
	}
	if err != nil {
		t.Fatal(err)
	}
	if (want == "") != (reply.Code == 0) || !strings.Contains(reply.Message, want) {
		t.Errorf("%s.%s: got %d %q, want a failure with %q (none when empty)", agent, action, reply.Code, reply.Message, want)
	}
	return reply.Data
}

func TestPuppetStatus_knowsARunThatIsUnderWay(t *testing.T) {
	t.Parallel()
	m := &machine{name: "web1.example.net", dir: t.TempDir()}
	if err := makePuppet(m); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		lock string
		want bool
	}{
		"this process": {strconv.Itoa(os.Getpid()), true},
		"nobody":       {"999999999", false}, // beyond the numbers that Linux gives
		"nothing":      {"", false},
		"no number":    {"x", false},
		"everybody":    {"0", false},
	} {
		if err := os.WriteFile(filepath.Join(m.stateDir(), agents.RunFile), []byte(row.lock), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := ask(t, m, "puppet", "status", nil, "")["applying"]; got != row.want {
			t.Errorf("%s: applying is %v, want %v", name, got, row.want)
		}
	}
	if err := os.WriteFile(filepath.Join(m.stateDir(), agents.LockFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if data := ask(t, m, "puppet", "status", nil, ""); data["enabled"] != false {
		t.Errorf("with an empty lock: %v, want that it is disabled", data)
	}
}

// TestHAProxyAgent_touchesOnlyWhatItKnows runs a real HAProxy before one server that is there and one
// that is not.
func TestHAProxyAgent_touchesOnlyWhatItKnows(t *testing.T) {
	t.Parallel()
	w := &World{dir: shared(t)}
	all := machines(w.dir)
	lb, web := all[0], all[balancers]
	repository := filepath.Join(w.dir, repositoryDir)
	if err := fillRepository(repository); err != nil {
		t.Fatal(err)
	}
	s, err := startApplication(t.Context(), web, bin, repository)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	p, err := startHAProxy(t.Context(), lb, []*machine{web})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	state := func() string {
		pool, err := lb.pool(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return pool[web.name]
	}
	named := func(servers ...string) map[string]any { return map[string]any{"backend": backend, "servers": servers} }
	ask(t, lb, "haproxy", "disable", named(), "no servers are named")
	ask(t, lb, "haproxy", "disable", named(web.name, "web9.example.net"), "has no server web9.example.net")
	ask(t, lb, "haproxy", "disable", map[string]any{"backend": "other", "servers": []string{web.name}}, "has no server")
	if got := state(); got != "UP" {
		t.Errorf("after refusals %s is %s, want UP", web.name, got)
	}
	ask(t, lb, "haproxy", "disable", named(web.name), "")
	if got := state(); got != "DRAIN" {
		t.Errorf("after disable %s is %s, want DRAIN", web.name, got)
	}
	ask(t, web, "appmgr", "upgrade", map[string]any{"revision": "9.9.9"}, "the repository has no revision 9.9.9")
	data := ask(t, web, "appmgr", "upgrade", map[string]any{"revision": NextRevision}, "")
	if data["revision"] != NextRevision || data["previous"] != FirstRevision {
		t.Errorf("upgrade says %v", data)
	}
	if got, err := web.version(t.Context()); err != nil || got != NextRevision {
		t.Errorf("the application runs %q, %v; want %s", got, err, NextRevision)
	}
	ask(t, lb, "haproxy", "enable", named(web.name), "")
	if got := state(); got != "UP" {
		t.Errorf("after enable %s is %s, want UP", web.name, got)
	}
}

// shared is a folder that the users of services may enter.
func shared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

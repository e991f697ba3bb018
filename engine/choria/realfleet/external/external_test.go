package external_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

const (
	activation = "io.choria.mcorpc.external.v1.activation_request"
	call       = "io.choria.mcorpc.external.v1.rpc_request"
)

// serve writes a request to a file, serves it and returns the reply as it was written.
func serve(t *testing.T, protocol, request, settings string, agents ...external.Agent) (string, error) {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if settings != "" {
		write("agent.cfg", settings)
	}
	env := map[string]string{
		"CHORIA_EXTERNAL_PROTOCOL": protocol, "CHORIA_EXTERNAL_REQUEST": write("request", request), "CHORIA_EXTERNAL_REPLY": write("reply", ""),
		"CHORIA_EXTERNAL_CONFIG": filepath.Join(dir, "agent"), "CHORIA_EXTERNAL_FACTS": write("facts", `{"tier":"alfa"}`),
	}
	var log bytes.Buffer
	err := external.Serve(t.Context(), func(name string) string { return env[name] }, &log, agents...)
	out, readErr := os.ReadFile(env["CHORIA_EXTERNAL_REPLY"])
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(out), err
}

// agent has an action for each way to end.
func agent() external.Agent {
	return external.Agent{Name: "app", Actions: map[string]external.Action{
		"echo": func(_ context.Context, r *external.Request) (map[string]any, error) {
			var in struct{ Text string }
			if err := r.Decode(&in); err != nil {
				return nil, err
			}
			var facts map[string]any
			if err := json.Unmarshal(r.Facts, &facts); err != nil {
				return nil, err
			}
			return map[string]any{"text": in.Text, "by": r.Caller, "id": r.ID, "tier": facts["tier"], "color": r.Settings["color"], "at": r.Time().Unix()}, nil
		},
		"nothing": func(context.Context, *external.Request) (map[string]any, error) { return nil, nil },
		"fail": func(context.Context, *external.Request) (map[string]any, error) {
			return nil, errors.New("it is broken")
		},
		"critical": func(context.Context, *external.Request) (map[string]any, error) {
			return nil, fmt.Errorf("check: %w", &external.Error{Message: "CRITICAL", Data: map[string]any{"exitcode": 2}})
		},
		"missing": func(context.Context, *external.Request) (map[string]any, error) {
			return nil, &external.Error{Code: external.CodeMissingData, Message: "missing input x"}
		},
		"panic": func(context.Context, *external.Request) (map[string]any, error) { panic("oops") },
		"need": func(_ context.Context, r *external.Request) (map[string]any, error) {
			_, err := r.Settings.Need("socket")
			return nil, err
		},
	}}
}

func TestServe_repliesWithWhatTheActionDid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ request, want string }{
		"data": {
			`{"agent":"app","action":"echo","requestid":"r1","callerid":"slack=T1.UANA","msgtime":1700000000,"data":{"text":"hi"}}`,
			`{"statuscode":0,"statusmsg":"OK","data":{"at":1700000000,"by":"slack=T1.UANA","color":"dark red","id":"r1","text":"hi","tier":"alfa"}}`,
		},
		"no data":           {`{"agent":"app","action":"nothing"}`, `{"statuscode":0,"statusmsg":"OK","data":{}}`},
		"an error":          {`{"agent":"app","action":"fail"}`, `{"statuscode":1,"statusmsg":"it is broken","data":{}}`},
		"an error and data": {`{"agent":"app","action":"critical"}`, `{"statuscode":1,"statusmsg":"check: CRITICAL","data":{"exitcode":2}}`},
		"an error's code":   {`{"agent":"app","action":"missing"}`, `{"statuscode":3,"statusmsg":"missing input x","data":{}}`},
		"a panic":           {`{"agent":"app","action":"panic"}`, `{"statuscode":5,"statusmsg":"app.panic panicked: oops","data":{}}`},
		"unknown action":    {`{"agent":"app","action":"nosuch"}`, `{"statuscode":2,"statusmsg":"Unknown action nosuch for agent app","data":{}}`},
		"wrong inputs":      {`{"agent":"app","action":"echo","data":{"text":5}}`, `{"statuscode":4,"statusmsg":"inputs of app.echo: json: cannot unmarshal number into Go struct field .Text of type string","data":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := serve(t, call, row.request, "# of the agent\n\ncolor = dark red\n", agent())
			if err != nil || got != row.want {
				t.Errorf("got %s, %v\nwant %s", got, err, row.want)
			}
		})
	}
}

func TestServe_saysWhichSettingIsMissing(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]string{"no file": "", "not in the file": "color = red"} {
		got, err := serve(t, call, `{"agent":"app","action":"need"}`, settings, agent())
		if err != nil || !strings.Contains(got, "add `socket = ...` to ") || !strings.Contains(got, "agent.cfg") {
			t.Errorf("%s: got %s, %v; want the setting and the file", name, got, err)
		}
	}
}

func TestServe_activatesTheAgentsThatWantTo(t *testing.T) {
	t.Parallel()
	with := func(active bool) external.Agent {
		return external.Agent{Name: "app", Activate: func(_ context.Context, s external.Settings) bool { return active && s["color"] == "red" }}
	}
	for name, row := range map[string]struct {
		agent external.Agent
		want  string
	}{
		"does not say": {external.Agent{Name: "app"}, `{"activate":true}`},
		"yes":          {with(true), `{"activate":true}`},
		"no":           {with(false), `{"activate":false}`},
	} {
		got, err := serve(t, activation, `{"protocol":"`+activation+`","agent":"app"}`, "color=red", external.Agent{Name: "other"}, row.agent)
		if err != nil || got != row.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, row.want)
		}
	}
}

func TestServe_writesNoReplyToWhatIsNoRequest(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ protocol, request, settings, want string }{
		"other protocol": {"io.choria.mcorpc.external.v9.rpc_request", `{"agent":"app"}`, "", "v9.rpc_request"},
		"not JSON":       {call, `{`, "", "read the request"},
		"other agent":    {call, `{"agent":"nosuch"}`, "", `agent "nosuch"`},
		"bad settings":   {call, `{"agent":"app"}`, "x = 1\ncolor", `agent.cfg:2: "color" is not of the form`},
	} {
		got, err := serve(t, row.protocol, row.request, row.settings, agent())
		if err == nil || !strings.Contains(err.Error(), row.want) || got != "" {
			t.Errorf("%s: got %s, %v; want no reply and an error with %q", name, got, err, row.want)
		}
	}
	if err := external.Serve(t.Context(), func(string) string { return "" }, os.Stderr); err == nil || !strings.Contains(err.Error(), "started by a Choria server") {
		t.Errorf("got %v, want to be told who starts this", err)
	}
}

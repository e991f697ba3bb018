package realfleet_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// simulateSecure starts the double in the `file` security mode.
func simulateSecure(t *testing.T, nodes []realfleet.Node) choria.Options {
	t.Helper()
	certs, err := fleetsim.NewCerts(t.TempDir(), "playbot.mcollective")
	if err != nil {
		t.Fatal(err)
	}
	o := fleetsim.Options{Listen: true, Certs: certs}
	for _, n := range nodes {
		o.Nodes = append(o.Nodes, fleetsim.Node{Name: n.Name, Facts: n.Facts, Classes: n.Classes})
	}
	f, err := fleetsim.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return choria.Options{
		Servers: []string{f.URL()}, Identity: "playbot.mcollective", CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey,
	}
}

// tap hears every reply to our client as the bytes that the broker carries. Nothing of ours but the
// subject's name takes part in it.
func tap(t *testing.T, o choria.Options) *nats.Subscription {
	t.Helper()
	conn, err := nats.Connect(o.Servers[0], nats.RootCAs(o.CA), nats.ClientCert(o.Cert, o.Key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	sub, err := conn.SubscribeSync(wire.ReplySubject("mcollective", "choria="+o.Identity, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return sub
}

// hear waits for n replies and describes each, sorted.
func hear(t *testing.T, sub *nats.Subscription, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all []string
	for len(all) < n {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			t.Fatalf("heard %d replies, want %d: %v", len(all), n, err)
		}
		all = append(all, anatomy(t, m))
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// anatomy describes a reply layer by layer: every field, with its value where that is the same for
// every honest server, else with its type.
func anatomy(t *testing.T, m *nats.Msg) string {
	t.Helper()
	var b strings.Builder
	transport := object(t, m.Data)
	headers, _ := transport["headers"].(map[string]any)
	fmt.Fprintf(&b, "from %v\nsubject %s\nNATS headers %q\n", headers["mc_sender"], m.Subject[:strings.LastIndexByte(m.Subject, '.')], slices.Sorted(maps.Keys(m.Header)))
	body, err := base64.StdEncoding.DecodeString(fmt.Sprint(transport["data"]))
	if err != nil {
		t.Fatalf("data of the transport: %v", err)
	}
	secure := object(t, body)
	reply := object(t, []byte(fmt.Sprint(secure["message"])))
	layer(&b, "transport", transport)
	layer(&b, "secure", secure)
	layer(&b, "reply", reply)
	message := fmt.Sprint(reply["message"])
	if !strings.HasPrefix(message, "{") {
		fmt.Fprintf(&b, "payload %q\n", message)
		return b.String()
	}
	layer(&b, "payload", object(t, []byte(message)))
	return b.String()
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("decode %q: %v", data, err)
	}
	return m
}

// layer describes one layer. Not the values of ids, times, hashes and what is in the next layer.
func layer(b *strings.Builder, name string, m map[string]any) {
	outline(b, name, m)
	for _, k := range []string{"protocol", "statuscode", "statusmsg", "action"} {
		if v, ok := m[k]; ok {
			fmt.Fprintf(b, "%s.%s = %v\n", name, k, v)
		}
	}
	if e, ok := m["envelope"].(map[string]any); ok {
		fmt.Fprintf(b, "%s by %v of %v, id of %d characters\n", name, e["agent"], e["senderid"], len(fmt.Sprint(e["requestid"])))
	}
	if h, ok := m["hash"].(string); ok {
		fmt.Fprintf(b, "%s hash of %d characters\n", name, len(h))
	}
}

func TestWire_ofTheSimulatedServersIsThatOfTheRealOnes(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{})
	targets := map[string]choria.Options{"real": f.Options(), "simulated": simulateSecure(t, realfleet.Six())}
	names := f.Names()
	call := func(agent, action string, data map[string]any) func(*choria.Client) error {
		return func(c *choria.Client) error {
			_, err := c.Call(t.Context(), choria.Request{Agent: agent, Action: action, Data: data, Nodes: names})
			return err
		}
	}
	discover := func(filter choria.Filter) func(*choria.Client) error {
		return func(c *choria.Client) error {
			_, err := c.Discover(t.Context(), filter)
			return err
		}
	}
	rows := []struct {
		name    string
		do      func(*choria.Client) error
		replies int
	}{
		{"ping", discover(choria.Filter{}), 6},
		{"discovery by fact", discover(choria.Filter{Facts: []string{"country=mt"}}), 2},
		{"discovery by agent and class", discover(choria.Filter{Agents: []string{"rpcutil"}, Classes: []string{"roles::webserver"}}), 3},
		{"rpcutil.ping", call("rpcutil", "ping", nil), 6},
		{"appmgr.upgrade", call("appmgr", "upgrade", map[string]any{"revision": "2.0.0"}), 6},
		{"missing input", call("appmgr", "upgrade", nil), 6},
		{"unknown action", call("rpcutil", "nosuch", nil), 6},
	}
	heard := map[string]map[string]string{"real": {}, "simulated": {}}
	t.Run("both", func(t *testing.T) {
		for who, o := range targets {
			t.Run(who, func(t *testing.T) {
				t.Parallel()
				c, sub := connect(t, o), tap(t, o)
				for _, row := range rows { // one after the other: the tap hears all of them
					if err := row.do(c); err != nil {
						t.Fatalf("%s: %v", row.name, err)
					}
					heard[who][row.name] = hear(t, sub, row.replies)
				}
			})
		}
	})
	for _, row := range rows {
		if got, want := heard["simulated"][row.name], heard["real"][row.name]; got != want {
			t.Errorf("%s: only the simulated servers say\n%s\nonly the real ones say\n%s", row.name, linesNotIn(got, want), linesNotIn(want, got))
		}
	}
}

// linesNotIn returns the lines of a that b does not have, each once.
func linesNotIn(a, b string) string {
	var out []string
	for line := range strings.Lines(a) {
		if !strings.Contains("\n"+b+"\n", "\n"+strings.TrimSuffix(line, "\n")+"\n") && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

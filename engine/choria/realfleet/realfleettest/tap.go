package realfleettest

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/choria-io/tokens"
	"github.com/nats-io/nats.go"
	"github.com/sirupsen/logrus"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/internal/wire"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Dial connects to a broker with the keys of our client, and with nothing else of ours.
func Dial(tb testing.TB, o choria.Options) *nats.Conn {
	tb.Helper()
	var keys []nats.Option
	switch {
	case o.Token != "":
		raw := read(tb, o.Token)
		_, token, sign, err := tokens.NatsConnectionHelpers(raw, "mcollective", o.Seed, logrus.NewEntry(logrus.New()))
		if err != nil {
			tb.Fatal(err)
		}
		keys = []nats.Option{nats.RootCAs(o.CA), nats.Token(raw), nats.UserJWT(token, sign)}
	case o.Cert != "":
		keys = []nats.Option{nats.RootCAs(o.CA), nats.ClientCert(o.Cert, o.Key)}
	}
	conn, err := nats.Connect(o.Servers[0], append(keys, nats.Timeout(time.Minute))...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	return conn
}

// tap hears every reply to our client as the bytes that the broker carries. Nothing of ours but the
// subject's name takes part in it.
func tap(t *testing.T, o choria.Options) *nats.Subscription {
	t.Helper()
	conn := Dial(t, o)
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

// Wire holds what simulated servers send against what real ones do, byte layer by byte layer.
func Wire(t *testing.T, _ realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Mode: mode})
	d := simulate(t, mode, f.Identity, realfleet.Six())
	names := f.Names()
	call := func(agent, action string, data map[string]any) func(*choria.Client) error {
		return func(c *choria.Client) error {
			res, err := c.Call(t.Context(), choria.Request{Agent: agent, Action: action, Data: data, Nodes: names})
			if res.Untrusted+res.Stranger+res.Duplicate+res.Malformed+res.Dropped > 0 || len(res.Replies) != len(names) {
				t.Errorf("%s.%s: %d replies, and some that do not count: %+v", agent, action, len(res.Replies), res)
			}
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
		for who, o := range map[string]choria.Options{"real": f.Options(), "simulated": d.options} {
			t.Run(who, func(t *testing.T) {
				t.Parallel()
				c, sub := Connect(t, o), tap(t, o)
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

func read(tb testing.TB, path string) string {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

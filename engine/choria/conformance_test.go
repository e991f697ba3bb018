package choria_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// mode is one way of security, with a fleet of its own that lives in a bubble.
type mode struct {
	name  string
	fleet func(t *testing.T, o *fleetsim.Options)
	// client sets who asks: somebody ordinary, or somebody who may ask in any name.
	client func(t *testing.T, f *fleetsim.Options, o *choria.Options, privileged bool)
}

func modes() []mode {
	return []mode{
		{
			name:   "v1 insecure",
			fleet:  func(*testing.T, *fleetsim.Options) {},
			client: func(_ *testing.T, _ *fleetsim.Options, o *choria.Options, _ bool) { o.Insecure = true },
		},
		{name: "v1 file", fleet: fileFleet, client: fileClient},
		{name: "v2", fleet: tokenFleet, client: tokenClient},
	}
}

func fileFleet(t *testing.T, o *fleetsim.Options) {
	t.Helper()
	o.Certs = authority(t, "playbot.mcollective")
}

func fileClient(t *testing.T, f *fleetsim.Options, o *choria.Options, privileged bool) {
	t.Helper()
	o.CA, o.Cert, o.Key = f.Certs.CA, f.Certs.ClientCert, f.Certs.ClientKey
	if !privileged {
		return
	}
	o.Identity = "playbot.privileged.mcollective"
	var err error
	if o.Cert, o.Key, err = f.Certs.Issue(o.Identity); err != nil {
		t.Fatal(err)
	}
}

func tokenFleet(t *testing.T, o *fleetsim.Options) {
	t.Helper()
	o.Tokens = issuer(t)
}

func tokenClient(t *testing.T, f *fleetsim.Options, o *choria.Options, privileged bool) {
	t.Helper()
	o.Token, o.Seed = tokenFor(t, f.Tokens, fleetsim.May{Ask: true, SignForAll: privileged})
	o.Issuers = f.Tokens.Issuers()
}

func issuer(t *testing.T) *fleetsim.Tokens {
	t.Helper()
	tokens, err := fleetsim.NewTokens(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// botCaller is the caller of the tokens in these tests.
const botCaller = "choria=bot.choria"

func tokenFor(t *testing.T, tokens *fleetsim.Tokens, may fleetsim.May) (file, seed string) {
	t.Helper()
	file, seed, err := tokens.Client(botCaller, may)
	if err != nil {
		t.Fatal(err)
	}
	return file, seed
}

// each runs a test in every mode, with virtual time.
func each(t *testing.T, privileged bool, test func(under, mode)) {
	t.Helper()
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fo := fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0)}
				m.fleet(t, &fo)
				f := start(t, fo)
				o := choria.Options{InProcess: f}
				m.client(t, &fo, &o, privileged)
				test(under{T: t, fleet: f, client: connect(t, o)}, m)
			})
		})
	}
}

func TestMode_discoversAndCalls(t *testing.T) {
	t.Parallel()
	each(t, false, func(t under, m mode) {
		found, err := t.client.Discover(t.Context(), choria.Filter{Agents: []string{"appmgr"}, Facts: []string{"tier=bravo"}})
		if err != nil || fmt.Sprint(found) != fmt.Sprint(bravo()) {
			t.Errorf("discovered %v, %v; want %v", found, err, bravo())
		}
		res, err := t.client.Call(t.Context(), choria.Request{
			Agent: "appmgr", Action: "upgrade", Nodes: bravo(), Data: map[string]any{"revision": "2.0.0"}, BatchSize: 2,
			Run: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Key: "tasks.1",
		})
		if want := "ok 3 failed 0 silent 0 unasked 0 stranger 0 duplicate 0 malformed 0"; err != nil || account(res) != want {
			t.Fatalf("got %v, %s", err, account(res))
		}
		caller := "choria=playbot.mcollective"
		if m.name == "v2" {
			caller = botCaller
		}
		for _, c := range t.fleet.Calls() {
			if c.Caller != caller || c.RequestID != res.ID || !strings.HasPrefix(c.RequestID, "01arz3ndektsv4rrffq69g5fav") {
				t.Errorf("%s was asked by %s in request %s, want %s and %s", c.Node, c.Caller, c.RequestID, caller, res.ID)
			}
		}
		if got := t.fleet.Node(bravo()[0]).Revision; got != "2.0.0" {
			t.Errorf("the first node runs %s", got)
		}
	})
}

func TestMode_takesNoReplyForAnAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	for kind, want := range map[fleetsim.Kind]string{
		fleetsim.Duplicate:      "ok 3 failed 0 silent 0 unasked 0 stranger 0 duplicate 1 malformed 0",
		fleetsim.Stranger:       "ok 2 failed 0 silent 1 unasked 0 stranger 1 duplicate 0 malformed 0",
		fleetsim.WrongRequestID: "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 other 1",
		fleetsim.Malformed:      "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 1",
		fleetsim.Huge:           "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 1",
		fleetsim.Unsigned:       "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 untrusted 1",
		fleetsim.Forged:         "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 untrusted 1",
		fleetsim.Foreign:        "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 untrusted 1",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			each(t, false, func(t under, m mode) {
				want := want
				switch {
				case m.name == "v2" && kind == fleetsim.Stranger: // with its own token, in another's name
					want = "ok 2 failed 0 silent 1 unasked 0 stranger 0 duplicate 0 malformed 0 untrusted 1"
				case m.name != "v2" && strings.Contains(want, "untrusted"): // replies are not signed
					want = "ok 3 failed 0 silent 0 unasked 0 stranger 0 duplicate 0 malformed 0"
				}
				t.fleet.Fault(fleetsim.Fault{Node: "web4.example.net", Kind: kind})
				t.fleet.Fault(fleetsim.Fault{Node: "web6.example.net", Kind: fleetsim.Slow, Delay: time.Second})
				res, err := t.client.Call(t.Context(), ping(bravo()...))
				if got := account(res); err != nil || got != want {
					t.Errorf("got %v, %s, want %s", err, got, want)
				}
			})
		})
	}
}

func TestMode_namesThePersonWhereItMay(t *testing.T) {
	t.Parallel()
	const person = "slack=T1.UANA"
	each(t, true, func(t under, _ mode) {
		c := t.client.Callers()
		if got, err := c.Person("T1", "UANA"); err != nil || got != person || !c.Named {
			t.Fatalf("got %q, %v from %+v", got, err, c)
		}
		q := ping(bravo()...)
		q.Caller = person
		res, err := t.client.Call(t.Context(), q)
		if err != nil || len(res.Replies) != 3 {
			t.Fatalf("got %v, %s", err, account(res))
		}
		if _, err := t.client.Call(t.Context(), ping(bravo()...)); err != nil {
			t.Fatal(err)
		}
		for i, call := range t.fleet.Calls() {
			if want := map[bool]string{true: person, false: c.Own}[i < 3]; call.Caller != want {
				t.Errorf("%s was asked by %s, want %s", call.Node, call.Caller, want)
			}
		}
	})
}

func TestMode_ordinaryClientsDoNotAskAsAnother(t *testing.T) {
	t.Parallel()
	each(t, false, func(t under, m mode) {
		if m.name == "v1 insecure" {
			return // nobody is ordinary there
		}
		c := t.client.Callers()
		if got, err := c.Person("T1", "UANA"); err != nil || got != "" || c.Named || c.Why == "" {
			t.Errorf("got %q, %v from %+v", got, err, c)
		}
		q := ping(bravo()...)
		q.Caller = "slack=T1.UANA"
		if _, err := t.client.Call(t.Context(), q); !errors.Is(err, choria.ErrNotSent) || !strings.Contains(err.Error(), "cannot ask as") {
			t.Errorf("got %v", err)
		}
		if n := len(t.fleet.Calls()); n != 0 {
			t.Errorf("%d nodes were asked", n)
		}
	})
}

func TestCallers_nobodyCanSlipSomethingIntoTheName(t *testing.T) {
	t.Parallel()
	c := choria.Callers{Named: true}
	for _, row := range []struct{ team, user, want string }{
		{"T1", "UANA", "slack=T1.UANA"}, {"", "root", ""}, {"T-1_x", "w-1", "slack=T-1_x.w-1"},
	} {
		if got, err := c.Person(row.team, row.user); err != nil || got != row.want {
			t.Errorf("%+v: got %q, %v", row, got, err)
		}
	}
	for _, row := range []struct{ team, user string }{
		{"T1", ""},
		{"T1", "U A"},
		{"T1.U2", "U1"},
		{"T1", "U1.U2"},
		{"T1", "U1 slack=T1.U2"},
		{"T1", "U=1"},
		{"T1", "U1\n"},
		{"T1", "ü"},
		{"T1", "/.*/"},
		{"T1", strings.Repeat("U", 300)},
	} {
		if got, err := c.Person(row.team, row.user); err == nil {
			t.Errorf("%+v: got %q, want a refusal", row, got)
		}
	}
}

func TestRequestID_namesTheRunAndCannotBeGuessed(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		other := connect(t.T, choria.Options{InProcess: t.fleet, Insecure: true})
		ask := func(c *choria.Client, run, key string) string {
			q := ping(bravo()...)
			q.Run, q.Key = run, key
			res, err := c.Call(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return res.ID
		}
		const run = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
		first := ask(t.client, run, "k")
		if !regexp.MustCompile(`^01arz3ndektsv4rrffq69g5fav[A-Za-z0-9_-]{6}$`).MatchString(first) {
			t.Errorf("got %s", first)
		}
		for name, id := range map[string]string{
			"another key": ask(t.client, run, "l"), "no key": ask(t.client, run, ""), "another secret": ask(other, run, "k"), "no run": ask(t.client, "", "k"),
		} {
			if id == first || len(id) != 32 {
				t.Errorf("%s: got %s beside %s", name, id, first)
			}
		}
		if again := ask(t.client, run, "k"); again != first {
			t.Errorf("the same attempt asks in %s and in %s", first, again)
		}
		q := ping(bravo()...)
		q.Run = "a.*.>"
		if _, err := t.client.Call(t.Context(), q); !errors.Is(err, choria.ErrNotSent) {
			t.Errorf("a run id with a subject in it: got %v", err)
		}
	})
}

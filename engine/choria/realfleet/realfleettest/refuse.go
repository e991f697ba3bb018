package realfleettest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/internal/wire"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// target is the server that is asked.
const target = "web1" + suffix

// attempt is a request that differs from a good one in one respect.
type attempt struct {
	name   string
	change func(*wire.Request) // nil changes nothing
	by     string              // who signs, see [side.sealer]; "" is our client
	obeyed bool
}

// attempts are those of every mode.
func attempts() []attempt {
	at := func(offset time.Duration) func(*wire.Request) {
		return func(r *wire.Request) { r.Time = time.Now().Add(offset) }
	}
	return []attempt{
		{name: "good", obeyed: true},
		{name: "almost too old", change: at(-50 * time.Second), obeyed: true},
		{name: "too old", change: at(-61 * time.Second)},
		{name: "from the future", change: at(62 * time.Second)},
		{name: "for servers of another agent", change: func(r *wire.Request) { r.Filter.Agent = []string{"nosuch"} }},
		{name: "for servers of another class", change: func(r *wire.Request) { r.Filter.Class = []string{"nosuch"} }},
		{name: "for a server of another name", change: func(r *wire.Request) { r.Filter.Identity = []string{"lb1" + suffix} }},
	}
}

// attemptsOf are those that only mean something in one mode: who may ask in whose name.
func attemptsOf(mode realfleet.Mode) []attempt {
	as := func(caller string) func(*wire.Request) {
		return func(r *wire.Request) { r.Caller = caller }
	}
	switch mode {
	case realfleet.File:
		return []attempt{
			{name: "caller is not the signer", change: as("choria=root.mcollective")},
			{name: "caller of another kind", change: as("slack=T1.UANA")},
			{name: "the signer as another kind", change: as("slack=playbot.mcollective"), obeyed: true},
			{name: "caller is a server", change: as("choria=lb1" + suffix), by: "server"},
			{name: "signed by another authority", by: "foreign"},
			{name: "a person, by a privileged certificate", change: as("slack=T1.UANA"), by: "privileged", obeyed: true},
			{name: "more than a person, by a privileged certificate", change: as("slack=T1.UANA or so"), by: "privileged", obeyed: true},
			{name: "no name, by a privileged certificate", change: as("T1.UANA"), by: "privileged"},
			{name: "more than the signer", change: as("choria=playbot.mcollective or so"), obeyed: true},
		}
	case realfleet.JWT:
		return []attempt{
			{name: "caller is not the one of the token", change: as("choria=root.mcollective")},
			{name: "caller of another kind", change: as("slack=T1.UANA")},
			{name: "token of another issuer", by: "foreign"},
			{name: "token that has ended", by: "ended"},
			{name: "token without the right to ask", by: "nobody"},
			{name: "token with another key", by: "thief"},
			{name: "token that needs an authority, alone", by: "ward"},
			{name: "token that needs an authority, and an authority", by: "ward of authority", obeyed: true},
			{name: "token that needs an authority, and an ordinary token", by: "ward of client"},
			{name: "a person, by an authority for itself", change: as("slack=T1.UANA"), by: "authority", obeyed: true},
			{name: "a person, by an authority for another", change: as("slack=T1.UANA"), by: "ward of authority", obeyed: true},
			{name: "a person, by an authority of another issuer", change: as("slack=T1.UANA"), by: "ward of foreign authority"},
		}
	default:
		return []attempt{
			{name: "another caller", change: as("choria=root.mcollective"), obeyed: true},
			{name: "a person", change: as("slack=T1.UANA"), obeyed: true},
		}
	}
}

// Refuse sends requests past our client. What a simulated server obeys must be what a real one does.
func Refuse(t *testing.T, _ realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	nodes := realfleet.Six()[:2]
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: nodes})
	d := simulate(t, mode, f.Identity, nodes)
	for who, s := range map[string]*side{
		"real":      {options: f.Options(), revision: func() string { return f.Revision(target) }, certificate: f.Issue, token: f.Token},
		"simulated": {options: d.options, revision: func() string { return d.Node(target).Revision }, certificate: d.certs.Issue, token: d.token},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			client, conn := Connect(t, s.options), Dial(t, s.options)
			for i, a := range append(attempts(), attemptsOf(mode)...) {
				r := upgradeTo(fmt.Sprintf("r%d", i), s.options.Identity)
				if a.change != nil {
					a.change(&r)
				}
				deliver(t, client, conn, r, s.sealer(t, a.by))
				if obeyed := s.revision() == fmt.Sprintf("r%d", i); obeyed != a.obeyed {
					t.Errorf("%s: obeyed %v, want %v", a.name, obeyed, a.obeyed)
				}
			}
		})
	}
}

// upgradeTo is a request that a server obeys, once it is sent as it is.
func upgradeTo(revision, identity string) wire.Request {
	return wire.Request{
		ID: strings.Repeat("e", 32-len(revision)) + revision, Sender: identity, Caller: "choria=" + identity, Collective: "mcollective", Agent: "appmgr",
		Time: time.Now(), TTL: time.Minute, Filter: wire.Filter{Agent: []string{"appmgr"}}.Whole(), ReplyTo: "mcollective.reply.nobody.x",
		Payload: `{"agent":"appmgr","action":"upgrade","data":{"revision":"` + revision + `"}}`,
	}
}

// deliver publishes a request and returns when the server has dealt with it: it has answered good ones
// that came behind.
func deliver(t *testing.T, client *choria.Client, conn *nats.Conn, r wire.Request, s sealed) {
	t.Helper()
	msg, err := wire.Encode(t.Context(), s.version, r, s.sealer)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Publish(wire.NodeSubject("mcollective", target), msg); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // a server carries requests out side by side
		res, err := client.Call(t.Context(), choria.Request{Agent: "appmgr", Action: "status", Nodes: []string{target}})
		if err != nil || len(res.Replies) != 1 || !res.Replies[0].OK() {
			t.Fatalf("got %v, %+v", err, res)
		}
	}
}

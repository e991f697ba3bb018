package realfleet_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/choria-io/go-choria/protocol"
	protov1 "github.com/choria-io/go-choria/protocol/v1"
	protov2 "github.com/choria-io/go-choria/protocol/v2"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// plain seals a request with nothing that proves who sent it; Federation Brokers do not look.
type plain struct{}

func (plain) Seal(_ context.Context, request []byte, _ string) ([]byte, error) { return request, nil }

// TestFederation_headersAreReadByChoria has go-choria read what we say to Federation Brokers, and what the
// simulated ones pass on, in both versions; it checks each against its schema.
func TestFederation_headersAreReadByChoria(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		version wire.Version
		read    func([]byte) (protocol.TransportMessage, error)
		reply   func(wire.Reply) ([]byte, error)
	}{
		"version 1": {wire.V1, protov1.NewTransportFromJSON, wire.EncodeReply},
		"version 2": {wire.V2, protov2.NewTransportFromJSON, func(r wire.Reply) ([]byte, error) { return wire.EncodeReply2(r, nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := wire.Request{ID: strings.Repeat("a", 32), Sender: "playbot", Caller: "choria=playbot", Collective: "mcollective", Agent: "rpcutil", Time: time.Now(), ReplyTo: "mcollective.reply.x.y"}
			sealed, err := wire.Seal(t.Context(), row.version, r, plain{})
			if err != nil {
				t.Fatal(err)
			}
			targets := make([]string, wire.MaxTargets)
			for i := range targets {
				targets[i] = wire.NodeSubject("mcollective", "web.example.net")
			}
			msg, err := sealed.Federated(targets)
			if err != nil {
				t.Fatal(err)
			}
			told := read(t, row.read, msg)
			if told.request != r.ID || !slices.Equal(told.targets, targets) || told.replyTo != r.ReplyTo || told.back != "" {
				t.Errorf("of a request Choria reads %+v", told)
			}
			passed, err := wire.Forward(msg, func(replyTo string, f *wire.Federation) (string, *wire.Federation) {
				return wire.CollectiveSubject("north"), &wire.Federation{Request: f.Request, ReplyTo: replyTo}
			})
			if err != nil {
				t.Fatal(err)
			}
			told = read(t, row.read, passed)
			if told.request != r.ID || len(told.targets) > 0 || told.replyTo != "choria.federation.north.collective" || told.back != r.ReplyTo {
				t.Errorf("of a request that a Federation Broker passed on Choria reads %+v", told)
			}
			answer, err := row.reply(wire.Reply{ID: r.ID, Sender: "web.example.net", Agent: r.Agent, Time: time.Now(), Payload: "{}", Federation: &wire.Federation{Request: r.ID, ReplyTo: r.ReplyTo}})
			if err != nil {
				t.Fatal(err)
			}
			if told = read(t, row.read, answer); told.request != r.ID || told.back != r.ReplyTo {
				t.Errorf("of a reply Choria reads %+v", told)
			}
			if _, err := sealed.Federated(append(targets, "one more")); err == nil {
				t.Error("a message names more targets than a Federation Broker is given")
			}
		})
	}
}

// told is what a transport says.
type told struct {
	request, replyTo, back string
	targets                []string
}

func read(t *testing.T, decode func([]byte) (protocol.TransportMessage, error), data []byte) told {
	t.Helper()
	m, err := decode(data)
	if err != nil {
		t.Fatalf("Choria does not read %s: %v", data, err)
	}
	var out told
	out.request, _ = m.FederationRequestID()
	out.targets, _ = m.FederationTargets()
	out.back, _ = m.FederationReplyTo()
	out.replyTo = m.ReplyTo()
	return out
}

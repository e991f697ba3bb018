package choria_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func describe(agent string) choria.Request {
	return choria.Request{
		Agent: "choria_registry", Action: "ddl", Timeout: 2 * time.Second, Data: map[string]any{"name": agent, "plugin_type": "agent", "format": "json"},
	}
}

// offering is the world of a test with a fleet that has a registry, in each mode, with virtual time.
func offering(t *testing.T, test func(under)) {
	t.Helper()
	for _, m := range modes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fo := fleetsim.Options{Nodes: fleetsim.Plain(2), Registry: map[string]string{"appmgr": "{}"}}
				m.fleet(t, &fo)
				f := start(t, fo)
				o := choria.Options{InProcess: f}
				m.client(t, &fo, &o, false)
				test(under{T: t, fleet: f, client: connect(t, o)})
			})
		})
	}
}

func TestService_isAnsweredByOneServer(t *testing.T) {
	t.Parallel()
	offering(t, func(u under) {
		r, err := u.client.Service(u.Context(), describe("appmgr"))
		if err != nil || !r.OK() || r.Sender != fleetsim.RegistryNode || r.Data["ddl"] != "{}" {
			u.Errorf("got %+v, %v", r, err)
		}
		r, err = u.client.Service(u.Context(), describe("nosuch"))
		if err != nil || r.OK() || r.StatusMsg != "Could not load DDL" {
			u.Errorf("got %+v, %v; want what the server says", r, err)
		}
	})
}

func TestService_takesTheFirstAnswerThatCounts(t *testing.T) {
	t.Parallel()
	offering(t, func(u under) {
		for kind, want := range map[fleetsim.Kind]string{
			fleetsim.Silent: "no server answers for the service choria_registry", fleetsim.Huge: "it has more than 1048576 bytes",
			fleetsim.Malformed: "gives no answer that counts", fleetsim.WrongRequestID: "no server answers",
		} {
			u.fleet.ClearFaults()
			u.fleet.Fault(fleetsim.Fault{Node: fleetsim.RegistryNode, Kind: kind})
			r, err := u.client.Service(u.Context(), describe("appmgr"))
			if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, choria.ErrNoService) != strings.Contains(want, "no server") {
				u.Errorf("%s: got %+v, %v; want %q", kind, r, err, want)
			}
		}
		u.fleet.ClearFaults()
		u.fleet.Fault(fleetsim.Fault{Node: fleetsim.RegistryNode, Kind: fleetsim.Duplicate})
		if r, err := u.client.Service(u.Context(), describe("appmgr")); err != nil || !r.OK() {
			u.Errorf("answered twice: %+v, %v", r, err)
		}
	})
}

func TestService_holdsTheAnswerToItsSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		theirs := issuer(t)
		f := start(t, fleetsim.Options{Nodes: fleetsim.Plain(1), Registry: map[string]string{}, Tokens: theirs})
		o := choria.Options{InProcess: f, Issuers: issuer(t).Issuers()}
		o.Token, o.Seed = tokenFor(t, theirs, fleetsim.May{Ask: true})
		c := connect(t, o)
		if r, err := c.Service(t.Context(), describe("appmgr")); err == nil {
			t.Errorf("an answer of a stranger counts: %+v", r)
		}
	})
}

func TestService_thatNobodyOffers(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Plain(1), func(u under) {
		if r, err := u.client.Service(u.Context(), describe("appmgr")); !errors.Is(err, choria.ErrNoService) {
			u.Errorf("got %+v, %v", r, err)
		}
		for _, name := range []string{"", "*", "a b", ">"} {
			if _, err := u.client.Service(u.Context(), choria.Request{Agent: name, Action: "x"}); !errors.Is(err, choria.ErrNotSent) {
				u.Errorf("%q: %v; want nothing sent", name, err)
			}
		}
	})
}

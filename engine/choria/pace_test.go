package choria

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// slowSealer takes as long to sign as an AAA service that is busy.
type slowSealer struct {
	wire.Sealer

	takes time.Duration
}

// Seal implements [wire.Sealer].
func (s slowSealer) Seal(ctx context.Context, request []byte, caller string) ([]byte, error) {
	time.Sleep(s.takes) // virtual time
	return s.Sealer.Seal(ctx, request, caller)
}

// simulated is a client before a fleet without security, in virtual time.
func simulated(t *testing.T, nodes int) (*fleetsim.Fleet, *Client) {
	t.Helper()
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.Plain(nodes)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	c, err := Connect(t.Context(), Options{InProcess: f, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return f, c
}

func TestCall_givesNodesTheirWholeTimeHoweverLongSigningTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, c := simulated(t, 1)
		c.security.sealer = slowSealer{c.security.sealer, 9 * time.Second}
		f.Fault(fleetsim.Fault{Action: "rpcutil.ping", Kind: fleetsim.Slow, Delay: 9 * time.Second})
		res, err := c.Call(t.Context(), Request{Agent: "rpcutil", Action: "ping", Nodes: []string{f.Nodes()[0].Name}, Timeout: 10 * time.Second})
		if err != nil || len(res.Replies) != 1 {
			t.Errorf("got %v, %+v; want the answer, which came within the time", err, res)
		}
	})
}

func TestCall_withTheIDOfACallUnderWaySendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, c := simulated(t, 2)
		var second error
		q := Request{Agent: "rpcutil", Action: "ping", Nodes: []string{f.Nodes()[0].Name, f.Nodes()[1].Name}, Run: "01J00000000000000000000000", Key: "tasks.1", BatchSize: 1}
		q.OnReply = func(Reply) {
			again := q
			again.OnReply = nil
			_, second = c.Call(t.Context(), again)
		}
		res, err := c.Call(t.Context(), q)
		if err != nil || len(res.Replies) != 2 {
			t.Errorf("the first call: %v, %+v", err, res)
		}
		if !errors.Is(second, ErrNotSent) || !strings.Contains(second.Error(), "under way") {
			t.Errorf("the second call: %v; want that nothing was sent", second)
		}
		if n := len(f.Calls()); n != 2 {
			t.Errorf("%d requests reached nodes, want 2", n)
		}
		q.OnReply = nil
		if res, err := c.Call(t.Context(), q); err != nil || len(res.Replies) != 2 {
			t.Errorf("after the first call: %v, %+v", err, res)
		}
	})
}

// listing is a reply to agent_inventory with n agents.
func listing(sender string, n int) Reply {
	list := make([]any, n)
	for i := range list {
		list[i] = map[string]any{"agent": fmt.Sprint("a", i), "version": "1.0.0"}
	}
	return Reply{Sender: sender, Data: map[string]any{"agents": list}}
}

func TestAgentLists_areBounded(t *testing.T) {
	t.Parallel()
	l := &agentLists{nodes: make(map[string]map[string]string)}
	for i := range 100 {
		l.add(listing(fmt.Sprint("web", i), 50))
	}
	if err := l.err(); err != nil || len(l.nodes) != 100 || len(l.nodes["web99"]) != 50 {
		t.Errorf("%d nodes, %v", len(l.nodes), err)
	}
	l.add(Reply{Sender: "long", Data: map[string]any{"agents": []any{map[string]any{"agent": strings.Repeat("x", maxAgentLists), "version": "1"}}}})
	if err := l.err(); err == nil || !strings.Contains(err.Error(), "long") || l.nodes["long"] != nil || l.bytes > maxAgentLists {
		t.Errorf("%d bytes are kept, %v; want an error that names the node", l.bytes, err)
	}
	l.add(listing("after", 1))
	if l.nodes["after"] != nil {
		t.Error("more is kept after there was too much")
	}
}

// cutting is a sealer during which the connection goes.
type cutting struct {
	wire.Sealer

	cut func()
}

// Seal implements [wire.Sealer].
func (s cutting) Seal(ctx context.Context, request []byte, caller string) ([]byte, error) {
	s.cut()
	return s.Sealer.Seal(ctx, request, caller)
}

func TestService_saysThatNobodyWasAskedWhenTheConnectionGoesBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, c := simulated(t, 1)
		c.security.sealer = cutting{c.security.sealer, c.conn.Close}
		if _, err := c.Service(t.Context(), Request{Agent: "choria_registry", Action: "ddl"}); !errors.Is(err, ErrNotSent) {
			t.Errorf("got %v, want that nothing was sent", err)
		}
	})
}

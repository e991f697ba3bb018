package realfleettest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/choria-io/go-choria/protocol"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/client"
	agentddl "github.com/choria-io/go-choria/providers/agent/mcorpc/ddl/agent"

	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Library asks the servers of a fleet with go-choria's own client: they are a Choria network also for
// somebody who shares nothing with us.
func Library(t *testing.T, kit realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: fleet(), Kit: kit})
	fw := f.Library(t)
	ask := func(agent, action string, inputs map[string]any, names ...string) string {
		t.Helper()
		var described []client.Option // Choria knows its own agents
		if agent != "rpcutil" {
			ddl, err := agentddl.New(filepath.Join(kit.DDLs, agent+".json"))
			if err != nil {
				t.Fatal(err)
			}
			described = append(described, client.DDL(ddl))
		}
		rpc, err := client.New(fw, agent, described...)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex // guards answers
		var answers []string
		note := func(r protocol.Reply, reply *client.RPCReply) {
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, plain(r.SenderID())+" "+fmt.Sprint(reply.Statuscode))
		}
		if _, err := rpc.Do(t.Context(), action, inputs, client.Targets(names), client.Timeout(patience), client.ReplyHandler(note)); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(answers)
		return strings.Join(answers, ", ")
	}
	if got, want := ask("rpcutil", "ping", map[string]any{}, f.Names()...), "lb1 0, lb2 0, web1 0, web2 0, web3 0, web4 0"; got != want {
		t.Errorf("rpcutil.ping: got %s; want %s", got, want)
	}
	if got, want := ask("appmgr", "upgrade", map[string]any{"revision": "abc"}, "web1"+suffix), "web1 0"; got != want {
		t.Errorf("appmgr.upgrade: got %s; want %s", got, want)
	}
	for name, want := range map[string]string{"web1": "puppet on, runs abc, upgraded once", "web2": first} {
		if got := stateOf(f.State(t, name+suffix)); got != want {
			t.Errorf("%s is %s; want %s", name, got, want)
		}
	}
}

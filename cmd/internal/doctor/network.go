package doctor

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria"
)

// network is a Choria network that is in reach.
type network struct {
	site

	client *choria.Client
	server string // as it is configured
}

// look counts who is there, asks one of them for a sign of life, and compares what it has with what we know.
func (w network) look(ctx context.Context, n *notes) {
	w.callers(n.about("choria caller"), w.client)
	n.about("choria nodes")
	begin := time.Now()
	nodes, err := w.client.Discover(ctx, choria.Filter{})
	switch {
	case err != nil:
		n.problem(err, "look at the broker's log")
		return
	case len(nodes) > 0:
		n.ok("%s answered a discovery within %v", counted(len(nodes), "node"), time.Since(begin).Round(time.Millisecond))
	default:
		if nodes = w.slow(ctx); len(nodes) == 0 {
			n.broken(w.silence(), "nobody in the collective %s answers a discovery", w.cfg.NATS.Collective)
			return
		}
		n.warn("raise nats.discovery_window", "%s answered a discovery, and none of them within nats.discovery_window: runs would find nobody", counted(len(nodes), "node"))
	}
	w.ping(ctx, n, nodes[0])
	w.agents(ctx, n.about("choria agents"), nodes)
}

// slow asks once more and listens for longer.
func (w network) slow(ctx context.Context) []string {
	o := w.cfg.ChoriaOptions()
	o.Servers, o.SRVDomain, o.Window, o.MaxWait = []string{w.server}, "", w.patience(), w.patience()
	client, err := choria.Connect(ctx, o)
	if err != nil {
		return nil
	}
	defer client.Close()
	nodes, err := client.Discover(ctx, choria.Filter{})
	if err != nil {
		return nil
	}
	return nodes
}

// silence is what to look at when no node answers.
func (w network) silence() string {
	if w.cfg.NATS.Insecure {
		return "compare nats.collective with the servers' collectives; servers with security ignore a client with nats.insecure"
	}
	return "compare nats.collective with the servers' collectives, nats.ca with the CA that they trust, and their clocks with this one; a server's log says why it drops a request"
}

// ping calls an action that does nothing but answer.
func (w network) ping(ctx context.Context, n *notes, node string) {
	begin := time.Now()
	res, err := w.client.Call(ctx, choria.Request{Agent: "rpcutil", Action: "ping", Nodes: []string{node}})
	end := time.Now()
	const remedy = "look at the log and the action policy of that server: requests of this caller must be let through"
	switch {
	case err != nil:
		n.problem(err, remedy)
	case len(res.Replies) == 0:
		n.broken(remedy, "%s answered the discovery, but not rpcutil.ping within %v", node, w.patience())
	case !res.Replies[0].OK():
		n.broken(remedy, "%s refuses rpcutil.ping: %s", node, res.Replies[0].StatusMsg)
	default:
		n.ok("%s answered rpcutil.ping in %v", node, end.Sub(begin).Round(time.Millisecond))
		if at, ok := pong(res.Replies[0].Data); ok {
			skewed(n.about("choria clock"), "that of "+node, ahead(begin, end, at))
		}
	}
}

// pong is the time that a node tells in whole seconds.
func pong(data map[string]any) (time.Time, bool) {
	switch v := data["pong"].(type) {
	case float64:
		return time.Unix(int64(v), 0), true
	case json.Number:
		seconds, err := v.Int64()
		return time.Unix(seconds, 0), err == nil
	}
	return time.Time{}, false
}

// sample is how many nodes are asked which agents they have.
const sample = 10

// agents compares the versions of agents with those of the DDLs.
func (w network) agents(ctx context.Context, n *notes, nodes []string) {
	x, err := w.cfg.DDLs()
	if err != nil || len(x.Agents()) == 0 {
		n.skip("no DDL is known to compare with")
		return
	}
	asked := nodes[:min(len(nodes), sample)]
	found, err := w.client.Agents(ctx, asked)
	if err != nil {
		n.problem(err, "look at the log of the servers")
		return
	}
	for _, agent := range x.Agents() {
		var other []string
		for _, node := range asked {
			if v := found[node][agent]; v != "" && x.Version(agent, v) == nil && !slices.Contains(other, v) {
				other = append(other, v)
			}
		}
		if len(other) > 0 {
			n.warn("put the DDL of the version that nodes have into a folder of choria.ddls",
				"%s: nodes have %s, and the newest DDL is of %s; requests are checked against that", agent, strings.Join(other, ", "), x.Newest(agent).Version)
		}
	}
	if n.good() {
		n.ok("%s on %s are as their DDLs say", counted(len(x.Agents()), "agent"), counted(len(asked), "node"))
	}
}

package choria

import (
	"context"
	"fmt"
	"slices"

	"github.com/playbot/playbot/engine"
)

var _ engine.Fleet = (*Client)(nil)

// Ping implements [engine.Fleet].
func (c *Client) Ping(ctx context.Context, nodes []string) ([]string, error) {
	res, err := c.Call(ctx, Request{Agent: "rpcutil", Action: "ping", Nodes: nodes})
	return slices.Concat(res.Silent, res.Unknown), err
}

// Agents implements [engine.Fleet].
func (c *Client) Agents(ctx context.Context, nodes []string) (map[string]map[string]string, error) {
	lists := agentLists{nodes: make(map[string]map[string]string, len(nodes))}
	// As they arrive: of a large fleet not all replies are kept.
	_, err := c.Call(ctx, Request{Agent: "rpcutil", Action: "agent_inventory", Nodes: nodes, OnReply: lists.add})
	if err == nil {
		err = lists.err()
	}
	if err != nil {
		return nil, err
	}
	return lists.nodes, nil
}

// maxAgentLists bounds what is kept of the agents of all nodes, in bytes: a hundred agents on each of 10,000 nodes.
const maxAgentLists = 96 << 20

// agentLists are the agents of nodes and their versions.
type agentLists struct {
	nodes map[string]map[string]string
	bytes int
	much  string // the node with whose agents it became too much
}

// add takes the reply of a node.
func (l *agentLists) add(r Reply) {
	if !r.OK() || l.much != "" {
		return
	}
	versions := agentVersions(r.Data)
	size := weightMap
	for name, version := range versions {
		size += 4*weightWord + len(name) + len(version) // half of a map's places may be empty
	}
	if l.bytes+size > maxAgentLists {
		l.much = r.Sender
		return
	}
	l.bytes += size
	l.nodes[r.Sender] = versions
}

// err says that not all could be kept.
func (l *agentLists) err() error {
	if l.much == "" {
		return nil
	}
	return fmt.Errorf("rpcutil.agent_inventory: the lists of agents have more than %d bytes, with that of %s; does a node invent agents?", maxAgentLists, l.much)
}

// agentVersions reads {"agents": [{"agent": "puppet", "version": "1.11.0", …}]}.
func agentVersions(data map[string]any) map[string]string {
	versions := make(map[string]string)
	list, _ := data["agents"].([]any)
	for _, item := range list {
		a, _ := item.(map[string]any)
		name, _ := a["agent"].(string)
		if name == "" {
			name, _ = a["name"].(string)
		}
		version, _ := a["version"].(string)
		if name != "" {
			versions[name] = version
		}
	}
	return versions
}

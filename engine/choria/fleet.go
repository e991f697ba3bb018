package choria

import (
	"context"
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
	out := make(map[string]map[string]string, len(nodes))
	_, err := c.Call(ctx, Request{Agent: "rpcutil", Action: "agent_inventory", Nodes: nodes, OnReply: func(r Reply) {
		if r.OK() { // as they arrive: of a large fleet not all replies are kept
			out[r.Sender] = agentVersions(r.Data)
		}
	}})
	if err != nil {
		return nil, err
	}
	return out, nil
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

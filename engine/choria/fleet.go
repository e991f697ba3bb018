package choria

import (
	"context"

	"github.com/playbot/playbot/engine"
)

var _ engine.Fleet = (*Client)(nil)

// Ping implements [engine.Fleet].
func (c *Client) Ping(ctx context.Context, nodes []string) ([]string, error) {
	res, err := c.Call(ctx, Request{Agent: "rpcutil", Action: "ping", Nodes: nodes})
	return res.Silent, err
}

// Agents implements [engine.Fleet].
func (c *Client) Agents(ctx context.Context, nodes []string) (map[string]map[string]string, error) {
	res, err := c.Call(ctx, Request{Agent: "rpcutil", Action: "agent_inventory", Nodes: nodes})
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[string]string, len(res.Replies))
	for _, r := range res.Replies {
		if r.OK() {
			out[r.Sender] = agentVersions(r.Data)
		}
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

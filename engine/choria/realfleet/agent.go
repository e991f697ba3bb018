package realfleet

import (
	"context"

	"github.com/choria-io/go-choria/inter"
	"github.com/choria-io/go-choria/providers/agent/mcorpc"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"
)

// appmgrVersion is the version that the appmgr agent states.
const appmgrVersion = "2.3.0"

// appmgr is an agent written with Choria's own library: upgrade(revision) and status.
func (f *Fleet) appmgr(mgr server.AgentManager, node string) *mcorpc.Agent {
	agent := mcorpc.New("appmgr", &agents.Metadata{
		Name: "appmgr", Description: "Runs an application of one revision", Author: "playbot", License: "Apache-2.0",
		Version: appmgrVersion, URL: "https://example.net", Timeout: 10,
	}, mgr.Choria(), mgr.Logger())
	agent.MustRegisterAction("upgrade", func(_ context.Context, req *mcorpc.Request, reply *mcorpc.Reply, _ *mcorpc.Agent, _ inter.ConnectorInfo) {
		f.record(node, req)
		var in struct {
			Revision string `json:"revision"`
		}
		if !mcorpc.ParseRequestData(&in, req, reply) {
			return
		}
		if in.Revision == "" {
			reply.Statuscode, reply.Statusmsg = mcorpc.MissingData, "missing input revision"
			return
		}
		previous := f.Revision(node)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.revisions[node] = in.Revision
		reply.Data = map[string]any{"revision": in.Revision, "previous": previous}
	})
	agent.MustRegisterAction("status", func(_ context.Context, req *mcorpc.Request, reply *mcorpc.Reply, _ *mcorpc.Agent, _ inter.ConnectorInfo) {
		f.record(node, req)
		reply.Data = map[string]any{"revision": f.Revision(node), "status": "running"}
	})
	return agent
}

func (f *Fleet) record(node string, req *mcorpc.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, Call{Node: node, Action: req.Action, Caller: req.CallerID, RequestID: req.RequestID})
}

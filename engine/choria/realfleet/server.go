package realfleet

import (
	"context"

	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/registry"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"

	"github.com/playbot/playbot/engine/choria/realfleet/member"
)

// stateFile is in the folder of a server, beside the files of package member; see webagents.State.
const stateFile = "state.json"

// startServer returns when the server is subscribed to everything, with a function that stops it.
func (s *site) startServer(ctx context.Context, broker string, n Node, f *Fleet) (stop func(), err error) {
	settings, err := s.prepare(broker, n, f.faults)
	if err != nil {
		return nil, err
	}
	fw, err := s.framework(n.Name, false, settings)
	if err != nil {
		return nil, err
	}
	has := member.Agents{In: func(mgr server.AgentManager, all map[string]agents.Agent) error { return f.agents(mgr, n, all) }}
	for agent := range n.Agents {
		has.External = append(has.External, agent)
	}
	return member.StartServer(ctx, fw, has)
}

// prepare writes what the server knows of itself and returns the settings that say where it is.
func (s *site) prepare(broker string, n Node, faults string) (map[string]string, error) {
	dir := s.folder(n.Name)
	settings, err := member.ServerSettings(dir, broker, n.Facts, n.Classes)
	if err != nil {
		return nil, err
	}
	if n.Registry != "" {
		settings["plugin.choria.services.registry.store"] = n.Registry
	}
	if n.Agents != nil {
		err = s.kit.install(n, dir, faults)
	}
	return settings, err
}

// agents adds those that a server has in this process.
func (f *Fleet) agents(mgr server.AgentManager, n Node, all map[string]agents.Agent) (err error) {
	if n.Agents == nil {
		all["appmgr"] = f.appmgr(mgr, n.Name)
	}
	if n.Registry != "" {
		all["choria_registry"], err = registry.New(mgr)
	}
	return err
}

package realfleet

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/external"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/discovery"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/registry"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/rpcutil"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"
)

// The files in the folder of a server, beside its configuration.
const (
	stateFile = "state.json" // see webagents.State
	auditFile = "audit.log"
	logFile   = "choria.log"
)

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
	const tries = 3
	for range tries {
		if stop, err = run(ctx, fw, n, f); err == nil {
			break
		}
	}
	return stop, err
}

// prepare writes what the server knows of itself and returns the settings that say where it is.
func (s *site) prepare(broker string, n Node, faults string) (map[string]string, error) {
	dir := s.folder(n.Name)
	facts, err := json.Marshal(n.Facts)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"plugin.choria.middleware_hosts":             broker,
		"plugin.choria.network.connect_timeout":      startTimeout.String(),
		"rpcauthorization":                           "0",
		"rpcaudit":                                   "1",
		"plugin.rpcaudit.logfile":                    filepath.Join(dir, auditFile),
		"plugin.choria.agent_provider.mcorpc.libdir": filepath.Join(dir, "lib"),
	}
	if settings["plugin.yaml"], err = write(dir, "facts.json", string(facts)); err != nil {
		return nil, err
	}
	if settings["classesfile"], err = write(dir, "classes.txt", strings.Join(n.Classes, "\n")); err != nil {
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

// run starts a server that has been configured. It fails also when an external agent did not say in
// time that it wants to be active, which a busy machine brings about.
func run(ctx context.Context, fw *gochoria.Framework, n Node, f *Fleet) (stop func(), err error) {
	srv, err := server.NewInstance(fw)
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	stop = func() { cancel(); wg.Wait() }
	unwatch := context.AfterFunc(ctx, cancel) // a start that takes too long is given up
	err = srv.Run(running, &wg)
	if err == nil {
		err = addAgents(running, srv, n, f)
	}
	if err == nil && n.Agents != nil {
		err = addExternal(running, fw, srv, n)
	}
	unwatch()
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// addAgents gives the server its agents in the process. Registering them here and not with go-choria's
// package variables keeps fleets apart.
func addAgents(ctx context.Context, srv *server.Instance, n Node, f *Fleet) error {
	mgr := srv.AgentManager()
	disco, err := discovery.New(mgr)
	if err != nil {
		return err
	}
	util, err := rpcutil.New(mgr)
	if err != nil {
		return err
	}
	all := map[string]agents.Agent{"discovery": disco, "rpcutil": util}
	if n.Agents == nil {
		all["appmgr"] = f.appmgr(mgr, n.Name)
	}
	if n.Registry != "" {
		if all["choria_registry"], err = registry.New(mgr); err != nil {
			return err
		}
	}
	for name, agent := range all {
		if err := mgr.RegisterAgent(ctx, name, agent, srv.Connector()); err != nil {
			return fmt.Errorf("register agent %s: %w", name, err)
		}
	}
	return nil
}

// addExternal has the server look for external agents, and waits until it has found all of them.
func addExternal(ctx context.Context, fw *gochoria.Framework, srv *server.Instance, n Node) error {
	const look = 5 * time.Millisecond
	provider := &external.Provider{}
	logger := fw.Logger("external")
	provider.Initialize(fw.Configuration(), logger)
	if err := provider.RegisterAgents(ctx, srv.AgentManager(), srv.Connector(), logger); err != nil {
		return err
	}
	for len(provider.Agents()) < len(n.Agents) {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return fmt.Errorf("it found %d external agents of %d: %w", len(provider.Agents()), len(n.Agents), context.Cause(ctx))
		}
	}
	for agent := range n.Agents {
		if !slices.Contains(srv.KnownAgents(), agent) {
			return fmt.Errorf("external agent %s is not active", agent)
		}
	}
	return nil
}

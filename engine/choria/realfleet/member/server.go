package member

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/external"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/discovery"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/rpcutil"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"
)

// Agents are those of a server beside discovery and rpcutil, which every one has.
type Agents struct {
	// In adds agents that are in this process; nil: there are none. Registering them so, and not with go-choria's
	// package variables, keeps servers apart.
	In func(mgr server.AgentManager, all map[string]agents.Agent) error
	// External are executables in the server's library folder; empty: none is looked for.
	External []string
}

// StartServer starts a server that has been configured. It returns when all agents are there, with a function that
// stops the server, which runs until then, whatever becomes of ctx.
func StartServer(ctx context.Context, fw *gochoria.Framework, a Agents) (stop func(), err error) {
	const tries = 3 // an external agent that does not say within 2 s that it wants to be there is passed over
	for range tries {
		if stop, err = a.start(ctx, fw); err == nil {
			break
		}
	}
	return stop, err
}

func (a Agents) start(ctx context.Context, fw *gochoria.Framework) (stop func(), err error) {
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
		err = a.register(running, srv)
	}
	if err == nil && len(a.External) > 0 {
		err = a.find(running, fw, srv)
	}
	unwatch()
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// register gives the server the agents that are in this process.
func (a Agents) register(ctx context.Context, srv *server.Instance) error {
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
	if a.In != nil {
		if err := a.In(mgr, all); err != nil {
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

// find has the server look for external agents, and waits until it has found all of them.
func (a Agents) find(ctx context.Context, fw *gochoria.Framework, srv *server.Instance) error {
	const look = 5 * time.Millisecond
	provider := &external.Provider{}
	logger := fw.Logger("external")
	provider.Initialize(fw.Configuration(), logger)
	if err := provider.RegisterAgents(ctx, srv.AgentManager(), srv.Connector(), logger); err != nil {
		return err
	}
	for len(provider.Agents()) < len(a.External) {
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return fmt.Errorf("it found %d external agents of %d: %w", len(provider.Agents()), len(a.External), context.Cause(ctx))
		}
	}
	for _, agent := range a.External {
		if !slices.Contains(srv.KnownAgents(), agent) {
			return fmt.Errorf("external agent %s is not active", agent)
		}
	}
	return nil
}

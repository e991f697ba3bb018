package realfleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/choria-io/go-choria/broker/network"
	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/config"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/discovery"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/rpcutil"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"

	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// site is where the configuration files, certificates and logs of a fleet are.
type site struct {
	dir   string
	certs *fleetsim.Certs
	log   *fleetLog
}

// framework writes a configuration file and loads it as `choria broker run` and `server run` do.
func (s *site) framework(name string, settings map[string]string) (*gochoria.Framework, error) {
	cert, key, err := s.certs.Issue(name)
	if err != nil {
		return nil, fmt.Errorf("make its certificate: %w", err)
	}
	var text strings.Builder
	for k, v := range map[string]string{
		"identity": name, "collectives": "mcollective", "main_collective": "mcollective",
		"plugin.security.provider":         "file",
		"plugin.security.file.ca":          s.certs.CA,
		"plugin.security.file.certificate": cert,
		"plugin.security.file.key":         key,
		"plugin.choria.use_srv":            "false",
	} {
		fmt.Fprintf(&text, "%s = %s\n", k, v)
	}
	for k, v := range settings {
		fmt.Fprintf(&text, "%s = %s\n", k, v)
	}
	path := filepath.Join(s.dir, name+".conf")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	cfg, err := config.NewSystemConfig(path, true)
	if err != nil {
		return nil, err
	}
	cfg.CustomLogger = s.log.Logger
	return gochoria.NewWithConfig(cfg)
}

// startBroker returns the address that the broker listens on, and a function that stops it.
func (s *site) startBroker(ctx context.Context) (addr string, stop func(), err error) {
	fw, err := s.framework("localhost", map[string]string{
		"plugin.choria.broker_network":         "true",
		"plugin.choria.network.listen_address": "127.0.0.1",
		"plugin.choria.network.client_port":    "-1", // the system chooses
		"plugin.choria.network.public_url":     "127.0.0.1:-1",
		"plugin.choria.network.peer_port":      "0",
		"plugin.choria.stats_port":             "0",
	})
	if err != nil {
		return "", nil, err
	}
	broker, err := network.NewServer(fw, fw.BuildInfo(), false)
	if err != nil {
		return "", nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	go broker.Start(running, &wg)
	stop = func() { cancel(); wg.Wait() }
	select {
	case addr = <-s.log.listening:
		return addr, stop, nil
	case <-ctx.Done():
		stop()
		return "", nil, fmt.Errorf("it does not listen: %w", context.Cause(ctx))
	}
}

// startServer returns when the server is subscribed to everything, with a function that stops it.
func (s *site) startServer(ctx context.Context, broker string, n Node, f *Fleet) (stop func(), err error) {
	facts, err := json.Marshal(n.Facts)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{"plugin.choria.middleware_hosts": broker, "rpcauthorization": "0"}
	for key, file := range map[string]struct{ name, text string }{
		"plugin.yaml": {n.Name + ".facts.json", string(facts)},
		"classesfile": {n.Name + ".classes.txt", strings.Join(n.Classes, "\n")},
	} {
		settings[key] = filepath.Join(s.dir, file.name)
		if err := os.WriteFile(settings[key], []byte(file.text), 0o600); err != nil {
			return nil, err
		}
	}
	fw, err := s.framework(n.Name, settings)
	if err != nil {
		return nil, err
	}
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
		err = addAgents(running, srv, n.Name, f)
	}
	unwatch()
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// addAgents gives the server its agents. Registering them here and not with go-choria's package
// variables keeps fleets apart.
func addAgents(ctx context.Context, srv *server.Instance, node string, f *Fleet) error {
	mgr := srv.AgentManager()
	disco, err := discovery.New(mgr)
	if err != nil {
		return err
	}
	util, err := rpcutil.New(mgr)
	if err != nil {
		return err
	}
	for name, agent := range map[string]agents.Agent{"discovery": disco, "rpcutil": util, "appmgr": f.appmgr(mgr, node)} {
		if err := mgr.RegisterAgent(ctx, name, agent, srv.Connector()); err != nil {
			return fmt.Errorf("register agent %s: %w", name, err)
		}
	}
	return nil
}

package demoreal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/choria-io/go-choria/broker/network"
	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/config"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/external"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/discovery"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/golang/rpcutil"
	"github.com/choria-io/go-choria/server"
	"github.com/choria-io/go-choria/server/agents"
	"github.com/sirupsen/logrus"

	"github.com/playbot/playbot/engine/choria/fleetsim"
)

const (
	collective = "mcollective"
	// identity is the bot's. Servers let a certificate whose name ends so speak for somebody else.
	identity = "deploy.privileged.mcollective"
)

// network is a Choria broker and a server for each machine, in this process.
type choriaNetwork struct {
	URL   string // of the broker
	certs *fleetsim.Certs
	dir   string
	stops []func() // the last first
}

// startNetwork returns when every server has found its agents.
func startNetwork(ctx context.Context, dir, bin string, all []*machine) (*choriaNetwork, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	certs, err := fleetsim.NewCerts(dir, identity)
	if err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	n := &choriaNetwork{certs: certs, dir: dir}
	if err := n.start(ctx, bin, all); err != nil {
		n.Stop()
		return nil, err
	}
	return n, nil
}

func (n *choriaNetwork) start(ctx context.Context, bin string, all []*machine) error {
	if err := n.startBroker(ctx); err != nil {
		return fmt.Errorf("start Choria's broker: %w", err)
	}
	for _, m := range all {
		if err := installAgents(m, bin); err != nil {
			return err
		}
		fw, err := n.server(m)
		if err != nil {
			return fmt.Errorf("start Choria's server of %s: %w", m.name, err)
		}
		const tries = 3 // an agent that does not say within 2 s that it is there is passed over
		for range tries {
			if err = n.startServer(ctx, fw, m); err == nil {
				break
			}
		}
		if err != nil {
			return fmt.Errorf("start Choria's server of %s: %w", m.name, err)
		}
	}
	return nil
}

// Stop ends the servers and the broker.
func (n *choriaNetwork) Stop() {
	for _, stop := range slices.Backward(n.stops) {
		stop()
	}
	n.stops = nil
}

// framework writes a configuration file and loads it, as the choria program would.
func (n *choriaNetwork) framework(name, dir string, settings map[string]string, hooks ...logrus.Hook) (*gochoria.Framework, error) {
	cert, key, err := n.certs.Issue(name)
	if err != nil {
		return nil, fmt.Errorf("make its certificate: %w", err)
	}
	var text strings.Builder
	for _, part := range []map[string]string{{
		"identity": name, "collectives": collective, "main_collective": collective, "plugin.choria.use_srv": "false",
		"plugin.security.provider": "file", "plugin.security.file.ca": n.certs.CA,
		"plugin.security.file.certificate": cert, "plugin.security.file.key": key,
	}, settings} {
		for k, v := range part {
			fmt.Fprintf(&text, "%s = %s\n", k, v)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "server.conf")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	cfg, err := config.NewSystemConfig(path, true)
	if err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(dir, "choria.log"))
	if err != nil {
		return nil, err
	}
	cfg.CustomLogger = logrus.New()
	cfg.CustomLogger.SetOutput(file)
	for _, h := range hooks {
		cfg.CustomLogger.AddHook(h)
	}
	n.stops = append(n.stops, func() {
		cfg.CustomLogger.SetOutput(io.Discard) // some of go-choria's goroutines outlive their server by a moment
		_ = file.Close()
	})
	return gochoria.NewWithConfig(cfg)
}

// listening hears on which port the broker listens: it has no other way to say so.
type listening chan string

// Levels implements [logrus.Hook].
func (listening) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements [logrus.Hook].
func (l listening) Fire(e *logrus.Entry) error {
	if address, ok := strings.CutPrefix(e.Message, "Listening for client connections on "); ok {
		select {
		case l <- address:
		default:
		}
	}
	return nil
}

func (n *choriaNetwork) startBroker(ctx context.Context) error {
	heard := make(listening, 1)
	fw, err := n.framework("localhost", filepath.Join(n.dir, "broker"), map[string]string{
		"plugin.choria.broker_network":         "true",
		"plugin.choria.network.listen_address": "127.0.0.1",
		"plugin.choria.network.client_port":    "-1", // the system chooses
		"plugin.choria.network.public_url":     "127.0.0.1:-1",
		"plugin.choria.network.peer_port":      "0",
		"plugin.choria.stats_port":             "0",
	}, heard)
	if err != nil {
		return err
	}
	broker, err := network.NewServer(fw, fw.BuildInfo(), false)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	go broker.Start(running, &wg)
	n.stops = append(n.stops, func() { cancel(); wg.Wait() })
	select {
	case address := <-heard:
		n.URL = "tls://" + address
		return nil
	case <-ctx.Done():
		return fmt.Errorf("it does not listen: %w", context.Cause(ctx))
	}
}

// server writes what the server of a machine knows.
func (n *choriaNetwork) server(m *machine) (*gochoria.Framework, error) {
	facts, err := json.Marshal(m.facts())
	if err != nil {
		return nil, err
	}
	dir := m.path("choria")
	for name, text := range map[string]string{"choria/facts.json": string(facts), "choria/classes.txt": strings.Join(m.classes, "\n")} {
		if err := m.write(name, text); err != nil {
			return nil, err
		}
	}
	return n.framework(m.name, dir, map[string]string{
		"plugin.choria.middleware_hosts": strings.TrimPrefix(n.URL, "tls://"),
		"plugin.yaml":                    filepath.Join(dir, "facts.json"),
		"classesfile":                    filepath.Join(dir, "classes.txt"),
		"rpcauthorization":               "0",
		"rpcaudit":                       "1",
		"plugin.rpcaudit.logfile":        m.auditFile(),
		"plugin.choria.agent_provider.mcorpc.libdir": filepath.Join(dir, "lib"),
	})
}

// auditFile is where the server of a machine writes down who asked for what.
func (m *machine) auditFile() string { return m.path("choria", "audit.log") }

func (n *choriaNetwork) startServer(ctx context.Context, fw *gochoria.Framework, m *machine) error {
	srv, err := server.NewInstance(fw)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	stop := func() { cancel(); wg.Wait() }
	unwatch := context.AfterFunc(ctx, cancel) // a start that takes too long is given up
	defer unwatch()
	err = srv.Run(running, &wg)
	if err == nil {
		err = addAgents(running, fw, srv, m)
	}
	if err != nil {
		stop()
		return err
	}
	n.stops = append(n.stops, stop)
	return nil
}

// addAgents gives a server Choria's own agents, and lets it find ours.
func addAgents(ctx context.Context, fw *gochoria.Framework, srv *server.Instance, m *machine) error {
	mgr := srv.AgentManager()
	disco, err := discovery.New(mgr)
	if err != nil {
		return err
	}
	util, err := rpcutil.New(mgr)
	if err != nil {
		return err
	}
	for name, agent := range map[string]agents.Agent{"discovery": disco, "rpcutil": util} {
		if err := mgr.RegisterAgent(ctx, name, agent, srv.Connector()); err != nil {
			return fmt.Errorf("agent %s: %w", name, err)
		}
	}
	provider := &external.Provider{}
	logger := fw.Logger("external")
	provider.Initialize(fw.Configuration(), logger)
	if err := provider.RegisterAgents(ctx, mgr, srv.Connector(), logger); err != nil {
		return err
	}
	err = until(ctx, "its agents", func(context.Context) error {
		if found := len(provider.Agents()); found < len(m.agents) {
			return fmt.Errorf("%d of %d are there", found, len(m.agents))
		}
		return nil
	})
	for _, agent := range m.agents {
		if err == nil && !slices.Contains(srv.KnownAgents(), agent) {
			err = errors.New("agent " + agent + " is not active")
		}
	}
	return err
}

// settled is an age at which a server takes up a description; one that is younger may still be being written.
const settled = time.Minute

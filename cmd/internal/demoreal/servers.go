package demoreal

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/sirupsen/logrus"

	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/realfleet/member"
)

const (
	collective = "mcollective"
	// identity is the bot's. Servers let a certificate whose name ends so speak for somebody else.
	identity = "deploy.privileged.mcollective"
)

// choriaNetwork is a Choria broker and a server for each machine, in this process.
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
		if err := n.startServer(ctx, m); err != nil {
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
	keys := map[string]string{
		"plugin.security.provider": "file", "plugin.security.file.ca": n.certs.CA,
		"plugin.security.file.certificate": cert, "plugin.security.file.key": key,
	}
	cfg, err := member.Configure(dir, member.Settings(name, collective), keys, settings)
	if err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(dir, member.LogFile))
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

func (n *choriaNetwork) startBroker(ctx context.Context) error {
	heard := member.NewListening()
	fw, err := n.framework("localhost", filepath.Join(n.dir, "broker"), member.BrokerSettings(), heard)
	if err != nil {
		return err
	}
	url, stop, err := member.StartBroker(ctx, fw, heard)
	if err != nil {
		return err
	}
	n.URL, n.stops = url, append(n.stops, stop)
	return nil
}

func (n *choriaNetwork) startServer(ctx context.Context, m *machine) error {
	dir := m.path("choria")
	settings, err := member.ServerSettings(dir, strings.TrimPrefix(n.URL, "tls://"), m.facts(), m.classes)
	if err != nil {
		return err
	}
	fw, err := n.framework(m.name, dir, settings)
	if err != nil {
		return err
	}
	stop, err := member.StartServer(ctx, fw, member.Agents{External: m.agents})
	if err != nil {
		return err
	}
	n.stops = append(n.stops, stop)
	return nil
}

// auditFile is where the server of a machine writes down who asked for what.
func (m *machine) auditFile() string { return m.path("choria", member.AuditFile) }

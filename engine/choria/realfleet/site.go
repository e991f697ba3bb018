package realfleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/choria-io/go-choria/broker/network"
	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/config"
	natsserver "github.com/nats-io/nats-server/v2/server"
)

// collective is the one that all servers are in. The provider of [JWT] has another default.
const collective = "mcollective"

// site is where the configuration files, keys and logs of a fleet are: a folder for each member.
type site struct {
	dir      string
	mode     Mode
	security security
	kit      Kit
	log      *fleetLog
}

// folder returns the folder of the broker or of a server.
func (s *site) folder(name string) string { return filepath.Join(s.dir, name) }

// framework writes a configuration file and loads it as `choria broker run` and `server run` do.
func (s *site) framework(name string, broker bool, settings map[string]string) (*gochoria.Framework, error) {
	dir := s.folder(name)
	keys, err := s.security.member(name, dir, broker)
	if err != nil {
		return nil, err
	}
	cfg, err := s.configure(dir, name, keys, settings)
	if err != nil {
		return nil, err
	}
	return gochoria.NewWithConfig(cfg)
}

// configure writes a configuration file into a folder and loads it.
func (s *site) configure(dir, identity string, keys, settings map[string]string) (*config.Config, error) {
	var text strings.Builder
	for _, part := range []map[string]string{
		{"identity": identity, "collectives": collective, "main_collective": collective, "plugin.choria.use_srv": "false"}, keys, settings,
	} {
		for k, v := range part {
			fmt.Fprintf(&text, "%s = %s\n", k, v)
		}
	}
	path, err := write(dir, "server.conf", text.String())
	if err != nil {
		return nil, err
	}
	cfg, err := config.NewSystemConfig(path, true)
	if err != nil {
		return nil, err
	}
	cfg.DisableTLS = s.mode == Insecure
	cfg.CustomLogger, err = s.log.of(filepath.Join(dir, logFile))
	return cfg, err
}

// startBroker returns the URL that the broker serves, and a function that stops it.
func (s *site) startBroker(ctx context.Context) (url string, stop func(), err error) {
	if s.mode == Insecure { // Choria's own turns away everybody who has neither certificate nor token
		return startNATS(ctx)
	}
	const name = "localhost"
	if err := os.Mkdir(s.folder(name), 0o700); err != nil {
		return "", nil, err
	}
	fw, err := s.framework(name, true, map[string]string{
		"plugin.choria.broker_network":         "true",
		"plugin.choria.network.listen_address": "127.0.0.1",
		"plugin.choria.network.client_port":    "-1", // the system chooses
		"plugin.choria.network.public_url":     "127.0.0.1:-1",
		"plugin.choria.network.peer_port":      "0",
		"plugin.choria.network.tls_timeout":    startTimeout.String(), // 2 s are little for a busy machine
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
	case addr := <-s.log.listening:
		return "tls://" + addr, stop, nil
	case <-ctx.Done():
		stop()
		return "", nil, fmt.Errorf("it does not listen: %w", context.Cause(ctx))
	}
}

// startNATS starts a plain NATS server as the broker of [Insecure].
func startNATS(ctx context.Context) (url string, stop func(), err error) {
	srv, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return "", nil, err
	}
	go srv.Start()
	if !srv.ReadyForConnections(startTimeout) {
		srv.Shutdown()
		return "", nil, errors.Join(errors.New("it does not listen"), context.Cause(ctx))
	}
	return srv.ClientURL(), func() { srv.Shutdown(); srv.WaitForShutdown() }, nil
}

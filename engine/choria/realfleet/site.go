package realfleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/config"
	natsserver "github.com/nats-io/nats-server/v2/server"

	"github.com/playbot/playbot/engine/choria/realfleet/member"
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
	cfg, err := member.Configure(dir, member.Settings(identity, collective), keys, settings)
	if err != nil {
		return nil, err
	}
	cfg.DisableTLS = s.mode == Insecure
	cfg.CustomLogger, err = s.log.of(filepath.Join(dir, member.LogFile))
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
	fw, err := s.framework(name, true, member.BrokerSettings())
	if err != nil {
		return "", nil, err
	}
	return member.StartBroker(ctx, fw, s.log.listening)
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

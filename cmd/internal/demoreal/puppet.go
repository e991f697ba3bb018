package demoreal

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const puppetBin = "/usr/bin/puppet"

// makePuppet makes the folders of the puppet agent of a machine.
func makePuppet(m *machine) error {
	for _, name := range []string{"state", "var", "conf", "log", "run"} {
		if err := os.MkdirAll(m.path("puppet", name), 0o755); err != nil { //nolint:gosec // the services of the machine have other users
			return err
		}
	}
	return nil
}

// stateDir is where the puppet agent of a machine keeps its locks.
func (m *machine) stateDir() string { return m.path("puppet", "state") }

// locked reads the lock file of the puppet agent.
func (m *machine) locked() (message string, locked bool, err error) {
	return agents.Locked(m.stateDir())
}

// puppetSays starts the real puppet agent and returns its first line. An agent that is not disabled goes
// on to its server, which is not there, and says so.
func (m *machine) puppetSays(ctx context.Context) (string, error) {
	said, err := daemon.Run(ctx, daemon.Command{
		Name: "puppet agent of " + m.name, Dir: m.dir, Env: []string{"HOME=" + m.dir},
		Argv: []string{
			puppetBin, "agent", "--test", "--color", "false", "--server", "127.0.0.1", "--masterport", "9",
			"--statedir", m.stateDir(), "--vardir", m.path("puppet", "var"), "--confdir", m.path("puppet", "conf"),
			"--logdir", m.path("puppet", "log"), "--rundir", m.path("puppet", "run"), "--certname", m.name,
		},
	})
	line, _, _ := strings.Cut(said, "\n")
	if line == "" {
		return "", fmt.Errorf("the puppet agent of %s says nothing: %w", m.name, err)
	}
	return line, nil // it exits with 1 in both cases
}

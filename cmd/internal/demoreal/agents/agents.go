// Package agents are Choria agents that act on real things: HAProxy through its runtime socket, a puppet
// agent through the lock files of its state folder, NRPE through check_nrpe, and an application through
// its releases and its process. A Choria server starts them as an external agent, one process a request;
// what they act on, the file plugin.d/<agent>.cfg beside the server's configuration says.
package agents

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

//go:embed ddl/*.json
var ddls embed.FS

// All are the agents.
func All() []external.Agent {
	return []external.Agent{haproxy(), puppet(), nrpe(), appmgr()}
}

// DDL is the description of an agent.
func DDL(agent string) ([]byte, error) { return ddls.ReadFile(path.Join("ddl", agent+".json")) }

// Names are those of the agents that have a description.
func Names() ([]string, error) {
	files, err := fs.Glob(ddls, "ddl/*.json")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".json")
	}
	return files, err
}

const (
	// patience is how long an agent waits for what it acts on: less than the time-out of every
	// description, so that it is the agent that says what is wrong.
	patience = 45 * time.Second
	// look is how often it looks meanwhile.
	look = 50 * time.Millisecond
)

// until looks until there is no error. Its own error says what was waited for.
func until(ctx context.Context, what string, ok func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s in vain: %w", what, err)
		}
	}
}

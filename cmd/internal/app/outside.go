package app

import (
	"fmt"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/puppetdb"
)

// ChoriaOptions are how the configuration reaches the Choria network.
func (c *Config) ChoriaOptions() choria.Options { return c.NATS.options() }

// PuppetDBOptions are how the configuration reaches PuppetDB.
func (c *Config) PuppetDBOptions() puppetdb.Options {
	p := c.PuppetDB
	return puppetdb.Options{URL: p.URL, CA: p.CA, Cert: p.Cert, Key: p.Key}
}

// DDLs reads the descriptions of agents that the configuration names; nil when it names none.
func (c *Config) DDLs() (*ddl.Index, error) {
	if len(c.Choria.DDLs) == 0 {
		return nil, nil //nolint:nilnil // a nil index is one that knows no agent
	}
	x, err := ddl.Load(c.Choria.DDLs...)
	if err != nil {
		return nil, fmt.Errorf("choria.ddls: %w", err)
	}
	return x, nil
}

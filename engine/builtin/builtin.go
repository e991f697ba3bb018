// Package builtin is the list of everything that playbooks may use without a plugin. A new task
// type, node set or data store is one folder and one line here.
package builtin

import (
	"log/slog"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/environment"
	"github.com/playbot/playbot/engine/datastores/file"
	"github.com/playbot/playbot/engine/datastores/memory"
	datastoresshell "github.com/playbot/playbot/engine/datastores/shell"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/engine/nodes/list"
	nodesmcollective "github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/engine/nodes/pql"
	nodesshell "github.com/playbot/playbot/engine/nodes/shell"
	"github.com/playbot/playbot/engine/nodes/terraform"
	"github.com/playbot/playbot/engine/nodes/yaml"
	"github.com/playbot/playbot/engine/tasks/assert"
	"github.com/playbot/playbot/engine/tasks/data"
	graphiteevent "github.com/playbot/playbot/engine/tasks/graphite_event"
	"github.com/playbot/playbot/engine/tasks/log"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	mcollectiveassert "github.com/playbot/playbot/engine/tasks/mcollective_assert"
	"github.com/playbot/playbot/engine/tasks/playbook"
	"github.com/playbot/playbot/engine/tasks/shell"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/engine/tasks/sleep"
	"github.com/playbot/playbot/engine/tasks/webhook"
)

// Network is the Choria network: it answers requests and says who is there. *choria.Client is one.
type Network interface {
	mcollective.Client
	nodesmcollective.Client
}

// PuppetDB answers queries. *puppetdb.Client is one.
type PuppetDB interface {
	pql.Client
	nodesmcollective.PuppetDB
}

// Deps are what the built-in types need. What is nil makes the types that need it fail, when they
// are used, with a sentence that says what to configure.
type Deps struct {
	Network  Network
	PuppetDB PuppetDB
	// Collective is that of the network: of the nodes that PuppetDB and inventory files know, those of another
	// are left out.
	Collective string                   // default none is left out
	DDLs       mcollective.Descriptions // what agents are given and answer; nil when nothing is known
	Books      playbook.Books
	ReadOnly   func(action string) bool // which actions only read
	Slack      slack.Options
	Webhook    webhook.Options // for graphite_event too
	DataDir    string          // relative paths in playbooks start here
	Logger     *slog.Logger
}

// Types is the list.
func Types(d Deps) engine.Types {
	return engine.Types{
		Tasks: []engine.TaskType{
			assert.Type(),
			data.Type(),
			graphiteevent.Type(d.Webhook),
			log.Type(d.Logger),
			mcollective.Described(d.Network, d.ReadOnly, d.DDLs),
			mcollectiveassert.Described(d.Network, d.ReadOnly, d.DDLs),
			playbook.Type(d.Books),
			shell.Type(),
			slack.Type(d.Slack),
			sleep.Type(),
			webhook.Type(d.Webhook),
		},
		Nodes: []engine.NodeSourceType{
			list.Type(),
			nodesmcollective.Type(nodesmcollective.Sources{Network: d.Network, PuppetDB: d.PuppetDB, Collective: d.Collective, Dir: d.DataDir}),
			pql.Type(d.PuppetDB),
			nodesshell.Type(),
			terraform.Type(d.DataDir),
			yaml.Type(d.DataDir),
		},
		Stores: []engine.DataStoreType{
			environment.Type(),
			file.Type(d.DataDir),
			memory.Type(memory.NewLocks()),
			datastoresshell.Type(),
		},
		Program: process.Printed,
	}
}

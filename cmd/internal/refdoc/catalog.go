package refdoc

import (
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Catalog describes types for [playbooks.Schema].
func Catalog(types engine.Types) playbooks.Catalog {
	var c playbooks.Catalog
	for _, t := range types.Tasks {
		c.Tasks = append(c.Tasks, playbooks.TypeDoc{Name: t.Name, Aliases: t.Aliases, Summary: t.Summary, Deprecated: t.Deprecated, Keys: t.Keys})
	}
	for _, t := range types.Nodes {
		c.NodeSets = append(c.NodeSets, playbooks.TypeDoc{Name: t.Name, Aliases: t.Aliases, Summary: t.Summary, Keys: t.Keys})
	}
	for _, t := range types.Stores {
		c.DataStores = append(c.DataStores, playbooks.TypeDoc{Name: t.Name, Summary: t.Summary, Keys: t.Keys})
	}
	return c
}

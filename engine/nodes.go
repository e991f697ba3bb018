package engine

import (
	"context"

	"github.com/playbot/playbot/playbooks"
)

// NodeSourceType is a kind of node set.
type NodeSourceType struct {
	Name    string
	Aliases []string
	Summary string
	Program bool                                            // it starts a program that the playbook names, on playbot's machine; the policy may gate that as "shell"
	Decode  func(*playbooks.Properties) (NodeSource, error) // as [TaskType.Decode]
	Keys    []playbooks.Key                                 // as [TaskType.Keys]
}

// NodeSource finds the nodes of a set.
type NodeSource interface {
	// Discover returns node names. Order counts (a limit takes the first); duplicates are removed by the engine.
	Discover(ctx context.Context, c *Call) ([]string, error)
}

// Fleet answers the two questions that the engine itself asks nodes before a run begins.
type Fleet interface {
	// Ping returns the nodes that did not answer.
	Ping(ctx context.Context, nodes []string) (silent []string, err error)
	// Agents returns node -> agent -> version. A node that did not answer is missing.
	Agents(ctx context.Context, nodes []string) (map[string]map[string]string, error)
}

package booktest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/filter"
)

// Discover evaluates a filter over the nodes.
func (w network) Discover(_ context.Context, f choria.Filter) ([]string, error) {
	matcher, err := f.Matcher()
	if err != nil {
		return nil, err
	}
	f.Agents = nil
	whichever, err := f.Matcher() // for nodes that have every agent
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range w.present() {
		s, err := w.server(n)
		if err != nil {
			return nil, err
		}
		if !n.silent && (matcher.Matches(s) || n.agents == nil && whichever.Matches(s)) {
			out = append(out, n.name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// server is what a filter looks at.
func (w network) server(n node) (filter.Server, error) {
	facts, err := filter.Raw(n.facts)
	if err != nil {
		return filter.Server{}, fmt.Errorf("the facts of %s: %w", n.name, err)
	}
	s := filter.Server{Identity: n.name, Agents: slices.Collect(maps.Keys(w.agents(n))), Facts: facts}
	for _, c := range n.classes {
		s.Classes = append(s.Classes, strings.ToLower(c)) // as the file of classes on a server
	}
	return s, nil
}

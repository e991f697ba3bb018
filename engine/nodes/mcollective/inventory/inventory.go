// Package inventory reads the inventory files of Choria, which describe nodes and name groups of them,
// and finds nodes in them as the nodes themselves would answer.
// https://choria.io/schemas/choria/discovery/v1/inventory_file.json
package inventory

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/internal/document"
)

// schema is what `$schema` of a file says.
const schema = "https://choria.io/schemas/choria/discovery/v1/inventory_file.json"

// maxSize bounds a file, in bytes: some ten thousand nodes with all their facts.
const maxSize = 64 << 20

// File is what a file says. Safe for concurrent use.
type File struct {
	path   string
	nodes  []node
	groups map[string]*filter.Matcher
}

type node struct {
	filter.Server

	collectives []string
}

// Read reads a file and checks all of it. An error names the place of what is wrong.
func Read(path string) (*File, error) {
	data, err := document.Read("inventory file", path, maxSize)
	if err != nil {
		return nil, err
	}
	read := document.JSON
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		read = document.YAML
	}
	content, err := read(data)
	if err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "inventory file %s: %v", path, err)
	}
	f, problems := parse(content)
	if problems != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "inventory file %s: %s", path, problems)
	}
	f.path = path
	return f, nil
}

// group is what an identity begins with that is the name of a group.
const group = "group:"

// Find returns the names of the nodes that a filter selects, in the order of the file. Of the
// identities any one must match; group:NAME is the nodes of a group. With a collective only its
// members are found, for the network reaches no others.
func (f *File) Find(collective string, what choria.Filter) ([]string, error) {
	anyOf, err := f.named(what.Identities)
	if err != nil {
		return nil, err
	}
	what.Identities = nil
	all, err := what.Matcher()
	if err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "%v", err)
	}
	var found []string
	for _, n := range f.nodes {
		if collective != "" && !slices.Contains(n.collectives, collective) || !all.Matches(n.Server) {
			continue
		}
		if len(anyOf) == 0 || slices.ContainsFunc(anyOf, func(m *filter.Matcher) bool { return m.Matches(n.Server) }) {
			found = append(found, n.Identity)
		}
	}
	return found, nil
}

// named are the matchers of which one must match: those of the groups, and one for all other names.
func (f *File) named(identities []string) ([]*filter.Matcher, error) {
	var out []*filter.Matcher
	var names choria.Filter
	for _, word := range identities {
		name, isGroup := strings.CutPrefix(word, group)
		if !isGroup {
			names.Identities = append(names.Identities, word)
			continue
		}
		m, ok := f.groups[name]
		if !ok {
			return nil, engine.Errorf(engine.CodeInvalid, "inventory file %s has no group %q; %s", f.path, name, f.known())
		}
		out = append(out, m)
	}
	if len(names.Identities) == 0 {
		return out, nil
	}
	m, err := names.Matcher()
	return append(out, m), err
}

func (f *File) known() string {
	if len(f.groups) == 0 {
		return "it names no groups"
	}
	return fmt.Sprintf("it has: %s", strings.Join(slices.Sorted(maps.Keys(f.groups)), ", "))
}

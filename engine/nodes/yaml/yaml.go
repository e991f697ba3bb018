// Package yaml is the node set type `yaml`: nodes listed in a file, in groups.
package yaml

import (
	"context"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/document"
	"github.com/playbot/playbot/playbooks"
)

// maxSize bounds a group file, in bytes.
const maxSize = 4 << 20

// Type is the node set type. Relative paths are relative to dir.
func Type(dir string) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "yaml", Summary: "nodes listed in a file, in groups",
		Keys: []playbooks.Key{
			{
				Name: "source", Kind: playbooks.KindText, Required: true,
				Doc: "The path of a YAML file of at most 4 MiB that holds a mapping of groups to lists of names; a relative one starts at `data_dir`.",
			},
			{Name: "group", Kind: playbooks.KindText, Required: true, Doc: "The group to use."},
		},
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) {
			s := source{path: p.RequireText("source"), group: p.RequireText("group")}
			if s.path != "" && !filepath.IsAbs(s.path) {
				s.path = filepath.Join(dir, s.path)
			}
			return s, p.Err()
		},
	}
}

type source struct{ path, group string }

// Discover implements [engine.NodeSource]. The file is read once per discovery. A group without
// nodes is no error: the engine says what an empty set means.
func (s source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	data, err := document.Read("node group file", s.path, maxSize)
	if err != nil {
		return nil, err
	}
	var groups map[string]yaml.Node
	if err := yaml.Unmarshal(data, &groups); err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "node group file %s: %v", s.path, err)
	}
	group, ok := groups[s.group]
	if !ok {
		return nil, engine.Errorf(engine.CodeInvalid, "node group file %s has no group %q", s.path, s.group)
	}
	nodes, ok := names(&group)
	if !ok {
		return nil, engine.Errorf(engine.CodeInvalid, "group %q in %s is not a list of names", s.group, s.path)
	}
	return nodes, nil
}

// names reads a list of scalars, as they are written.
func names(group *yaml.Node) ([]string, bool) {
	for group.Kind == yaml.AliasNode {
		group = group.Alias
	}
	if group.Kind != yaml.SequenceNode {
		return nil, false
	}
	out := make([]string, 0, len(group.Content))
	for _, item := range group.Content {
		for item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || item.Value == "" {
			return nil, false
		}
		out = append(out, item.Value)
	}
	return out, true
}

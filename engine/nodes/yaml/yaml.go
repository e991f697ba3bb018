// Package yaml is the node set type `yaml`: nodes listed in a file, in groups.
package yaml

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// maxSize bounds a group file, in bytes.
const maxSize = 4 << 20

// Type is the node set type. Relative paths are relative to dir.
func Type(dir string) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "yaml", Summary: "nodes listed in a file, in groups",
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

// Discover implements [engine.NodeSource]. The file is read once per discovery.
func (s source) Discover(context.Context, *engine.Call) ([]string, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("node group file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("node group file %s: %w", s.path, err)
	}
	if len(data) > maxSize {
		return nil, engine.Errorf(engine.CodeInvalid, "node group file %s is larger than %d MiB", s.path, maxSize>>20)
	}
	var groups map[string]yaml.Node
	if err := yaml.Unmarshal(data, &groups); err != nil {
		return nil, fmt.Errorf("node group file %s: %w", s.path, err)
	}
	group, ok := groups[s.group]
	if !ok {
		return nil, engine.Errorf(engine.CodeInvalid, "node group file %s has no group %q", s.path, s.group)
	}
	var nodes []string
	if err := group.Decode(&nodes); err != nil || group.Kind != yaml.SequenceNode {
		return nil, engine.Errorf(engine.CodeInvalid, "group %q in %s is not a list of names", s.group, s.path)
	}
	if len(nodes) == 0 {
		return nil, engine.Errorf(engine.CodeInvalid, "group %q in %s is empty", s.group, s.path)
	}
	return nodes, nil
}

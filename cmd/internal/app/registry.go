package app

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/registry"
	"github.com/playbot/playbot/engine/tasks/mcollective"
)

// registry opens the registry of DDLs; nil when the configuration does not want it. Without a source it knows
// what was fetched before.
func (c *Config) registry(folders *ddl.Index, source registry.Source, logger *slog.Logger) (*registry.Registry, error) {
	if !c.Choria.Registry {
		return nil, nil //nolint:nilnil // a nil registry is one that is not used
	}
	r, err := registry.Open(registry.Options{Folders: folders, Source: source, Cache: c.registryDir(), Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("choria.registry: %w; let playbot read that folder, or remove it", err)
	}
	return r, nil
}

func (c *Config) registryDir() string { return filepath.Join(c.DataDir, "registry") }

// KeptDDLs lists the agents that are described by what was fetched from the registry before, and the folder where that
// is kept; refused says which files there cannot be used, and why.
func (c *Config) KeptDDLs() (dir string, described []string, refused map[string]string, err error) {
	r, err := c.registry(nil, nil, nil)
	if err != nil || r == nil {
		return "", nil, nil, err
	}
	described, refused = r.Sources()
	return c.registryDir(), described, refused, nil
}

// descriptions is what is known of agents: by the registry, which knows the folders too, or by these alone.
func descriptions(folders *ddl.Index, r *registry.Registry) mcollective.Descriptions {
	if r == nil {
		return folders
	}
	return r
}

// described tells that playbooks must be checked again; it never does without a registry.
func (a *App) described() <-chan struct{} {
	if a.registry == nil {
		return nil
	}
	return a.registry.Changed()
}

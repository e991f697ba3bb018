package realfleet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/realfleet/member"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

// Kit is what external agents are made of. It is the same for all fleets of a process.
type Kit struct {
	executable string
	DDLs       string // folder with the descriptions of the agents
}

// BuildKit compiles the executable of the agents of package webagents into a folder, whose path is
// absolute. Their
// descriptions are those of engine/choria/ddl/testdata/agents.
func BuildKit(ctx context.Context, dir string) (Kit, error) {
	const module = "github.com/playbot/playbot/engine/choria/"
	where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", module+"ddl").Output()
	if err != nil {
		return Kit{}, fmt.Errorf("find the descriptions of agents: %w", err)
	}
	k := Kit{executable: filepath.Join(dir, "webagents"), DDLs: filepath.Join(strings.TrimSpace(string(where)), "testdata", "agents")}
	build := exec.CommandContext(ctx, "go", "install", module+"realfleet/cmd/webagents")
	build.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		return Kit{}, fmt.Errorf("build the agents: %w\n%s", err, out)
	}
	return k, nil
}

// install puts agents where a server with that library folder finds them, and their settings where
// its configuration folder is.
func (k Kit) install(n Node, dir, faults string) error {
	folder := filepath.Join(dir, "lib", "mcollective", "agent")
	settings := filepath.Join(dir, "plugin.d")
	for _, d := range []string{folder, settings} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	for agent, version := range n.Agents {
		if err := os.Symlink(k.executable, filepath.Join(folder, agent)); err != nil {
			return err
		}
		ddl, err := k.ddl(agent, version)
		if err != nil {
			return err
		}
		path, err := write(folder, agent+".json", string(ddl))
		if err != nil {
			return err
		}
		old := time.Now().Add(-member.Settled)
		if err := os.Chtimes(path, old, old); err != nil {
			return err
		}
		text := fmt.Sprintf("node = %s\nstate = %s\nfaults = %s\n", n.Name, filepath.Join(dir, stateFile), faults)
		if _, err := write(settings, agent+".cfg", text); err != nil {
			return err
		}
	}
	return nil
}

// ddl is the description of an agent as an external one, with another version unless that is empty.
func (k Kit) ddl(agent, version string) ([]byte, error) {
	path := filepath.Join(k.DDLs, agent+".json")
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		path = filepath.Join(k.DDLs, agent, agent+".json")
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("agent %q; there are %s: %w", agent, strings.Join(webagents.Names(), ", "), err)
	}
	var ddl map[string]any
	if err := json.Unmarshal(data, &ddl); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	about, ok := ddl["metadata"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s has no metadata", path)
	}
	about["provider"] = "external"
	if version != "" {
		about["version"] = version
	}
	return json.Marshal(ddl)
}

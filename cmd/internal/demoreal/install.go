package demoreal

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/choria/realfleet/member"
)

// installAgents puts the agents of a machine where its Choria server looks, and their settings.
func installAgents(m *machine, bin string) error {
	const lib = "choria/lib/mcollective/agent/"
	settings := m.agentSettings()
	for _, agent := range m.agents {
		ddl, err := agents.DDL(agent)
		if err != nil {
			return err
		}
		if err := m.write(lib+agent+".json", string(ddl)); err != nil {
			return err
		}
		old := time.Now().Add(-member.Settled)
		if err := os.Chtimes(m.path(lib+agent+".json"), old, old); err != nil {
			return err
		}
		if err := os.Symlink(filepath.Join(bin, "webagent"), m.path(lib+agent)); err != nil {
			return err
		}
		var text strings.Builder
		for name, value := range settings[agent] {
			fmt.Fprintf(&text, "%s = %s\n", name, value)
		}
		if err := m.write("choria/plugin.d/"+agent+".cfg", text.String()); err != nil {
			return err
		}
	}
	return nil
}

// agentSettings says what each agent of a machine acts on.
func (m *machine) agentSettings() map[string]map[string]string {
	return map[string]map[string]string{
		"haproxy": {"socket": m.path(runtimeFile)},
		"puppet":  {"statedir": m.stateDir()},
		"nrpe":    {"address": m.address, "port": nrpePort, "commands": "check_load," + checkApp},
		"appmgr":  {"folder": m.path("app"), "repository": filepath.Join(filepath.Dir(m.dir), repositoryDir), "url": m.url()},
	}
}

// writeDDLs writes the descriptions for the bot.
func writeDDLs(dir string) error {
	names, err := agents.Names()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range names {
		ddl, err := agents.DDL(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), ddl, 0o600); err != nil {
			return err
		}
	}
	return nil
}

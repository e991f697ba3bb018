package member

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/choria-io/go-choria/config"
)

// The files in the folder of a member, beside its configuration.
const (
	AuditFile = "audit.log"  // of a server: who asked for what
	LogFile   = "choria.log" // for the logger of the caller
)

// Settled is the age that a server wants the description of an agent to have, and more: it does not take up files
// that may still be being written.
const Settled = time.Minute

// patience is how long a member waits for another: Choria's 2 s are little for a busy machine.
const patience = "30s"

// Configure writes a configuration file into a folder, which is made when it is not there, and loads it as the choria
// program does. Of a setting that is there twice the last counts.
func Configure(dir string, settings ...map[string]string) (*config.Config, error) {
	var text strings.Builder
	for _, part := range settings {
		for k, v := range part {
			fmt.Fprintf(&text, "%s = %s\n", k, v)
		}
	}
	path, err := write(dir, "server.conf", text.String())
	if err != nil {
		return nil, err
	}
	return config.NewSystemConfig(path, true)
}

// Settings are those of every member.
func Settings(identity, collective string) map[string]string {
	return map[string]string{"identity": identity, "collectives": collective, "main_collective": collective, "plugin.choria.use_srv": "false"}
}

// BrokerSettings are those of a broker on a port of 127.0.0.1 that the system chooses.
func BrokerSettings() map[string]string {
	return map[string]string{
		"plugin.choria.broker_network":         "true",
		"plugin.choria.network.listen_address": "127.0.0.1",
		"plugin.choria.network.client_port":    "-1",
		"plugin.choria.network.public_url":     "127.0.0.1:-1",
		"plugin.choria.network.peer_port":      "0",
		"plugin.choria.network.tls_timeout":    patience,
		"plugin.choria.stats_port":             "0",
	}
}

// ServerSettings are those of a server that connects to a broker and writes an audit log. What the server knows of
// itself is written into its folder; classes are in lower case, for Choria compares them so. External agents are
// looked for in the folder lib.
func ServerSettings(dir, broker string, facts any, classes []string) (map[string]string, error) {
	raw, err := json.Marshal(facts)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"plugin.choria.middleware_hosts":             broker,
		"plugin.choria.network.connect_timeout":      patience,
		"rpcauthorization":                           "0",
		"rpcaudit":                                   "1",
		"plugin.rpcaudit.logfile":                    filepath.Join(dir, AuditFile),
		"plugin.choria.agent_provider.mcorpc.libdir": filepath.Join(dir, "lib"),
	}
	if settings["plugin.yaml"], err = write(dir, "facts.json", string(raw)); err != nil {
		return nil, err
	}
	settings["classesfile"], err = write(dir, "classes.txt", strings.Join(classes, "\n"))
	return settings, err
}

// write writes a file into a folder, and returns its path.
func write(dir, name, text string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

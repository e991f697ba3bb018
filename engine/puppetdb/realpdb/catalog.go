package realpdb

import (
	"crypto/rand"
	"fmt"
	"maps"
	"strings"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

// agentsDir is where the modules of Choria put agents.
const agentsDir = "/opt/puppetlabs/mcollective/plugins/mcollective/agent/"

// factsOf are the facts of a node; the collectives are one of them.
func factsOf(n pdbsim.Node) map[string]any {
	facts := maps.Clone(n.Facts)
	if facts == nil {
		facts = map[string]any{}
	}
	if len(n.Collectives) > 0 {
		facts["mcollective"] = map[string]any{"server": map[string]any{"collectives": n.Collectives}}
	}
	return facts
}

// catalog is one with the classes of a node and, when it has agents, what Choria's modules would add.
func catalog(n pdbsim.Node, at string) map[string]any {
	resources := []any{}
	add := func(kind, title string, tags ...string) {
		resources = append(resources, map[string]any{
			"type": kind, "title": title, "exported": false, "file": "/site.pp", "line": 1, "parameters": map[string]any{},
			"tags": append([]string{strings.ToLower(kind)}, tags...),
		})
	}
	for _, class := range n.Classes {
		add("Class", title(class), strings.ToLower(class))
	}
	if len(n.Agents) > 0 {
		add("Class", "Choria::Service", "choria::service")
	}
	for _, agent := range n.Agents {
		switch agent {
		case "rpcutil", "choria_util", "scout", "discovery": // parts of every server; no module brings them
		default:
			add("File", agentsDir+agent+".rb", "mcollective_agent_"+agent, "mcollective_agent_"+agent+"_server")
		}
	}
	return map[string]any{
		"certname": n.Certname, "version": at, "environment": "production", "producer": "playbot", "producer_timestamp": at,
		"transaction_uuid": uuid(), "catalog_uuid": uuid(), "code_id": nil, "job_id": nil,
		"resources": resources, "edges": []any{},
	}
}

// title is how Puppet writes the title of a class: Roles::Webserver.
func title(class string) string {
	parts := strings.Split(class, "::")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "::")
}

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Package filtertest puts every source that a filter is asked of to one test: whatever a filter holds,
// it selects the nodes that it should, and never one more. The judge is plain Go over the same nodes.
package filtertest

import "github.com/playbot/playbot/engine/puppetdb/pdbsim"

// Nodes are those that a PuppetDB must know. Their facts hold what a careless query would trip over.
func Nodes() []pdbsim.Node {
	const domain = ".example.net"
	shapes := []map[string]any{
		{"tier": "alfa", "n": 4, "f": 0.5, "up": true, "os": map[string]any{"family": "Debian", "n": 12}, "list": []any{"alfa", 4}},
		{"tier": "Alfa", "n": -1, "f": 1.5, "up": false, "os": "Debian", "list": "alfa"},
		{"tier": "bravo", "n": "4", "f": 12, "up": "true", "os": map[string]any{"family": "RedHat"}, "e": ""},
		{"tier": `say "hi"`, "n": 0, "f": "0.5", "up": nil, "os": map[string]any{"family": `") or true`}},
		{"tier": `[alfa]`, "n": 10, "os": map[string]any{"family": []any{"Debian"}}},
		{"tier": `C:\temp\x`, "n": true},
		{"tier": "Käse", "n": 4.5},
		{"tier": "two\nlines", "n": 100000},
		{"tier": `["=", "certname", "web1"]`, "n": 1.25},
		{"tier": "{{ inputs.x }}", "n": 7},
		{"tier": ".*", "n": 8},
		{"tier": "/alfa/", "n": 9},
		{"tier": "日本", "n": 2},
		{"tier": "a'b%_?", "n": 3},
		{"other": "alfa"},
		{},
	}
	names := []string{"web1", "web2", "WEB3", "lb1", "lb2", "db-1", "db.1", "x10", "alfa", "bravo"}
	classes := [][]string{{"roles::web"}, {"roles::web", "profiles::base"}, {"roles::lb"}, {"settings"}, {}}
	agents := [][]string{{"rpcutil", "puppet"}, {"rpcutil", "puppet_plus"}, {"rpcutil", "my_puppet_too", "alfa"}, {"rpcutil"}, {}}
	var out []pdbsim.Node
	for i, facts := range shapes {
		name := "plain" + string(rune('a'+i))
		if i < len(names) {
			name = names[i]
		}
		out = append(out, pdbsim.Node{Certname: name + domain, Facts: facts, Classes: classes[i%len(classes)], Agents: agents[i%len(agents)], Collectives: []string{"mcollective"}})
	}
	return append(out,
		pdbsim.Node{Certname: "gone" + domain, Facts: map[string]any{"tier": "alfa", "n": 4}, Classes: []string{"roles::web"}, Agents: agents[0], Collectives: []string{"mcollective"}, Deactivated: true},
		pdbsim.Node{Certname: "far" + domain, Facts: map[string]any{"tier": "alfa", "n": 4}, Classes: []string{"roles::web"}, Agents: agents[0], Collectives: []string{"other"}},
	)
}

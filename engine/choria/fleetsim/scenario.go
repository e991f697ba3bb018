package fleetsim

import (
	"fmt"
	"time"
)

// WebFleet is the fleet of the web_upgrade scenario: two load balancers, and n web servers in each
// of the tiers alfa and bravo. One server of each tier has a puppet run under way at the start.
func WebFleet(n int, running time.Duration) []Node {
	var nodes []Node
	for i := 1; i <= 2; i++ {
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("lb%d.example.net", i), Classes: []string{"roles::haproxy"},
			Facts: facts(i, "haproxy", ""),
		})
	}
	for i := 1; i <= 2*n; i++ {
		tier := "alfa"
		if i > n {
			tier = "bravo"
		}
		node := Node{
			Name: fmt.Sprintf("web%d.example.net", i), Classes: []string{"roles::webserver"},
			Facts: facts(i, "webserver", tier),
		}
		if i == 1 || i == n+1 {
			node.Running = running
		}
		nodes = append(nodes, node)
	}
	return nodes
}

func facts(i int, role, tier string) map[string]any {
	f := map[string]any{
		"role": role, "country": []string{"de", "mt", "uk"}[i%3], "processorcount": 4,
		"os": map[string]any{"family": "Debian", "name": "Debian", "release": map[string]any{"major": "12"}},
	}
	if tier != "" {
		f["tier"] = tier
	}
	return f
}

// Plain is n nodes without a role, for measuring.
func Plain(n int) []Node {
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i] = Node{Name: fmt.Sprintf("node%05d.example.net", i+1), Facts: map[string]any{"number": i + 1}}
	}
	return nodes
}

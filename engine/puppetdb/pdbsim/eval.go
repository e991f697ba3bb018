package pdbsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// run answers a query: PQL, or a tree in JSON.
func run(src string, nodes []Node) ([]map[string]any, error) {
	parse := parsePQL
	if strings.HasPrefix(strings.TrimSpace(src), "[") {
		parse = parseJSON
	}
	q, everyState, err := parse(src)
	if err != nil {
		return nil, err
	}
	rows := []map[string]any{}
	for _, n := range nodes {
		if n.Deactivated && !everyState {
			continue
		}
		for _, r := range rowsOf(q.entity, n) {
			if q.where(r) == yes {
				rows = append(rows, project(q, r))
			}
		}
	}
	if q.sorted {
		slices.SortStableFunc(rows, func(a, b map[string]any) int {
			return strings.Compare(fmt.Sprint(a["certname"]), fmt.Sprint(b["certname"]))
		})
	}
	if q.limit > 0 && len(rows) > q.limit {
		rows = rows[:q.limit]
	}
	return rows, nil
}

func parseJSON(src string) (*query, bool, error) {
	var v any
	if err := json.Unmarshal([]byte(src), &v); err != nil {
		return nil, false, fmt.Errorf("the query is not JSON: %w", err)
	}
	return parseTree(v)
}

func rowsOf(entity string, n Node) []row {
	var rows []row
	switch entity {
	case "facts":
		for name, value := range n.Facts {
			rows = append(rows, row{node: n, name: name, value: value})
		}
	case "resources":
		for _, c := range n.Classes {
			rows = append(rows, row{node: n, name: "Class", value: title(c), tags: []any{"class", strings.ToLower(c)}})
		}
		rows = append(rows, ofChoria(n)...)
	default:
		rows = append(rows, row{node: n})
	}
	return rows
}

// ofChoria are the resources by which a node shows that it is a server of Choria, and its agents: the
// class of the service, and files with a tag for each agent that a module brings.
func ofChoria(n Node) []row {
	if len(n.Agents) == 0 && !n.AnyAgent {
		return nil
	}
	rows := []row{{node: n, name: "Class", value: "Choria::Service", tags: []any{"class", "choria::service"}}}
	for _, a := range n.Agents {
		if slices.Contains(builtIn(), a) {
			continue
		}
		rows = append(rows, row{
			node: n, name: "File", value: "/opt/puppetlabs/mcollective/plugins/mcollective/agent/" + a + ".rb",
			tags: []any{"file", "mcollective_agent_" + a, "mcollective_agent_" + a + "_server"},
		})
	}
	if n.AnyAgent {
		rows = append(rows, row{node: n, name: "File", value: "any agent", anyTag: true})
	}
	return rows
}

// builtIn lists the agents that are part of every server.
func builtIn() []string { return []string{"rpcutil", "choria_util", "scout", "discovery"} }

// project is the answer's form of a row.
func project(q *query, r row) map[string]any {
	all := map[string]any{"certname": r.node.Certname}
	switch q.entity {
	case "nodes":
		all["deactivated"], all["expired"] = nil, nil
		if r.node.Deactivated {
			all["deactivated"] = "2026-01-01T00:00:00.000Z"
		}
	case "inventory":
		all["facts"] = r.node.Facts
	case "facts":
		all["name"], all["value"] = r.name, r.value
	case "resources":
		all["type"], all["title"], all["tags"] = r.name, r.value, r.tags
	}
	if len(q.fields) == 0 {
		return all
	}
	out := make(map[string]any, len(q.fields))
	for _, f := range q.fields {
		out[f] = all[f]
	}
	return out
}

// fields are those that the rows of an entity have.
func fields(entity string) []string {
	return map[string][]string{
		"nodes": {"certname", "deactivated", "expired"}, "inventory": {"certname", "facts"},
		"facts": {"certname", "name", "value"}, "resources": {"certname", "type", "title", "tags"},
	}[entity]
}

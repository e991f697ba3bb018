package mcollective

import "github.com/playbot/playbot/engine"

// earlier is what a try before brought and this one does not ask for again.
type earlier struct {
	ok   []string // nodes
	data []any    // their replies, as they are in the result
}

var _ engine.Narrower = (*task)(nil)

// Narrow implements [engine.Narrower]: with `retry: failed` a further try asks only the nodes that
// are not ok yet.
func (t *task) Narrow(last engine.Result) engine.Task {
	if !t.onlyFailed {
		return t
	}
	ok := make(map[string]bool, len(last.OKNodes))
	for _, node := range last.OKNodes {
		ok[node] = true
	}
	n := *t
	n.nodes, n.earlier = nil, earlier{}
	for _, node := range t.nodes {
		if ok[node] {
			n.earlier.ok = append(n.earlier.ok, node)
		} else {
			n.nodes = append(n.nodes, node)
		}
	}
	replies, _ := last.Data.([]any)
	for _, reply := range replies {
		if ok[senderOf(reply)] {
			n.earlier.data = append(n.earlier.data, reply)
		}
	}
	return &n
}

// total is how many nodes the task has, over all tries.
func (t *task) total() int { return len(t.earlier.ok) + len(t.nodes) }

// senderOf reads a reply of a result, which may have been through JSON.
func senderOf(reply any) string {
	m, _ := reply.(map[string]any)
	sender, _ := m["sender"].(string)
	return sender
}

// dataOf reads the data of such a reply.
func dataOf(reply any) map[string]any {
	m, _ := reply.(map[string]any)
	data, _ := m["data"].(map[string]any)
	return data
}

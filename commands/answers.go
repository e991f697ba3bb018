package commands

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// Answers are what the nodes of an attempt said, those together that said the same, and those first that a
// person has to look at. Every node that was asked is in one of them.
type Answers struct {
	Failed  []Answer // those that most nodes gave first
	Silent  []Answer
	Differ  []Answer // of nodes that are ok, but say something else than most, the rarest first
	Same    []Answer // what most of those that are ok said: one, or none
	Unasked []string // the attempt ended before them
	Varies  []string // fields of replies that are not compared, since most nodes have a value of their own
	All     int      // nodes that were asked
}

// Answer is what some nodes said.
type Answer struct {
	Text  string // empty when nothing is known but how they ended
	Alike bool   // the others said the same with other numbers or ids
	Nodes []string
}

// AnswersOf sorts what the nodes of an attempt said.
func AnswersOf(o *engine.AttemptEnded) Answers {
	r := &o.Result
	a := Answers{All: len(r.OKNodes) + len(r.FailedNodes) + len(r.SilentNodes), Unasked: r.UnaskedNodes}
	if a.All == 0 {
		return a
	}
	notes, replies := noted(o), repliesOf(r)
	a.Failed = alike(r.FailedNodes, func(n string) string { return failure(notes[n], replies[n]) })
	a.Silent = alike(r.SilentNodes, func(n string) string {
		if notes[n] == "no answer" { // which is what silent means
			return ""
		}
		return notes[n]
	})
	a.sortOK(r.OKNodes, notes, replies)
	return a
}

// Odd says how many nodes are not as most of them, as in "3 failed", "1 silent", "2 differ", "10 not asked".
func (a Answers) Odd() []string {
	var out []string
	for _, kind := range []struct {
		one, many string
		list      []Answer
	}{{"failed", "failed", a.Failed}, {"silent", "silent", a.Silent}, {"differs", "differ", a.Differ}} {
		n := 0
		for _, s := range kind.list {
			n += len(s.Nodes)
		}
		switch n {
		case 0:
		case 1:
			out = append(out, "1 "+kind.one)
		default:
			out = append(out, fmt.Sprintf("%d %s", n, kind.many))
		}
	}
	if n := len(a.Unasked); n > 0 {
		out = append(out, fmt.Sprintf("%d not asked", n))
	}
	return out
}

// noted are the lines that a task noted about its nodes, by node: the last of each.
func noted(o *engine.AttemptEnded) map[string]string {
	out := map[string]string{}
	for _, line := range o.Notes {
		if node, text, ok := strings.Cut(line, ": "); ok {
			out[node] = text
		}
	}
	return out
}

// reply is what is kept of the answer of a node.
type reply struct {
	there  bool
	status string
	data   map[string]any
}

// repliesOf are the replies that a result keeps, by node: see the task type mcollective.
func repliesOf(r *engine.Result) map[string]reply {
	list, _ := r.Data.([]any)
	out := make(map[string]reply, len(list))
	for _, one := range list {
		m, _ := one.(map[string]any)
		sender, _ := m["sender"].(string)
		if sender == "" {
			continue
		}
		data, _ := m["data"].(map[string]any)
		status, _ := m["statusmsg"].(string)
		out[sender] = reply{there: true, status: status, data: data}
	}
	return out
}

func failure(note string, r reply) string {
	if note != "" {
		return strings.TrimPrefix(note, "failed: ")
	}
	if r.status != "OK" {
		return r.status
	}
	return ""
}

// sortOK sorts the nodes that are ok into what most of them said and what some said instead. Where a task
// keeps quiet about them, or they said nothing, they are not told apart.
func (a *Answers) sortOK(nodes []string, notes map[string]string, replies map[string]reply) {
	if len(nodes) == 0 {
		return
	}
	kept := slices.ContainsFunc(nodes, func(n string) bool { return notes[n] != "" })
	if !kept {
		a.Same = []Answer{{Nodes: nodes}}
		return
	}
	whole := !slices.ContainsFunc(nodes, func(n string) bool { return !replies[n].there })
	if !whole {
		a.split(nodes, func(n string) map[string]string {
			if notes[n] == "ok" {
				return nil
			}
			return map[string]string{"": notes[n]}
		})
		return
	}
	fields := make(map[string]map[string]string, len(nodes))
	for _, n := range nodes {
		fields[n] = make(map[string]string, len(replies[n].data))
		for k, v := range replies[n].data {
			fields[n][k] = oneLine(valueText(v))
		}
	}
	a.leaveOut(fields)
	a.split(nodes, func(n string) map[string]string { return fields[n] })
}

// leastToCompare is from how many nodes on a value that most of them have for themselves says nothing.
const leastToCompare = 8

// leaveOut takes out of replies the fields in which more than half of the nodes differ, such as a time:
// compared by them no two nodes would be the same.
func (a *Answers) leaveOut(fields map[string]map[string]string) {
	if len(fields) < leastToCompare {
		return
	}
	values := map[string]map[string]bool{}
	for _, f := range fields {
		for k, v := range f {
			if values[k] == nil {
				values[k] = map[string]bool{}
			}
			values[k][v] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(values)) {
		if 2*len(values[k]) <= len(fields) {
			continue
		}
		a.Varies = append(a.Varies, k)
		for _, f := range fields {
			delete(f, k)
		}
	}
}

// split groups nodes by the fields of what they said. Of the rare answers only what is different is told.
func (a *Answers) split(nodes []string, fields func(node string) map[string]string) {
	groups := map[string]*Answer{}
	for _, n := range nodes {
		key := written(fields(n))
		if groups[key] == nil {
			groups[key] = &Answer{Text: key}
		}
		groups[key].Nodes = append(groups[key].Nodes, n)
	}
	order := slices.SortedFunc(maps.Values(groups), func(x, y *Answer) int {
		return cmp.Or(cmp.Compare(len(x.Nodes), len(y.Nodes)), cmp.Compare(x.Text, y.Text))
	})
	most := order[len(order)-1]
	usual := fields(most.Nodes[0])
	for _, g := range order[:len(order)-1] {
		other := maps.Clone(fields(g.Nodes[0]))
		maps.DeleteFunc(other, func(k, v string) bool { return usual[k] == v })
		for k := range usual {
			if _, there := fields(g.Nodes[0])[k]; !there && k != "" {
				if other == nil {
					other = map[string]string{}
				}
				other[k] = "(missing)"
			}
		}
		a.Differ = append(a.Differ, Answer{Text: written(other), Nodes: g.Nodes})
	}
	a.Same = []Answer{*most}
}

// written writes fields as key=value, sorted; a note has no key.
func written(fields map[string]string) string {
	parts := make([]string, 0, len(fields))
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if k == "" {
			parts = append(parts, fields[k])
		} else {
			parts = append(parts, k+"="+fields[k])
		}
	}
	return strings.Join(parts, " ")
}

// valueText writes a value: text as it is, the rest as JSON, so that a time stamp is never 1.7e+09.
func valueText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

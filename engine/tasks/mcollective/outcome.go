package mcollective

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
)

const (
	maxNamed = 5         // nodes that a sentence names before it says how many more
	maxData  = 256 << 10 // bytes of replies that are kept with the run
	maxText  = 300       // bytes of one reply in a note or sentence
)

// tooLarge stands for the data of a reply that there was no room for.
const tooLarge = "(too large to be kept)"

// outcome is what the nodes answered, in this try and in those before.
type outcome struct {
	choria.Result

	task  *task
	ok    []string // sorted
	flaws []flaw   // sorted by node
	bad   map[string]flaw
}

// sort tells the replies that are as they should be from those with a flaw.
func (t *task) sort(res choria.Result, flaws map[string]flaw) outcome {
	o := outcome{Result: res, task: t, ok: slices.Clone(t.earlier.ok), bad: flaws}
	for _, r := range res.Replies {
		if f, flawed := flaws[r.Sender]; flawed {
			o.flaws = append(o.flaws, f)
		} else {
			o.ok = append(o.ok, r.Sender)
		}
	}
	slices.Sort(o.ok)
	return o
}

func (o outcome) failed() []string {
	var names []string
	for _, f := range o.flaws {
		names = append(names, f.node)
	}
	return names
}

// unheard is every node that was asked, or may have been, and did not answer.
func (o outcome) unheard() []string {
	if len(o.Unknown) == 0 {
		return o.Silent
	}
	return slices.Sorted(slices.Values(slices.Concat(o.Silent, o.Unknown)))
}

// flawed reports whether something is wrong with the reply of a node.
func (o outcome) flawed(node string) bool {
	_, flawed := o.bad[node]
	return flawed
}

// counts says how it went, numbers first.
func (o outcome) counts() string {
	parts := []string{fmt.Sprintf("%d of %d ok", len(o.ok), o.task.total())}
	if n := len(o.task.earlier.ok); n > 0 {
		parts[0] += fmt.Sprintf(", %d of them in an earlier try", n)
	}
	parts = append(parts, o.reasons()...)
	if len(o.Silent) > 0 {
		parts = append(parts, fmt.Sprintf("%d did not answer: %s", len(o.Silent), few(o.Silent)))
	}
	if len(o.Unknown) > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown (the network was lost or overloaded): %s", len(o.Unknown), few(o.Unknown)))
	}
	if len(o.Unasked) > 0 {
		parts = append(parts, fmt.Sprintf("%d were not asked: %s", len(o.Unasked), few(o.Unasked)))
	}
	if most := o.task.maxFailures; most > 0 && len(parts) > 1 {
		parts = append(parts, fmt.Sprintf("at most %d allowed", most))
	}
	return strings.Join(parts, "; ")
}

// reasons groups the nodes whose replies have a flaw: those that failed, then by what does not hold.
func (o outcome) reasons() []string {
	rules := []string{""}
	said := make(map[string][]string)
	for _, f := range o.flaws {
		if !slices.Contains(rules, f.rule) {
			rules = append(rules, f.rule)
		}
		said[f.rule] = append(said[f.rule], f.inList())
	}
	var parts []string
	for _, rule := range rules {
		n, nodes := len(said[rule]), few(said[rule])
		switch {
		case n == 0:
		case rule == "":
			parts = append(parts, fmt.Sprintf("%d failed: %s", n, nodes))
		case n == 1:
			parts = append(parts, fmt.Sprintf("1 does not satisfy %s: %s", clip(rule), nodes))
		default:
			parts = append(parts, fmt.Sprintf("%d do not satisfy %s: %s", n, clip(rule), nodes))
		}
	}
	return parts
}

// data is what later tasks and the report see of the replies. When they are too many, those with a
// flaw are kept first.
func (o outcome) data(agent, action string) []any {
	var flawed, good []any
	for _, r := range o.Replies {
		reply := map[string]any{
			"agent": agent, "action": action, "sender": r.Sender, "statuscode": r.StatusCode,
			"statusmsg": r.StatusMsg, "data": r.Data, "requestid": o.ID,
		}
		if o.flawed(r.Sender) {
			flawed = append(flawed, reply)
		} else {
			good = append(good, reply)
		}
	}
	out := []any{}
	room := maxData
	for _, reply := range slices.Concat(flawed, good, o.task.earlier.data) {
		size, err := json.Marshal(reply)
		if err == nil && len(size) <= room {
			room -= len(size)
			out = append(out, reply)
		}
	}
	return out
}

// few joins some parts and says how many more there are.
func few(parts []string) string {
	if len(parts) <= maxNamed {
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(parts[:maxNamed], ", "), len(parts)-maxNamed)
}

func statusText(r choria.Reply) string {
	if r.StatusMsg == "" || r.StatusMsg == "OK" {
		return fmt.Sprintf("status %d", r.StatusCode)
	}
	return clip(r.StatusMsg)
}

// fields writes reply data as key=value, sorted.
func fields(data map[string]any) string {
	if len(data) == 0 {
		return "ok"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(data)) {
		parts = append(parts, k+"="+word(data[k]))
	}
	return strings.Join(parts, " ")
}

// word writes a value: text as it is, the rest as JSON, so that a time stamp is never 1.7e+09.
func word(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// summary sums up the replies of the nodes that are ok, as the agent's DDL says; where that says
// nothing, equal replies are grouped, the odd ones out first.
func (o outcome) summary() string {
	if text := o.described(); text != "" {
		return text
	}
	groups := make(map[string][]string)
	for _, r := range o.Replies {
		f := fields(r.Data)
		if r.Trimmed {
			f = tooLarge
		}
		if !o.flawed(r.Sender) {
			groups[f] = append(groups[f], r.Sender)
		}
	}
	for _, reply := range o.task.earlier.data {
		f := fields(dataOf(reply))
		groups[f] = append(groups[f], senderOf(reply))
	}
	keys := slices.Sorted(maps.Keys(groups))
	slices.SortStableFunc(keys, func(a, b string) int { return len(groups[a]) - len(groups[b]) })
	var parts []string
	for i, k := range keys {
		who := fmt.Sprintf("%d ×", len(groups[k]))
		if i < len(keys)-1 && len(groups[k]) <= maxNamed {
			who = strings.Join(groups[k], ", ")
		}
		parts = append(parts, who+" "+clip(k))
	}
	return few(parts)
}

package app

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// maxLimit bounds the limits that a configuration may set, so that a typing error is noticed.
const maxLimit = 1_000_000

// policyReader reads a policy and collects everything that is wrong with it.
type policyReader struct{ problems []*playbooks.Problem }

func posOf(n *yaml.Node) playbooks.Pos { return playbooks.Pos{Line: n.Line, Column: n.Column} }

func (r *policyReader) problem(n *yaml.Node, remedy, format string, args ...any) {
	r.problems = append(r.problems, &playbooks.Problem{Pos: posOf(n), Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// whole is what an alias leads to.
func whole(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNothing(n *yaml.Node) bool { return whole(n).Tag == "!!null" }

// pair is a key with its value.
type pair struct{ key, value *yaml.Node }

// pairs reads a mapping with what it merges; what is written in it wins.
func (r *policyReader) pairs(n *yaml.Node, what string) []pair {
	n = whole(n)
	if isNothing(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.problem(n, "write key: value lines", "%s must be a mapping, not %s", what, kindOf(n))
		return nil
	}
	var out, merged []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Tag == "!!merge":
			merged = append(merged, r.merged(v, what)...)
		case slices.ContainsFunc(out, func(p pair) bool { return p.key.Value == k.Value }):
			r.problem(k, "remove one of them", "%s: %q is set twice", what, k.Value)
		default:
			out = append(out, pair{k, v})
		}
	}
	for _, m := range merged {
		if !slices.ContainsFunc(out, func(p pair) bool { return p.key.Value == m.key.Value }) {
			out = append(out, m)
		}
	}
	return out
}

func (r *policyReader) merged(n *yaml.Node, what string) []pair {
	if n = whole(n); n.Kind != yaml.SequenceNode {
		return r.pairs(n, what)
	}
	var out []pair
	for _, item := range n.Content {
		out = append(out, r.pairs(item, what)...)
	}
	return out
}

// mapping reads a mapping that knows certain keys.
func (r *policyReader) mapping(n *yaml.Node, what string, known map[string]func(string, *yaml.Node)) {
	for _, p := range r.pairs(n, what) {
		read, ok := known[p.key.Value]
		if !ok {
			r.problem(p.key, nearestOf(p.key.Value, sortedKeys(known)), "unknown key %q in %s", p.key.Value, what)
			continue
		}
		if !isNothing(p.value) {
			read(what+"."+p.key.Value, p.value)
		}
	}
}

// nearestOf is the remedy for an unknown word.
func nearestOf(word string, known []string) string {
	if near := playbooks.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known: " + strings.Join(known, ", ")
}

func (r *policyReader) scalar(n *yaml.Node, what, kind string, into any) {
	if n = whole(n); n.Kind != yaml.ScalarNode || n.Decode(into) != nil {
		r.problem(n, "write "+kind, "%s is %s", what, shown(n))
	}
}

// number reads a limit.
func (r *policyReader) number(n *yaml.Node, what string, most int, into *int) {
	if n = whole(n); n.Kind != yaml.ScalarNode || n.Decode(into) != nil || *into < 1 || *into > most {
		r.problem(n, fmt.Sprintf("write a whole number from 1 to %d, or leave it out", most), "%s is %s", what, shown(n))
	}
}

// texts reads a list of texts. One text is a list of one.
func (r *policyReader) texts(n *yaml.Node, what string) (out []string, at []*yaml.Node) {
	items := []*yaml.Node{n}
	if n = whole(n); n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		item = whole(item)
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" || item.Value == "" {
			r.problem(item, "write a list of texts, such as [a, b]; text that begins with # or * needs quotes", "%s holds %s", what, shown(item))
			continue
		}
		out, at = append(out, item.Value), append(at, item)
	}
	return out, at
}

func (r *policyReader) patterns(n *yaml.Node, what string) []string {
	out, at := r.texts(n, what)
	for i, p := range out {
		if err := policy.CheckPattern(p); err != nil {
			r.problem(at[i], "", "%s: %v", what, err)
		}
	}
	return out
}

func (r *policyReader) oneOf(n *yaml.Node, what string, known ...string) string {
	n = whole(n)
	if !slices.Contains(known, n.Value) {
		r.problem(n, nearestOf(n.Value, known), "%s is %s", what, shown(n))
	}
	return n.Value
}

func (r *policyReader) roles(n *yaml.Node, what string) map[string]RoleConfig {
	out := map[string]RoleConfig{}
	for _, p := range r.pairs(n, what) {
		if p.key.Value == "" {
			r.problem(p.key, `give it one, such as "deployer"`, "a role has no name")
			continue
		}
		role := RoleConfig{Pos: posOf(p.key)}
		r.role(p.value, fmt.Sprintf("role %q", p.key.Value), &role)
		out[p.key.Value] = role
	}
	return out
}

func (r *policyReader) role(n *yaml.Node, what string, role *RoleConfig) {
	before := len(r.problems)
	r.mapping(n, what, map[string]func(string, *yaml.Node){
		"members":   func(_ string, v *yaml.Node) { role.Members = r.members(v, what) },
		"groups":    func(_ string, v *yaml.Node) { role.Groups = r.groups(v, what) },
		"may":       func(_ string, v *yaml.Node) { role.May = r.verbs(v, what) },
		"playbooks": func(_ string, v *yaml.Node) { role.Playbooks = r.patterns(v, what) },
		"inputs":    func(_ string, v *yaml.Node) { role.Inputs, role.inputs = r.inputs(v, what) },
		"channels":  func(_ string, v *yaml.Node) { role.Channels = r.channels(v, what) },
		"max_nodes": func(k string, v *yaml.Node) { r.number(v, k, maxLimit, &role.MaxNodes) },
		"max_runs":  func(k string, v *yaml.Node) { r.number(v, k, maxLimit, &role.MaxRuns) },
	})
	if len(r.problems) > before {
		return
	}
	if err := role.role("role", "").Check(); err != nil { // what no single value shows
		r.problem(n, "", "%s: %s", what, strings.TrimPrefix(err.Error(), `role "role": `))
	}
}

// members are ids or local names. A mention as people type it is none.
func (r *policyReader) members(n *yaml.Node, what string) []string {
	out, at := r.texts(n, what+".members")
	for i, m := range out {
		switch {
		case strings.HasPrefix(m, "@"), strings.HasPrefix(m, "<"), strings.Contains(m, " "):
			r.problem(at[i], `copy the member's id, such as U0123ANA, from their profile ("Copy member ID"): names can be changed`, "%s: %q is a name and no id", what, m)
		case regexp.MustCompile(`^S0[A-Z0-9]{5,}$`).MatchString(m): // a local user may be called SAM
			r.problem(at[i], "write it under groups:", "%s: %q is the id of a user group", what, m)
		}
	}
	return out
}

func (r *policyReader) groups(n *yaml.Node, what string) []string {
	out, at := r.texts(n, what+".groups")
	for i, g := range out {
		if !groupID().MatchString(g) {
			r.problem(at[i], "copy the id of the user group, such as S0123OPS, from its page in Slack; people go under members:", "%s: %q is no id of a user group", what, g)
		}
	}
	return out
}

func groupID() *regexp.Regexp { return regexp.MustCompile(`^S[A-Z0-9]{2,}$`) }

func (r *policyReader) channels(n *yaml.Node, what string) []string {
	out, at := r.texts(n, what+".channels")
	id := regexp.MustCompile(`^[CG][A-Z0-9]{1,}$`)
	for i, c := range out {
		if c != policy.Direct && c != policy.Terminal && !id.MatchString(c) {
			remedy := "copy the channel's id, such as C0123OPS, from its details: names can be changed; or write dm or terminal"
			if near := playbooks.Nearest(c, []string{policy.Direct, policy.Terminal}); near != "" {
				remedy = fmt.Sprintf("did you mean %q?", near)
			}
			r.problem(at[i], remedy, "%s: %q is no id of a channel", what, c)
		}
	}
	return out
}

func (r *policyReader) verbs(n *yaml.Node, what string) []policy.Verb {
	texts, at := r.texts(n, what+".may")
	var known []string
	for _, v := range policy.Verbs() {
		known = append(known, string(v))
	}
	var out []policy.Verb
	for i, t := range texts {
		if !slices.Contains(known, t) {
			r.problem(at[i], nearestOf(t, known), "%s: unknown verb %q", what, t)
		}
		out = append(out, policy.Verb(t))
	}
	return out
}

func (r *policyReader) inputs(n *yaml.Node, what string) (map[string]policy.Values, map[string]playbooks.Pos) {
	out, at := map[string]policy.Values{}, map[string]playbooks.Pos{}
	for _, p := range r.pairs(n, what+".inputs") {
		of := fmt.Sprintf("%s: input %q", what, p.key.Value)
		var v policy.Values
		items := []*yaml.Node{p.value}
		if list := whole(p.value); list.Kind == yaml.SequenceNode {
			items = list.Content
		}
		for _, item := range items {
			r.allowed(whole(item), of, &v)
		}
		if len(v.Like)+len(v.Ranges) == 0 {
			r.problem(p.key, "name a value, or leave the input out", "%s: no value is allowed", of)
		}
		out[p.key.Value], at[p.key.Value] = v, posOf(p.key)
	}
	return out, at
}

// allowed reads one of the values that an input may have: a pattern, or a range.
func (r *policyReader) allowed(n *yaml.Node, what string, into *policy.Values) {
	switch {
	case n.Kind == yaml.MappingNode:
		in := policy.Range{AtLeast: math.Inf(-1), AtMost: math.Inf(1)}
		end := func(into *float64) func(string, *yaml.Node) {
			return func(_ string, v *yaml.Node) { r.scalar(v, what, "a number", into) }
		}
		r.mapping(n, what, map[string]func(string, *yaml.Node){"at_least": end(&in.AtLeast), "at_most": end(&in.AtMost)})
		if err := (policy.Values{Ranges: []policy.Range{in}}).Check(); err != nil {
			r.problem(n, "", "%s: %v", what, err)
		}
		into.Ranges = append(into.Ranges, in)
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		r.problem(n, "write a value, a list of values, or {at_least: 1, at_most: 10}", "%s may not be %s", what, shown(n))
		into.Like = append(into.Like, "") // said already
	default:
		like := scalarText(n)
		if err := policy.CheckPattern(like); err != nil {
			r.problem(n, "", "%s: %v", what, err)
		}
		into.Like = append(into.Like, like)
	}
}

// scalarText is a value as the policy compares it: 5.0 is 5, and yes is what YAML says it is.
func scalarText(n *yaml.Node) string {
	one := policy.Values{Like: []string{n.Value}}
	var number float64
	if (n.Tag == "!!int" || n.Tag == "!!float") && n.Decode(&number) == nil && !one.Allow(number) {
		return policy.NumberText(number)
	}
	return n.Value
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case isNothing(n):
		return "nothing"
	}
	return "text"
}

// shown is a value in a sentence.
func shown(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || isNothing(n) {
		return kindOf(n)
	}
	return fmt.Sprintf("%q", n.Value)
}

package filtertest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

// Fact is one comparison.
type Fact struct{ Path, Operator, Value string }

// Filter is one in its parts.
type Filter struct {
	Agents, Classes, Identities []string
	Facts                       []Fact
}

// expected are the nodes that PuppetDB must name: as servers would, without what servers do by mistake.
func expected(nodes []pdbsim.Node, collective string, f Filter) []string {
	out := []string{}
	for _, n := range nodes {
		if !n.Deactivated && slices.Contains(n.Collectives, collective) && selects(n, f) {
			out = append(out, n.Certname)
		}
	}
	slices.Sort(out)
	return out
}

func selects(n pdbsim.Node, f Filter) bool {
	for _, w := range f.Agents {
		if !slices.ContainsFunc(agents(n), func(a string) bool { return word(w, a, "") }) {
			return false
		}
	}
	for _, w := range f.Classes {
		if !slices.ContainsFunc(classes(n), func(c string) bool { return word(w, c, "(?i)") }) {
			return false
		}
	}
	for _, fact := range f.Facts {
		if !fact.holds(n.Facts) {
			return false
		}
	}
	return len(f.Identities) == 0 || slices.ContainsFunc(f.Identities, func(w string) bool { return word(w, n.Certname, "") })
}

// agents are those of a server, which has some of its own.
func agents(n pdbsim.Node) []string {
	if len(n.Agents) == 0 {
		return nil
	}
	return slices.Concat(n.Agents, []string{"rpcutil", "choria_util", "scout", "discovery"})
}

// classes are those of a node; servers of Choria are in one more.
func classes(n pdbsim.Node) []string {
	if len(n.Agents) == 0 {
		return n.Classes
	}
	return append([]string{"choria::service"}, n.Classes...)
}

func word(want, have, flags string) bool {
	if len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/' {
		return regexp.MustCompile(flags + want[1:len(want)-1]).MatchString(have)
	}
	return want == have || flags != "" && strings.EqualFold(want, have)
}

// holds compares text without its case, and numbers as numbers; a structure compares with nothing.
func (f Fact) holds(facts map[string]any) bool {
	var v any = facts
	for part := range strings.SplitSeq(f.Path, ".") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	raw, err := json.Marshal(v)
	text := string(raw)
	number, numberErr := strconv.ParseFloat(text, 64)
	switch t := v.(type) {
	case nil, map[string]any, []any:
		return false
	case string:
		text = t
	}
	want, wantErr := strconv.ParseFloat(f.Value, 64)
	same := strings.EqualFold(text, f.Value) || strings.Contains(f.Value, ".") && numberErr == nil && wantErr == nil && number == want && !strings.ContainsAny(f.Value, "_xXpPeEnN+") &&
		regexp.MustCompile(`^-?(0|[1-9]\d*)\.\d+$`).MatchString(f.Value)
	switch f.Operator {
	case "=", "==":
		return same
	case "!=":
		return err == nil && !same
	case "=~":
		return regexp.MustCompile("(?i)" + strings.Trim(f.Value, "/")).MatchString(text)
	}
	if _, isText := v.(string); isText || numberErr != nil || wantErr != nil {
		return false
	}
	switch f.Operator {
	case "<":
		return number < want
	case "<=":
		return number <= want
	case ">":
		return number > want
	}
	return number >= want
}

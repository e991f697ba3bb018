package filtertest

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/playbooks"
)

// collective is that which the filters are asked in.
const collective = "mcollective"

// Check asks hostile filters of a PuppetDB that knows [Nodes], and fails when one selects other nodes
// than it should. What a playbook may not hold is refused before anything is asked. A round is as many
// filters as rapid makes, 100 unless told otherwise.
func Check(t *testing.T, db mcollective.PuppetDB, rounds int) {
	t.Helper()
	typ := mcollective.Type(mcollective.Sources{PuppetDB: db, Collective: collective})
	asked, found := 0, 0
	ask := func(r *rapid.T) {
		f := filters().Draw(r, "filter")
		source, err := typ.Decode(playbooks.FromMap(properties(f)))
		if err != nil {
			return // refused with a sentence
		}
		got, err := source.Discover(t.Context(), &engine.Call{})
		if err != nil {
			r.Fatalf("%+v: %v", f, err)
		}
		slices.Sort(got)
		want := expected(Nodes(), collective, f)
		if !slices.Equal(got, want) && len(got)+len(want) > 0 {
			r.Fatalf("%+v\ngot  %v\nwant %v", f, got, want)
		}
		asked++
		if len(want) > 0 {
			found++
		}
	}
	for range rounds {
		rapid.Check(t, ask)
	}
	if asked < 20*rounds || found < 5*rounds {
		t.Errorf("%d filters were asked, and %d found something; the test compares nothing", asked, found)
	}
}

func properties(f Filter) map[string]any {
	out := map[string]any{"discovery_method": "choria"}
	var facts []string
	for _, fact := range f.Facts {
		facts = append(facts, fact.Path+fact.Operator+fact.Value)
	}
	for key, words := range map[string][]string{"agents": f.Agents, "classes": f.Classes, "identities": f.Identities, "facts": facts} {
		list := []any{}
		for _, w := range words {
			list = append(list, w)
		}
		if len(list) > 0 {
			out[key] = list
		}
	}
	return out
}

// filters are those of a playbook, whose author knows what = and ~ mean at the beginning of a value.
func filters() *rapid.Generator[Filter] {
	return rapid.Custom(func(t *rapid.T) Filter {
		some := rapid.SliceOfN(names(), 0, 2)
		f := Filter{Agents: some.Draw(t, "agents"), Classes: some.Draw(t, "classes"), Identities: some.Draw(t, "identities")}
		if rapid.IntRange(0, 9).Draw(t, "taken for a condition") == 0 { // PuppetDB reads lists of names, too
			f.Identities = []string{rapid.SampledFrom([]string{"tag", "TAG", "new_value", "and", "NOT"}).Draw(t, "word"), names().Draw(t, "name")}
		}
		if rapid.IntRange(0, 2).Draw(t, "alone") > 0 { // two of them hardly ever hold at once
			switch rapid.IntRange(0, 3).Draw(t, "which") {
			case 0:
				f = Filter{Agents: f.Agents}
			case 1:
				f = Filter{Classes: f.Classes}
			case 2:
				f = Filter{Identities: f.Identities}
			default:
				f = Filter{}
			}
		}
		if len(f.Agents) == 0 {
			f.Agents = []string{"rpcutil"} // as the node set does
		}
		for range rapid.IntRange(0, 2).Draw(t, "facts") {
			f.Facts = append(f.Facts, fact(t))
		}
		return f
	})
}

func fact(t *rapid.T) Fact {
	f := Fact{
		Path:     rapid.SampledFrom([]string{"tier", "tier", "tier", "n", "f", "up", "os", "os.family", "os.n", "list", "e", "other", "nosuch", "os.nosuch", "tier.x"}).Draw(t, "path"),
		Operator: rapid.SampledFrom([]string{"=", "==", "!=", "=~", "<", "<=", ">", ">="}).Draw(t, "operator"),
		Value:    strings.TrimSpace(strings.TrimLeftFunc(Values().Draw(t, "value"), operator)),
	}
	if f.Operator == "=" && len(f.Value) > 1 && f.Value[0] == '/' && f.Value[len(f.Value)-1] == '/' {
		f.Operator = "=~"
	}
	return f
}

// operator reports whether a value cannot begin so: it would belong to the operator before it.
func operator(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("=~<>", r) }

// hostile is what means something to PQL, to JSON, to SQL, to regular expressions or to templates.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			`x" or "1" = "1`, `x"]],["=","certname","web1.example.net"]]`, `x\`, `\"`, `x' or 'a'='a`, `") } or nodes { }`, "*", ".*", ".", "[a-z]*", "x|web1.example.net", "x\n.*", "%", "$1", "(?i)",
			"{{ inputs.x }}", "{{ nodes.web }}", "}}", "[alfa]", "käse", "KÄSE", "日本", "two\nlines", "two", `C:\temp\x`, "c:\\TEMP\\x", `["=", "certname", "web1"]`, `say "hi"`, "a'b%_?", "true", "null", "\x00", "\ufffd", "\u2028",
		}),
		rapid.SampledFrom([]string{"~", "=", "<=", "and", "or", "not", "in", "extract", "subquery", "array", "tag", "new_value"}), // PuppetDB's own words
		rapid.StringMatching(`[a-b"'\[\](){}|\\.*+?^$%_,;:/ \n\täß日{}=~-]{1,8}`),
		rapid.StringN(1, 6, 24),
	)
}

// names are words for agents, classes and identities.
func names() *rapid.Generator[string] {
	return rapid.OneOf(hostile(), patterns(), rapid.SampledFrom([]string{
		"web1.example.net", "WEB1.example.net", "WEB3.example.net", "web1", "db.1.example.net", "db-1.example.net", "roles::web", "Roles::Web", "roles", "settings", "choria::service", "puppet", "puppet_plus", "rpcutil", "scout", "alfa", "PUPPET",
	}))
}

// Values are words for facts: hostile ones, patterns, and some that match.
func Values() *rapid.Generator[string] {
	return rapid.OneOf(hostile(), patterns(), rapid.SampledFrom([]string{
		"alfa", "ALFA", "bravo", "debian", "4", "4.0", "4.5", "04", "-1", "0.5", "0.50", ".5", "1e2", "100000", "0x4", "true", "FALSE", "12", "1.5", "1.25", "10", "+4", "NaN",
	}))
}

// patterns are regular expressions between slashes.
func patterns() *rapid.Generator[string] {
	return rapid.Map(rapid.OneOf(
		rapid.SampledFrom([]string{
			"^web", "^WEB", "alfa", "^al|bravo$", "^(alfa|puppet)$", "pup", "^puppet_", "_plus$", "[0-9]", `\d`, `\w+`, `\.`, "a.f", "^.*$", "o{2}", "t{1,2}", "^$", "[[:alpha:]]b", "(?:al)fa", "k.se", "ä", "Ä", "日", "a*?", "[^a]", `\s`, `\\`, `\n`, "a{", "a{,2}", "x**", "]", "[]a]", `\Qa\E`, `\x41`, "two.lines", "^lines", "a|", "|a",
		}),
		rapid.StringMatching(`[ab^$.|*+?()\[\]{}\\dws1,_-]{1,6}`),
	), func(s string) string { return "/" + s + "/" })
}

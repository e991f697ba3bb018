package realfleet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/choria-io/go-choria/protocol"
	v1 "github.com/choria-io/go-choria/protocol/v1"
	"github.com/choria-io/go-choria/providers/data/ddl"
	"github.com/sirupsen/logrus"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// described is a server as Choria's own code looks at it.
type described struct{ filter.Server }

func (d described) Classes() []string                 { return d.Server.Classes }
func (d described) Facts() json.RawMessage            { return d.Server.Facts }
func (d described) Identity() string                  { return d.Server.Identity }
func (d described) KnownAgents() []string             { return d.Agents }
func (d described) DataFuncMap() (ddl.FuncMap, error) { return ddl.FuncMap{}, nil }

// judged is what Choria's own code says of a filter.
func judged(t *rapid.T, f wire.Filter, s filter.Server) bool {
	t.Helper()
	req, err := v1.NewRequest("discovery", "client", "choria=client", 60, strings.Repeat("a", 32), "mcollective")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(f.Whole())
	if err != nil {
		t.Fatal(err)
	}
	theirs := protocol.NewFilter()
	if err := json.Unmarshal(raw, theirs); err != nil {
		t.Fatal(err)
	}
	req.SetFilter(theirs)
	log := logrus.New()
	log.SetOutput(io.Discard)
	return theirs.MatchServerRequest(req, described{s}, log)
}

// words are what names and values are made of: what means something to a shell, to PQL, to JSON, to
// regular expressions, to templates, and to nobody.
func words() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"alfa", "ALFA", "Bravo", "roles::web", "Roles::Web", "web1", "rpcutil", "4", "4.0", "04", "4.5", "-1", "1e2", "true", "T", "0", "f", "no", "null", "",
			"/", "//", "/alfa/", "/^web/", "/WEB/", "/a|b/", "/(/", "/./", ".*", "[a-z]*", "a.b", `say "hi"`, `") or true or ("`, `{{ inputs.x }}`, "käse", "KÄSE", "a\nb", `\`, "1.5", "1.50",
		}),
		rapid.StringMatching(`[a-b/0-2.<=>!~"{}\[\]()|\\ \n]{1,5}`),
	)
}

func paths() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"text", "number", "fraction", "yes", "no", "nothing", "list", "deep", "deep.text", "deep.number", "list.0", "list.#", "nosuch", "d*p.text", "a.b", `a\.b`, "deep.nosuch", ""})
}

func facts() *rapid.Generator[json.RawMessage] {
	return rapid.Custom(func(t *rapid.T) json.RawMessage {
		all := map[string]any{
			"text": words().Draw(t, "text"), "number": rapid.IntRange(-3, 5).Draw(t, "number"), "fraction": rapid.SampledFrom([]float64{0.5, 1.5, -0.5, 4, 4.5, 1e20}).Draw(t, "fraction"),
			"yes": true, "no": false, "nothing": nil, "list": []any{words().Draw(t, "item"), 1, 2.5, true}, "a.b": words().Draw(t, "dotted"),
			"deep": map[string]any{"text": words().Draw(t, "deep text"), "number": rapid.IntRange(-3, 5).Draw(t, "deep number")},
		}
		raw, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	})
}

// compounds are expressions; their values are quoted as expr reads Go's quotes.
func compounds() *rapid.Generator[string] {
	leaf := rapid.Custom(func(t *rapid.T) string {
		q := func(s string) string {
			raw, _ := json.Marshal(s)
			return string(raw)
		}
		word, path := words().Draw(t, "word"), paths().Draw(t, "path")
		op := rapid.SampledFrom([]string{"=", "==", "!=", "=~", "<", ">", "<=", ">=", "=<", "=>"}).Draw(t, "sign")
		return rapid.SampledFrom([]string{
			"with(" + q(word) + ")", "with(" + q(path+op+word) + ")", "fact(" + q(path) + ") == " + q(word), "fact(" + q(path) + ") > 1",
			"include(fact(" + q("list") + "), " + q(word) + ")", `include(fact("list"), 1)`, q(word) + " in classes", q(word) + " in agents",
			`semver("1.2.3", ` + q(">= "+word) + ")", `fact("text") matches ` + q(word), "nosuch", "nosuch()", "true",
		}).Draw(t, "leaf")
	})
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(leaf, 1, 3).Draw(t, "parts")
		return strings.Join(parts, rapid.SampledFrom([]string{" and ", " or ", " and not "}).Draw(t, "join"))
	})
}

func filters() *rapid.Generator[wire.Filter] {
	return rapid.Custom(func(t *rapid.T) wire.Filter {
		some := rapid.SliceOfN(words(), 0, 2)
		f := wire.Filter{Agent: some.Draw(t, "agents"), Class: some.Draw(t, "classes"), Identity: some.Draw(t, "identities")}
		for range rapid.IntRange(0, 2).Draw(t, "facts") {
			f.Fact = append(f.Fact, wire.Fact{
				Fact: paths().Draw(t, "path"), Operator: rapid.SampledFrom([]string{"==", "!=", "=~", "<", ">", "<=", ">="}).Draw(t, "operator"), Value: words().Draw(t, "value"),
			})
		}
		if rapid.Bool().Draw(t, "compound?") {
			f.Compound = [][]map[string]string{{{"expr": compounds().Draw(t, "compound")}}}
		}
		return f
	})
}

func TestFilter_decidesAsChoriasOwnCode(t *testing.T) {
	t.Parallel()
	matched := 0
	compare := func(t *rapid.T) {
		all := rapid.SliceOfN(words(), 0, 3)
		s := filter.Server{Identity: words().Draw(t, "identity"), Agents: all.Draw(t, "agents"), Classes: all.Draw(t, "classes"), Facts: facts().Draw(t, "facts")}
		whole := filters().Draw(t, "filter")
		for _, f := range append(parts(whole), whole) { // alone each part decides oftener
			want := judged(t, f, s)
			m, err := filter.New(f)
			if got := err == nil && m.Matches(s); got != want {
				t.Fatalf("%+v of %s, agents %q, classes %q, facts %s: got %v, %v; Choria says %v", f, s.Identity, s.Agents, s.Classes, s.Facts, got, err, want)
			}
			if want {
				matched++
			}
		}
	}
	for range 10 {
		rapid.Check(t, compare)
	}
	if matched < 100 {
		t.Errorf("only %d filters selected anything; the test compares nothing", matched)
	}
}

// parts are the filters that a filter is made of.
func parts(f wire.Filter) []wire.Filter {
	var out []wire.Filter
	for _, fact := range f.Fact {
		out = append(out, wire.Filter{Fact: []wire.Fact{fact}})
	}
	for _, one := range []wire.Filter{{Agent: f.Agent}, {Class: f.Class}, {Identity: f.Identity}, {Compound: f.Compound}} {
		if fmt.Sprint(one) != fmt.Sprint(wire.Filter{}) {
			out = append(out, one)
		}
	}
	return out
}

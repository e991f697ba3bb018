package mcollective_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/engine/nodes/mcollective/filtertest"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/playbooks"
)

func TestSource_noFilterSelectsOtherNodesThanItShould(t *testing.T) {
	t.Parallel()
	c, err := puppetdb.New(puppetdb.Options{URL: "http://puppetdb", Transport: transport{pdbsim.New(filtertest.Nodes())}})
	if err != nil {
		t.Fatal(err)
	}
	filtertest.Check(t, c, 10)
}

// typed is what a filter selects when somebody types a value for its template.
func typed(t *testing.T, typ engine.NodeSourceType, filter string, value any) ([]string, error) {
	t.Helper()
	book, err := playbooks.Parse("b.yaml", []byte("name: b\nversion: 1.0.0\nauthor: a\ndescription: d\ninputs: {v: {type: String}}\n"+
		"nodes: {web: {type: mcollective, "+filter+"}}\ntasks: []\n"), engine.Types{Nodes: []engine.NodeSourceType{typ}})
	if err != nil {
		t.Fatal(err)
	}
	scope := playbooks.Scope{Input: func(context.Context, string) (any, error) { return value, nil }}
	p, err := playbooks.Rendered(book.NodeSets[0].Properties, t.Context(), scope, playbooks.Special{})
	if err != nil {
		t.Fatal(err)
	}
	source, err := typ.Decode(p)
	if err != nil {
		return nil, err
	}
	return source.Discover(t.Context(), &engine.Call{})
}

// inventoryOf is an inventory file with the nodes of a test.
func inventoryOf(t *testing.T, nodes []pdbsim.Node) mcollective.Sources {
	t.Helper()
	list := []any{}
	for _, n := range nodes {
		facts := n.Facts
		if facts == nil {
			facts = map[string]any{}
		}
		list = append(list, map[string]any{"name": n.Certname, "collectives": n.Collectives, "facts": facts, "classes": n.Classes, "agents": append([]string{}, n.Agents...)})
	}
	raw, err := json.Marshal(map[string]any{"$schema": "https://choria.io/schemas/choria/discovery/v1/inventory_file.json", "nodes": list})
	if err != nil {
		t.Fatal(err)
	}
	_, from := folder(t, map[string]string{"fleet.json": string(raw)})
	return from
}

// TestSource_aTypedValueIsNothingButAValue types hostile values into filters of every kind: what is
// selected is what equals the value, or the value is refused.
func TestSource_aTypedValueIsNothingButAValue(t *testing.T) {
	t.Parallel()
	nodes := filtertest.Nodes()
	from := inventoryOf(t, nodes)
	c, err := puppetdb.New(puppetdb.Options{URL: "http://puppetdb", Transport: transport{pdbsim.New(nodes)}})
	if err != nil {
		t.Fatal(err)
	}
	from.PuppetDB = c
	typ := mcollective.Type(from)
	tier := func(n pdbsim.Node) string { s, _ := n.Facts["tier"].(string); return s }
	kinds := map[string]func(n pdbsim.Node, value string) bool{
		`facts: ["tier={{ inputs.v }}"]`: func(n pdbsim.Node, v string) bool {
			return strings.EqualFold(tier(n), strings.TrimSpace(strings.TrimPrefix(v, "=")))
		},
		`facts: ["tier=a{{ inputs.v }}"]`: func(n pdbsim.Node, v string) bool { return strings.EqualFold(tier(n), strings.TrimSpace("a"+v)) },
		`facts: ["{{ inputs.v }}=alfa"]`: func(_ pdbsim.Node, v string) bool {
			return slices.Contains([]string{"tier", "other", "list"}, strings.TrimSpace(v))
		},
		`identities: ["{{ inputs.v }}.example.net"]`:    func(n pdbsim.Node, v string) bool { return n.Certname == v+".example.net" },
		`classes: ["roles::{{ inputs.v }}"]`:            func(n pdbsim.Node, v string) bool { return slices.Contains(n.Classes, "roles::"+strings.ToLower(v)) },
		`agents: ["pup{{ inputs.v }}"]`:                 func(n pdbsim.Node, v string) bool { return slices.Contains(n.Agents, "pup"+v) },
		`compound: 'with("tier={{ inputs.v }}")'`:       func(n pdbsim.Node, _ string) bool { return tier(n) != "" },
		`compound: 'fact("tier") == "{{ inputs.v }}"'`:  func(n pdbsim.Node, _ string) bool { return tier(n) != "" },
		`compound: 'with("{{ inputs.v }}") and false'`:  func(pdbsim.Node, string) bool { return false },
		`compound: 'with("roles::x{{ inputs.v }}y_z")'`: func(pdbsim.Node, string) bool { return false },
	}
	values := rapid.OneOf(filtertest.Values(), rapid.SampledFrom([]string{"alfa", "web", "pet", "tier", "list", "os", `x") or with("/./`, `x" or true or "`, `") or ("" == "`, "lfa", `x\" or true or \"`, "/.*/", "/", "=/./", "~.*", "!=x", "* or true"}))
	selected, refused := 0, 0
	for kind, may := range kinds {
		for _, method := range []string{"inventory, discovery_options: {file: fleet.json}", "choria"} {
			if method == "choria" && strings.HasPrefix(kind, "compound") {
				continue
			}
			rapid.Check(t, func(r *rapid.T) {
				value := values.Draw(r, "value")
				got, err := typed(t, typ, "discovery_method: "+method+", "+kind, value)
				if err != nil {
					refused++
					return
				}
				of := map[string]bool{} // an equality selects the nodes of one value
				for _, n := range nodes {
					if !slices.Contains(got, n.Certname) {
						continue
					}
					if selected++; !may(n, value) {
						r.Fatalf("%s by %s, with %q: %s is selected", kind, method, value, n.Certname)
					}
					of[strings.ToLower(tier(n))] = true
				}
				if strings.HasPrefix(kind, "compound") && len(of) > 1 {
					r.Fatalf("%s with %q: %v are selected", kind, value, got)
				}
			})
		}
	}
	if selected < 50 || refused < 50 {
		t.Errorf("%d nodes were selected, %d values refused; the test compares nothing", selected, refused)
	}
}

func TestSource_aFilterThatIsLeftEmptyIsRefused(t *testing.T) {
	t.Parallel()
	from := inventoryOf(t, filtertest.Nodes())
	for _, row := range []struct {
		key   string
		value any
	}{{"compound", ""}, {"agents", []any{}}, {"classes", []any{}}, {"facts", []any{}}, {"identities", []any{}}} {
		got, err := typed(t, mcollective.Type(from), `discovery_method: inventory, discovery_options: {file: fleet.json}, `+row.key+`: "{{ inputs.v }}"`, row.value)
		if want := "leaves " + row.key + " empty, and that would select every node"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want an error that says %q", row.key, got, err, want)
		}
	}
}

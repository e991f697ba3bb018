package mcollective_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/playbooks"
)

// folder writes files into a folder and returns the node set type that reads them there.
func folder(t *testing.T, files map[string]string) (string, mcollective.Sources) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, mcollective.Sources{Dir: dir, Collective: "mcollective"}
}

// flat are the properties of a set that reads a flat file; more are its options after the file.
func flat(file string, more ...string) map[string]any {
	return by("flatfile", file, more...)
}

func by(method, file string, more ...string) map[string]any {
	options := map[string]any{"file": file}
	for i := 0; i+1 < len(more); i += 2 {
		options[more[i]] = more[i+1]
	}
	return map[string]any{"discovery_method": method, "discovery_options": options}
}

func TestFlatFile_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		_, from := folder(t, map[string]string{"nodes.txt": "web2\nweb1\nweb2\n", "none.txt": "\n# nobody\n"})
		return nodestest.Case{
			Type: mcollective.Type(from), Defaults: true,
			Some: flat("nodes.txt"), Want: []string{"web2", "web1"}, None: flat("none.txt"), Broken: flat("gone.txt"), Names: "gone.txt",
		}
	})
}

func TestFlatFile_readsEveryFormat(t *testing.T) {
	t.Parallel()
	dir, from := folder(t, map[string]string{
		"a.txt": " web1.example.net \r\n\n# a comment\nlb1.example.net", "a.json": `["web1.example.net", "lb1.example.net"]`, "a.yaml": "- web1.example.net\n- lb1.example.net\n",
		"deep.yml": "dc: &dc\n  web: [web1.example.net, lb1.example.net]\nother: {<<: *dc, n: 1}\n", "names": `["web1.example.net"]`,
		"answers":   `{"agent": "puppet", "replies": [{"sender": "web1.example.net", "statuscode": 0}, {"sender": "lb1.example.net", "statuscode": 1}]}`,
		"rows.json": `{"nodes": [{"name": "web1.example.net", "up": true}, {"name": "lb1.example.net", "up": false}]}`,
	})
	all := "web1 lb1"
	for name, row := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"text":            {flat("a.txt"), all},
		"JSON":            {flat("a.json"), all},
		"YAML":            {flat("a.yaml"), all},
		"another folder":  {flat(filepath.Join(dir, "a.txt")), all},
		"format is told":  {flat("names", "format", "json"), "web1"},
		"replies":         {flat("answers", "format", "choriarpc"), all},
		"filter of YAML":  {flat("deep.yml", "filter", "other.web"), all},
		"filter of JSON":  {flat("rows.json", "filter", "nodes.#(up==true)#.name"), "web1"},
		"filter, nothing": {flat("rows.json", "filter", "nodes.#(up==1)#.name"), ""},
	} {
		got, err := discover(t, mcollective.Type(from), row.properties)
		if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); err != nil || s != row.want {
			t.Errorf("%s: got %q, %v; want %q", name, s, err, row.want)
		}
	}
	for words, want := range map[string]string{"/^web/": "web1", "lb1.example.net /nosuch/": "lb1", "LB1.example.net": "", "web": ""} {
		properties := flat("a.txt")
		properties["identities"] = list(strings.Fields(words)...)
		got, err := discover(t, mcollective.Type(from), properties)
		if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); err != nil || s != want {
			t.Errorf("identities %s: got %q, %v; want %q", words, s, err, want)
		}
	}
}

func TestFlatFile_namesThePlaceOfWhatItCannotRead(t *testing.T) {
	t.Parallel()
	dir, from := folder(t, map[string]string{
		"a.txt": "web1\nweb 2\n", "a.json": "[\"web1\",\n \"web2\"\n", "two.json": `["a"] ["b"]`, "map.json": `{"a": ["b"]}`, "number.yaml": "- web1\n- 17\n", "bad.yaml": "a: [\n",
		"long.txt": strings.Repeat("x", 300), "big.txt": strings.Repeat("web1\n", 1<<20), "empty.yaml": "", "replies.json": `{"replies": [{"sender": "a"}, {"x": 1}]}`, "twice.yaml": "a: 1\na: 2\n",
	})
	for name, row := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"no name":          {flat("a.txt"), `a.txt: line 2: "web 2" is not the name of a node`},
		"cut off":          {flat("a.json"), "a.json: line 3:"},
		"two values":       {flat("two.json"), "more than one value"},
		"no list":          {flat("map.json"), "must be a list of names"},
		"no list, filter":  {flat("map.json", "filter", "b"), "the filter b does not lead to a list"},
		"a number":         {flat("number.yaml"), "entry 2: 17 is not the name of a node"},
		"no YAML":          {flat("bad.yaml"), "bad.yaml: line "},
		"an endless name":  {flat("long.txt"), "…\" is not the name"},
		"too large":        {flat("big.txt"), "is larger than 4 MiB"},
		"nothing":          {flat("empty.yaml"), "must be a list of names"},
		"no replies":       {flat("map.json", "format", "rpc"), "has no list of replies; write it with choria req -j"},
		"a reply of noone": {flat("replies.json", "format", "rpc"), "reply 2"},
		"a folder":         {flat("."), dir},
		"a key twice":      {flat("twice.yaml"), "already defined"},
	} {
		got, err := discover(t, mcollective.Type(from), row.properties)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), dir) || len(err.Error()) > 400 {
			t.Errorf("%s: got %v, %v; want %q", name, got, err, row.want)
		}
	}
}

const fleet = `
$schema: https://choria.io/schemas/choria/discovery/v1/inventory_file.json
groups:
  - name: germany
    filter: {facts: [country=de]}
  - name: big
    filter: {compound: fact("cpus") >= 8, classes: [/web/]}
  - name: all
nodes:
  - &web
    name: web2.example.net
    collectives: [mcollective, uk]
    facts: {country: uk, cpus: 8, load: 0.5, day: 2026-01-02, os: {family: Debian}, 17: seventeen, virtual: false}
    classes: [Roles::Web]
    agents: [rpcutil, puppet]
  - {<<: *web, name: web1.example.net, facts: {country: de, cpus: 4, load: 1.5, list: [a, 1]}}
  - {<<: *web, name: db1.example.net, classes: [roles::db], agents: [rpcutil], facts: {country: de, cpus: 16}}
  - {name: far.example.net, collectives: [other], facts: {}, classes: [], agents: []}
`

func TestInventory_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		_, from := folder(t, map[string]string{"fleet.yaml": fleet})
		none := by("inventory", "fleet.yaml")
		none["facts"] = list("country=fr")
		return nodestest.Case{
			Type: mcollective.Type(from), Defaults: true, Some: by("inventory", "fleet.yaml"), Want: []string{"web2.example.net", "web1.example.net", "db1.example.net"},
			None: none, Broken: by("inventory", "gone.yaml"), Names: "gone.yaml",
		}
	})
}

func TestInventory_evaluatesEveryFilterAsAServerDoes(t *testing.T) {
	t.Parallel()
	_, from := folder(t, map[string]string{"fleet.yaml": fleet})
	for name, row := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"nothing":         {nil, "web2 web1 db1"},
		"agents":          {map[string]any{"agents": list("puppet")}, "web2 web1"},
		"agents, pattern": {map[string]any{"agents": list("/^rpc/", "/UP/")}, ""},
		"classes":         {map[string]any{"classes": list("ROLES::web")}, "web2 web1"},
		"a fact":          {map[string]any{"facts": list("country=DE", "cpus>4")}, "db1"},
		"fractions":       {map[string]any{"facts": list("load=0")}, "web2"},
		"a date":          {map[string]any{"facts": list("day=2026-01-02")}, "web2"},
		"a dotted fact":   {map[string]any{"facts": list("os.family=/^deb/")}, "web2"},
		"an index":        {map[string]any{"facts": list("list.0=A")}, "web1"},
		"a numeric name":  {map[string]any{"facts": list("17=seventeen")}, "web2"},
		"identities":      {map[string]any{"identities": list("/^db/", "web1.example.net")}, "web1 db1"},
		"a group":         {map[string]any{"identities": list("group:germany")}, "web1 db1"},
		"groups":          {map[string]any{"identities": list("group:big", "db1.example.net")}, "web2 db1"},
		"a group of all":  {map[string]any{"identities": list("group:all"), "facts": list("cpus<16")}, "web2 web1"},
		"compound":        {map[string]any{"compound": `with("roles::web") and include(fact("list"), 1)`}, "web1"},
		"compound, fails": {map[string]any{"compound": `fact("load") < 1`}, "web2"}, // db1 has no load
	} {
		properties := by("inventory", "fleet.yaml")
		maps.Copy(properties, row.properties)
		got, err := discover(t, mcollective.Type(from), properties)
		if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); err != nil || s != row.want {
			t.Errorf("%s: got %q, %v; want %q", name, s, err, row.want)
		}
	}
}

func TestInventory_withoutACollectiveIsEverybody(t *testing.T) {
	t.Parallel()
	_, from := folder(t, map[string]string{"fleet.yaml": fleet})
	from.Collective = ""
	if got, err := discover(t, mcollective.Type(from), by("inventory", "fleet.yaml")); err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestInventory_readsJSON(t *testing.T) {
	t.Parallel()
	_, from := folder(t, map[string]string{"fleet.json": `{"$schema": "https://choria.io/schemas/choria/discovery/v1/inventory_file.json", "nodes": [
		{"name": "web1", "collectives": ["mcollective"], "facts": {"n": 1.50, "big": 12345678901234567890}, "classes": [], "agents": []}]}`})
	properties := by("inventory", "fleet.json")
	properties["facts"] = list("n=1.5", "n=1")
	if got, err := discover(t, mcollective.Type(from), properties); err != nil || strings.Join(got, " ") != "web1" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestInventory_namesEveryPlaceThatIsWrong(t *testing.T) {
	t.Parallel()
	const head = "$schema: https://choria.io/schemas/choria/discovery/v1/inventory_file.json\n"
	const good = "{name: a, collectives: [], facts: {}, classes: [], agents: []}"
	for name, row := range map[string]struct{ text, want string }{
		"nothing":          {"", "the file: it must be a mapping"},
		"no schema":        {"nodes: []", "the file: $schema is missing"},
		"another schema":   {"$schema: x\nnodes: []", "$schema: it is x; write https://choria.io/"},
		"no nodes":         {head, "nodes is missing"},
		"an unknown key":   {head + "node: []\nnodes: []", `the file: unknown key "node", did you mean "nodes"?`},
		"no list":          {head + "nodes: {}", "nodes: it must be a list"},
		"a node of text":   {head + "nodes: [web1]", "nodes[0]: it must be a mapping"},
		"a node in part":   {head + "nodes: [{name: a, facts: {}, classes: []}]", "nodes[0]: collectives is missing; nodes[0]: agents is missing"},
		"an empty name":    {head + `nodes: [{name: "", collectives: [], facts: {}, classes: [], agents: []}]`, "nodes[0]: name must be text and not empty"},
		"twice":            {head + "nodes: [" + good + ", " + good + "]", "nodes: a stands twice"},
		"a number":         {head + "nodes: [{name: a, collectives: [], facts: {}, classes: [1], agents: []}]", "nodes[0].classes[0]: it must be text; put 1 in quotes"},
		"facts of text":    {head + "nodes: [{name: a, collectives: [], facts: x, classes: [], agents: []}]", "nodes[0].facts: it must be a mapping"},
		"no number":        {head + "nodes: [{name: a, collectives: [], facts: {a: .nan}, classes: [], agents: []}]", "line 2: JSON has no value such as .nan"},
		"a group's name":   {head + "nodes: []\ngroups: [{name: a b}]", `groups[0]: a name such as "a b"`},
		"a group twice":    {head + "nodes: []\ngroups: [{name: a}, {name: a}]", "group a stands twice"},
		"a group's key":    {head + "nodes: []\ngroups: [{name: a, filter: {fact: []}}]", `groups[0].filter: unknown key "fact", did you mean "facts"?`},
		"a group's fact":   {head + "nodes: []\ngroups: [{name: a, filter: {facts: [country]}}]", `groups[0].filter.facts: "country" is not a fact filter`},
		"a group's regex":  {head + "nodes: []\ngroups: [{name: a, filter: {classes: [/(/]}}]", "groups[0].filter.classes: /(/ is not a regular expression"},
		"a group of all":   {head + "nodes: []\ngroups: [{name: a, filter: {identities: [//]}}]", "holds for everything"},
		"a compound":       {head + "nodes: []\ngroups: [{name: a, filter: {compound: a=b}}]", "groups[0].filter.compound: "},
		"a group in one":   {head + "nodes: []\ngroups: [{name: a, filter: {identities: ['group:b']}}]", "a group cannot be made of groups"},
		"a list of groups": {head + "nodes: [1,2,3,4,5,6,7]", "and 2 more"},
	} {
		dir, from := folder(t, map[string]string{"fleet.yaml": row.text})
		got, err := discover(t, mcollective.Type(from), by("inventory", "fleet.yaml"))
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), filepath.Join(dir, "fleet.yaml")) {
			t.Errorf("%s: got %v, %v; want %q", name, got, err, row.want)
		}
	}
}

func TestInventory_namesTheGroupsThatThereAre(t *testing.T) {
	t.Parallel()
	_, from := folder(t, map[string]string{"fleet.yaml": fleet})
	properties := by("inventory", "fleet.yaml")
	properties["identities"] = list("group:france")
	if got, err := discover(t, mcollective.Type(from), properties); err == nil || !strings.Contains(err.Error(), `no group "france"; it has: all, big, germany`) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestType_isCheckedAsFarAsItIsWritten(t *testing.T) {
	t.Parallel()
	typ := mcollective.Type(mcollective.Sources{})
	for body, want := range map[string]string{
		`compound: 'with("tier={{ inputs.v }}") and fact("n") > {{ inputs.v }}'`:                  "",
		`compound: 'with("tier={{ inputs.v }}'`:                                                   "9:25: the expression cannot be read",
		`compound: "{{ inputs.v }}"`:                                                              "",
		`discovery_method: "{{ inputs.v }}", discovery_options: {file: x}, compound: 'with("a")'`: "",
		`discovery_method: flatfile, discovery_options: {file: "{{ inputs.v }}", forms: x}`:       `has no option "forms"`,
		`discovery_method: flatfile, discovery_options: "{{ inputs.v }}"`:                         "",
		`discovery_method: inventory, facts: ["a={{ inputs.v }}", "b"]`:                           "none is named",
	} {
		_, err := playbooks.Parse("b.yaml", []byte("name: b\nversion: 1.0.0\nauthor: a\ndescription: d\ninputs: {v: {type: String}}\n"+
			"tasks: []\nnodes:\n  web:\n    {type: mcollective, "+body+"}\n"), engine.Types{Nodes: []engine.NodeSourceType{typ}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestFlatFile_aTypedNameLeadsToNoOtherFolder(t *testing.T) {
	t.Parallel()
	_, from := folder(t, map[string]string{"uk.txt": "web1", "de.txt": "web2"})
	const filter = `discovery_method: flatfile, discovery_options: {file: "{{ inputs.v }}.txt"}`
	if got, err := typed(t, mcollective.Type(from), filter, "uk"); err != nil || strings.Join(got, " ") != "web1" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := typed(t, mcollective.Type(from), filter, "/tmp/secret"); err == nil || !strings.Contains(err.Error(), "would lead to another folder") {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := typed(t, mcollective.Type(from), filter, "../secret"); err == nil || !strings.Contains(err.Error(), "would lead to another folder") {
		t.Errorf("got %v, %v", got, err)
	}
}

package mcollective_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/playbooks"
)

// transport answers requests without a network.
type transport struct{ http.Handler }

// RoundTrip implements [http.RoundTripper].
func (h transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// inventory is a PuppetDB that knows a fleet, and its client.
func inventory(t *testing.T, nodes []fleetsim.Node) (*pdbsim.Server, *puppetdb.Client) {
	t.Helper()
	known := make([]pdbsim.Node, len(nodes))
	for i, n := range nodes {
		agents := n.Agents
		if agents == nil {
			agents = fleetsim.Agents()
		}
		known[i] = pdbsim.Node{
			Certname: n.Name, Facts: n.Facts, Classes: n.Classes, Deactivated: n.Deactivated,
			Agents: slices.Sorted(maps.Keys(agents)), Collectives: []string{"mcollective"},
		}
	}
	sim := pdbsim.New(known)
	c, err := puppetdb.New(puppetdb.Options{URL: "http://puppetdb", Transport: transport{sim}})
	if err != nil {
		t.Fatal(err)
	}
	return sim, c
}

// mixed is a fleet on which every filter is hard to get right.
func mixed() []fleetsim.Node {
	return append(fleetsim.WebFleet(2, 0),
		fleetsim.Node{
			Name: "odd1.example.net", Classes: []string{"odd"}, Agents: map[string]string{"rpcutil": "1.0.0", "puppet_plus": "1.0.0", "appmgr_old": "1.0.0"},
			Facts: map[string]any{
				"tier": "Bravo", "load": 0.5, "virtual": true, "processorcount": 16, "numtext": "9", "empty": "", "release": 1.5,
				"quote": `say "hi" or ["=", "certname"]`, "slash": `C:\temp\x`, "bracket": "[odd]", "list": []any{"alfa", "bravo"}, "umlaut": "Käse",
			},
		},
		fleetsim.Node{
			Name: "odd2.example.net", Classes: []string{"odd::more"}, Agents: map[string]string{"rpcutil": "1.0.0", "my_puppet_too": "1.0.0"},
			Facts: map[string]any{"tier": "charlie", "load": 12, "virtual": false, "speed": "fast", "nothing": nil, "os": "Debian"},
		},
		fleetsim.Node{Name: "gone.example.net", Classes: []string{"odd"}, Facts: map[string]any{"tier": "alfa"}, Deactivated: true},
	)
}

func TestSource_findsTheSameNodesThroughPuppetDB(t *testing.T) {
	t.Parallel()
	facts := func(f ...string) map[string]any { return map[string]any{"facts": list(f...)} }
	synctest.Test(t, func(t *testing.T) {
		fleet, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: mixed()})
		if err != nil {
			t.Fatal(err)
		}
		defer fleet.Stop()
		c, err := choria.Connect(t.Context(), choria.Options{InProcess: fleet, Insecure: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, pdb := inventory(t, mixed())
		typ := mcollective.Type(mcollective.Sources{Network: c, PuppetDB: pdb, Collective: "mcollective"})
		servers := map[string]string{ // which decide these otherwise than anybody would expect
			"a pattern of true": "odd2", // to them whatever is not true equals a fact that is false
			"not true":          "",     // and differs from it, unless it is true
		}
		for name, row := range map[string]struct {
			filter map[string]any
			want   string
		}{
			"nothing":                    {nil, "lb1 lb2 odd1 odd2 web1 web2 web3 web4"},
			"a class":                    {map[string]any{"classes": list("roles::haproxy")}, "lb1 lb2"},
			"a class in capitals":        {map[string]any{"classes": list("Roles::HAProxy")}, "lb1 lb2"},
			"part of a class":            {map[string]any{"classes": list("roles")}, ""},
			"two classes":                {map[string]any{"classes": list("odd", "odd::more")}, ""},
			"a pattern of classes":       {map[string]any{"classes": list("/^ODD/")}, "odd1 odd2"},
			"a pattern with choices":     {map[string]any{"classes": list("/haproxy$|more$/")}, "lb1 lb2 odd2"},
			"an agent":                   {map[string]any{"agents": list("puppet")}, "lb1 lb2 web1 web2 web3 web4"},
			"agents":                     {map[string]any{"agents": list("rpcutil", "puppet_plus")}, "odd1"},
			"no such agent":              {map[string]any{"agents": list("nosuch")}, ""},
			"part of an agent":           {map[string]any{"agents": list("plus")}, ""},
			"agents by pattern":          {map[string]any{"agents": list("/pup/")}, "lb1 lb2 odd1 odd2 web1 web2 web3 web4"},
			"agents by beginning":        {map[string]any{"agents": list("/^puppet_/")}, "odd1"},
			"agents by end":              {map[string]any{"agents": list("/mgr$/")}, "lb1 lb2 web1 web2 web3 web4"},
			"agents by whole":            {map[string]any{"agents": list("/^(appmgr|puppet_plus)$/")}, "lb1 lb2 odd1 web1 web2 web3 web4"},
			"agents that all have":       {map[string]any{"agents": list("/^rpc/")}, "lb1 lb2 odd1 odd2 web1 web2 web3 web4"},
			"a name":                     {map[string]any{"identities": list("web1.example.net")}, "web1"},
			"part of a name":             {map[string]any{"identities": list("web1")}, ""},
			"names":                      {map[string]any{"identities": list("web1.example.net", "nosuch", "/^lb/")}, "lb1 lb2 web1"},
			"names that are a condition": {map[string]any{"identities": list("tag", "WEB1.example.net")}, ""},
			"names count their case":     {map[string]any{"identities": list("WEB1.example.net", "/^LB/")}, ""},
			"a fact":                     {facts("tier=bravo"), "odd1 web3 web4"}, // whatever its case
			"no fact":                    {facts("nosuch=x"), ""},
			"not":                        {facts("tier!=alfa"), "odd1 odd2 web3 web4"}, // lb1 has no tier
			"not a number":               {facts("processorcount!=4"), "odd1"},
			"not an empty fact":          {facts("empty!=x"), "odd1"},
			"a null":                     {facts("nothing!=x"), ""},
			"a pattern":                  {facts("tier=/^(AL|ch)/"), "odd2 web1 web2"},
			"a bare pattern":             {facts("tier=~^al"), "web1 web2"},
			"a pattern of a number":      {facts("processorcount=/^1/"), "odd1"},
			"a pattern of true":          {facts("virtual=/^t/"), "odd1"},
			"a pattern of a structure":   {facts("list=/alfa/"), ""},
			"a list is not a text":       {facts("list!=alfa"), ""},
			"a dotted fact":              {facts("os.family=debian"), "lb1 lb2 web1 web2 web3 web4"},
			"a deep fact":                {facts("os.release.major=12"), "lb1 lb2 web1 web2 web3 web4"},
			"a dotted fact, not":         {facts("os.family!=redhat"), "lb1 lb2 web1 web2 web3 web4"},
			"a dotted fact by pattern":   {facts("os.name=/^deb/"), "lb1 lb2 web1 web2 web3 web4"},
			"a structure":                {facts("os=Debian"), "odd2"},
			"a structure, not":           {facts("os!=x"), "odd2"},
			"a number":                   {facts("processorcount=4"), "lb1 lb2 web1 web2 web3 web4"},
			"greater":                    {facts("processorcount>4"), "odd1"},
			"at least":                   {facts("processorcount>=16"), "odd1"},
			"less":                       {facts("processorcount<16"), "lb1 lb2 web1 web2 web3 web4"},
			"at most":                    {facts("load<=0.5"), "odd1"},
			"greater than a fraction":    {facts("load>0.25"), "odd1 odd2"},
			"a fraction":                 {facts("release=1.5"), "odd1"},
			"true is no number":          {facts("virtual>0"), ""},
			"true":                       {facts("virtual=true"), "odd1"},
			"not true":                   {facts("virtual!=true"), "odd2"},
			"two facts":                  {facts("role=webserver", "tier=alfa", "processorcount<=4"), "web1 web2"},
			"quotes and a query":         {facts(`quote=say "hi" or ["=", "certname"]`), "odd1"},
			"backslashes":                {facts(`slash=c:\temp\x`), "odd1"},
			"brackets":                   {facts("bracket=[odd]"), "odd1"},
			"brackets, not":              {facts("bracket!=[even]"), "odd1"},
			"beyond ASCII":               {facts("umlaut=käse"), "odd1"},
			"everything": {
				map[string]any{"agents": list("puppet"), "classes": list("/webserver/"), "facts": list("tier=alfa"), "identities": list("/[12]\\./")}, "web1 web2",
			},
		} {
			for _, method := range []string{"mc", "choria"} {
				with := map[string]any{"discovery_method": method}
				maps.Copy(with, row.filter)
				want := row.want
				if other, differ := servers[name]; differ && method == "mc" {
					want = other
				}
				got, err := discover(t, typ, with)
				if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); err != nil || s != want {
					t.Errorf("%s by %s: got %q, %v; want %q", name, method, s, err, want)
				}
			}
		}
	})
}

func TestSource_comparesNumbersAloneThroughPuppetDB(t *testing.T) {
	t.Parallel()
	_, pdb := inventory(t, []fleetsim.Node{
		{Name: "number", Facts: map[string]any{"speed": 9}},
		{Name: "text", Facts: map[string]any{"speed": "9"}},
		{Name: "word", Facts: map[string]any{"speed": "fast"}},
		{Name: "truth", Facts: map[string]any{"speed": true}},
		{Name: "list", Facts: map[string]any{"speed": []int{9}}},
		{Name: "none"},
	})
	for operator, want := range map[string]string{"<10": "number", "<=9": "number", ">8.5": "number", ">=9": "number", ">-1": "number", "<9": "", ">9": "", "=9.0": "number", "!=9.0": "text truth word"} {
		got, err := discover(t, mcollective.Type(mcollective.Sources{PuppetDB: pdb}), map[string]any{"discovery_method": "choria", "facts": list("speed" + operator)})
		if s := strings.Join(got, " "); err != nil || s != want {
			t.Errorf("speed%s: got %q, %v; want %q", operator, s, err, want)
		}
	}
}

// scattered is a PuppetDB that sorts names as its own locale does.
type scattered struct{}

func (scattered) Select(context.Context, []any) ([]string, error) {
	return []string{"web10", "Web2", "web1"}, nil
}

func TestSource_sortsWhatPuppetDBSays(t *testing.T) {
	t.Parallel()
	got, err := discover(t, mcollective.Type(mcollective.Sources{PuppetDB: scattered{}}), map[string]any{"discovery_method": "choria"})
	if s := strings.Join(got, " "); err != nil || s != "Web2 web1 web10" {
		t.Errorf("got %q, %v; want the order in which every other set comes", s, err)
	}
}

func TestSource_throughPuppetDBPassesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.RunVirtual(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		_, c := network(t)
		_, pdb := inventory(t, fleetsim.WebFleet(3, 0))
		down, downClient := inventory(t, nil)
		down.Fail(http.StatusServiceUnavailable, "starting up")
		broken := mcollective.Type(mcollective.Sources{PuppetDB: downClient})
		by := func(fact string) map[string]any {
			return map[string]any{"discovery_method": "choria", "facts": list(fact)}
		}
		return nodestest.Case{
			Type: mcollective.Type(mcollective.Sources{Network: c, PuppetDB: pdb}), Defaults: true,
			Some: by("tier=bravo"), Want: []string{"web4.example.net", "web5.example.net", "web6.example.net"}, None: by("tier=nosuch"),
			Broken: by("tier=bravo"), BrokenType: &broken, Names: "PuppetDB",
		}
	})
}

func TestSource_valuesCannotChangeTheQuery(t *testing.T) {
	t.Parallel()
	_, pdb := inventory(t, fleetsim.WebFleet(2, 0))
	typ := mcollective.Type(mcollective.Sources{PuppetDB: pdb})
	for _, hostile := range []string{
		`x" or "1" = "1`, `x"]],["=","certname","web1.example.net"]]`, `x\`, `\"`, `x' or 'a'='a`, `") } or nodes { }`, `*`, `.*`, `.`, `[a-z]*`, `x|web1.example.net`, "x\n.*", `%`, `$1`, `(?i)`,
	} {
		for _, filter := range []map[string]any{
			{"classes": list(hostile)}, {"agents": list(hostile)}, {"identities": list(hostile)}, {"facts": list("tier=" + hostile)}, {"facts": list("os.family==" + hostile)},
		} {
			filter["discovery_method"] = "choria"
			if got, err := discover(t, typ, filter); err != nil || len(got) > 0 {
				t.Errorf("%v: got %v, %v; want nothing", filter, got, err)
			}
		}
	}
	for _, operator := range []string{"~", "=", "and", "not", "in"} {
		got, err := discover(t, typ, map[string]any{"discovery_method": "choria", "identities": list(operator, "a")})
		if err != nil || len(got) > 0 {
			t.Errorf("a node named %s: got %v, %v; want nothing", operator, got, err)
		}
	}
}

func TestSource_leavesOutOtherCollectives(t *testing.T) {
	t.Parallel()
	sim, pdb := inventory(t, nil)
	agents := []string{"rpcutil"}
	sim.SetNodes([]pdbsim.Node{
		{Certname: "uk1", Agents: agents, Collectives: []string{"mcollective", "uk"}},
		{Certname: "de1", Agents: agents, Collectives: []string{"mcollective", "de"}},
		{Certname: "old", Agents: agents},
		{Certname: "no server", Collectives: []string{"uk"}},
	})
	for collective, want := range map[string]string{"uk": "uk1", "mcollective": "de1 uk1", `uk" or "`: "", "": "de1 old uk1"} {
		typ := mcollective.Type(mcollective.Sources{PuppetDB: pdb, Collective: collective})
		got, err := discover(t, typ, map[string]any{"discovery_method": "choria"})
		if s := strings.Join(got, " "); err != nil || s != want {
			t.Errorf("collective %q: got %q, %v; want %q", collective, s, err, want)
		}
	}
}

func TestType_refusesWhatPuppetDBWouldReadOtherwise(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"compares with numbers alone":                        {"facts": list("version>=abc")},
		`"a<0x10": PuppetDB compares`:                        {"facts": list("a<0x10")},
		`"a>/x/": PuppetDB compares`:                         {"facts": list("a>/x/")},
		`a fact named "a..b"`:                                {"facts": list("a..b=x")},
		`a fact named "a\"b"`:                                {"facts": list(`a"b=x`)},
		`PuppetDB cannot be asked for entry 0 of "list.0"`:   {"facts": list("list.0=x")},
		`a fact named "list[0]"`:                             {"facts": list("list[0]=x")},
		`( is not a regular expression`:                      {"facts": list("a=~(")},
		`does not read \b`:                                   {"classes": list(`/\bweb/`)},
		`PuppetDB does not read (?m:^) as servers`:           {"identities": list("/(?m)^web/")},
		`"a=~x{300}": PuppetDB repeats at most 255`:          {"facts": list("a=~x{300}")},
		`/[^\s\S]/: this regular expression matches nothing`: {"identities": list(`/[^\s\S]/`)},
		"/(/ is not a regular expression":                    {"agents": list("/(/")},
		"/^a|b$/: with discovery_method: choria, ^":          {"agents": list("/^a|b$/")},
		"/a(^b)/: with discovery_method: choria, ^":          {"agents": list("/a(^b)/")},
		"/^a|^b/: with discovery_method: choria, ^":          {"agents": list("/^a|^b/")},
		"PuppetDB does not know compound filters":            {"compound": `with("a")`},
		`"nothing" is not a fact filter`:                     {"facts": list("nothing")},
	} {
		properties["discovery_method"] = "choria"
		_, err := mcollective.Type(mcollective.Sources{}).Decode(playbooks.FromMap(properties))
		if err == nil || strings.Count(err.Error(), "\n") > 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q alone", properties, err, want)
		}
		if delete(properties, "discovery_method"); strings.Contains(want, "PuppetDB") {
			if _, err := mcollective.Type(mcollective.Sources{}).Decode(playbooks.FromMap(properties)); err != nil {
				t.Errorf("%v: the network can do it, and it is refused: %v", properties, err)
			}
		}
	}
}

func TestSource_withoutPuppetDBSaysWhatToConfigure(t *testing.T) {
	t.Parallel()
	_, err := discover(t, mcollective.Type(mcollective.Sources{}), map[string]any{"discovery_method": "choria"})
	if e, ok := errors.AsType[*engine.Error](err); !ok || e.Code != engine.CodeInvalid || !strings.Contains(e.Message, "set puppetdb.url in the configuration, or leave discovery_method out") {
		t.Errorf("got %v", err)
	}
}

package mcollective_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/mcollective"
	"github.com/playbot/playbot/playbooks"
)

// network starts two load balancers, and three web servers in each of two tiers.
func network(t *testing.T) (*fleetsim.Fleet, *choria.Client) {
	t.Helper()
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return f, c
}

func list(words ...string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

func discover(t *testing.T, typ engine.NodeSourceType, properties map[string]any) ([]string, error) {
	t.Helper()
	s, err := typ.Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.RunVirtual(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		f, c := network(t)
		f.Fault(fleetsim.Fault{Node: "web5.example.net", Action: "discovery", Kind: fleetsim.Duplicate})
		_, closed := network(t)
		closed.Close()
		broken := mcollective.Type(mcollective.Sources{Network: closed})
		return nodestest.Case{
			Type: mcollective.Type(mcollective.Sources{Network: c}), Defaults: true,
			Some: map[string]any{"facts": list("tier=bravo")}, Want: []string{"web4.example.net", "web5.example.net", "web6.example.net"},
			None:       map[string]any{"facts": list("tier=nosuch")},
			BrokenType: &broken, Names: "Choria network",
		}
	})
}

func TestSource_everyFilterReachesTheNodes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"nothing":    {nil, "lb1 lb2 web1 web2 web3 web4 web5 web6"},
		"facts":      {map[string]any{"facts": list("tier=alfa", "processorcount>=4")}, "web1 web2 web3"},
		"classes":    {map[string]any{"classes": list("roles::haproxy")}, "lb1 lb2"},
		"a regex":    {map[string]any{"classes": list("/webserver$/")}, "web1 web2 web3 web4 web5 web6"},
		"agents":     {map[string]any{"agents": list("puppet", "nosuch")}, ""},
		"identities": {map[string]any{"identities": list("web1.example.net", "/^lb/")}, "lb1 lb2 web1"},
		"compound":   {map[string]any{"compound": `with("tier=alfa") and fact("country") not in ["de", "mt"]`}, "web2"},
		"all hold":   {map[string]any{"facts": list("role=webserver"), "identities": list("/[14]\\./")}, "web1 web4"},
		"mc":         {map[string]any{"discovery_method": "mc", "identities": list("lb1.example.net")}, "lb1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, c := network(t)
			got, err := discover(t, mcollective.Type(mcollective.Sources{Network: c}), row.properties)
			if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); err != nil || s != row.want {
				t.Errorf("%s: got %q, %v; want %q", name, s, err, row.want)
			}
		})
	}
}

func TestType_refusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		`cannot be "external"`:                                                    {"discovery_method": "external"},
		`no server knows "a"; write with("a")`:                                    {"compound": "a and b"},
		"a flat file lists names and says nothing about facts":                    {"discovery_method": "flatfile", "discovery_options": map[string]any{"file": "x"}, "facts": list("a=b")},
		"reads a file, and none is named":                                         {"discovery_method": "flatfile"},
		"discovery_options name no file":                                          {"discovery_method": "inventory", "discovery_options": map[string]any{}},
		`inventory has no option "format"`:                                        {"discovery_method": "inventory", "discovery_options": map[string]any{"file": "x", "format": "json"}},
		`format cannot be "toml"`:                                                 {"discovery_method": "flatfile", "discovery_options": map[string]any{"file": "x", "format": "toml"}},
		"filter is empty":                                                         {"discovery_method": "flatfile", "discovery_options": map[string]any{"file": "x", "filter": ""}},
		"mc has no options":                                                       {"discovery_options": map[string]any{"file": "x"}},
		"groups are those of an inventory file":                                   {"identities": list("group:web")},
		"the function scout belongs to a plugin":                                  {"discovery_method": "inventory", "discovery_options": map[string]any{"file": "x"}, "compound": `scout("x").ok`},
		"// holds for everything":                                                 {"identities": list("//")},
		"/ holds for everything":                                                  {"agents": list("/")},
		"tier=~// holds for everything":                                           {"facts": list("tier=//")},
		`no server knows "does not match"; write compound: not with("tier=/al/")`: {"facts": list("tier!=/al/")},
		"is not a fact filter":                                                    {"facts": list("tier")},
		"facts must be a list":                                                    {"facts": "tier=bravo"},
		"classes must be a list":                                                  {"classes": "roles::web"},
		"/(/ is not a regular":                                                    {"classes": list("/(/")},
		"/[/ is not a regular":                                                    {"identities": list("web1", "/[/")},
		"/*/ is not a regular":                                                    {"facts": list("tier=/*/")},
	} {
		_, err := mcollective.Type(mcollective.Sources{}).Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

func TestSource_withoutNetworkSaysWhatToConfigure(t *testing.T) {
	t.Parallel()
	if _, err := discover(t, mcollective.Type(mcollective.Sources{}), nil); err == nil || !strings.Contains(err.Error(), "nats.servers") {
		t.Errorf("got %v", err)
	}
}

func TestSource_networkThatIsGoneIsNamedAfterAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, c := network(t)
		f.StopBroker()
		synctest.Wait() // until the client has noticed
		began := time.Now()
		_, err := discover(t, mcollective.Type(mcollective.Sources{Network: c}), nil)
		if err == nil || !strings.Contains(err.Error(), "Choria network") || !strings.Contains(err.Error(), "nats.servers") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %s to say so", took)
		}
	})
}

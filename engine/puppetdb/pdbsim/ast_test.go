package pdbsim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

// fleet is what a real PuppetDB 7 was given when it was asked what the tables below say.
func fleet() []pdbsim.Node {
	return []pdbsim.Node{
		{
			Certname: "web1", Classes: []string{"roles::web"}, Agents: []string{"puppet", "appmgr"},
			Facts: map[string]any{
				"tier": "alfa", "cpus": 4, "load": 0.5, "virtual": true, "numtext": "4", "list": []any{1, "b"},
				"os":          map[string]any{"family": "Debian", "rel": map[string]any{"major": "12"}},
				"mcollective": map[string]any{"server": map[string]any{"collectives": []string{"mcollective", "uk"}}},
				"we ird":      map[string]any{"a.b": `x"y\z`},
			},
		},
		{
			Certname: "web2", Classes: []string{"roles::web", "mcollective::service"}, Agents: []string{"puppet"},
			Facts: map[string]any{
				"tier": "Bravo", "cpus": 10, "virtual": false, "os": map[string]any{"family": "RedHat"},
				"mcollective": map[string]any{"server": map[string]any{"collectives": []string{"uk"}}},
			},
		},
		{Certname: "lb1", Classes: []string{"roles::haproxy"}, Facts: map[string]any{"role": "haproxy", "tier": []string{"x"}, "cpus": "many"}},
		{Certname: "gone", Classes: []string{"roles::web"}, Agents: []string{"puppet"}, Facts: map[string]any{"tier": "alfa", "cpus": 4}, Deactivated: true},
	}
}

// of is the condition of a query for the nodes that have such a row.
func of(entity, condition string) string { return `["subquery","` + entity + `",` + condition + `]` }

func TestTree_answersAsTheRealOneDoes(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(fleet())
	for condition, want := range map[string]string{
		of("resources", `["and",["=","type","Class"],["=","title","Roles::Web"]]`):                                                  "web1 web2",
		of("resources", `["and",["=","type","Class"],["=","title","roles::web"]]`):                                                  "",
		of("resources", `["and",["=","type","Class"],["~","title","(?i)WEB$"]]`):                                                    "web1 web2",
		of("resources", `["in","title",["array",["Choria::Service","Mcollective::Service"]]]`):                                      "web1 web2",
		of("resources", `["and",["=","type","File"],["=","tag","mcollective_agent_appmgr_server"]]`):                                "web1",
		of("resources", `["and",["=","type","File"],["~","tag","^mcollective_agent_.*(?:pup).*_server$"]]`):                         "web1 web2",
		of("inventory", `["=","facts.tier","alfa"]`):                                                                                "web1",
		of("inventory", `["=","facts.tier","ALFA"]`):                                                                                "",
		of("inventory", `["~","facts.tier","(?i)^bravo$"]`):                                                                         "web2",
		of("inventory", `["~","facts.tier","x"]`):                                                                                   "lb1", // the text of a structure
		of("inventory", `["=","facts.cpus",4]`):                                                                                     "web1",
		of("inventory", `["=","facts.cpus",4.0]`):                                                                                   "web1",
		of("inventory", `["=","facts.cpus","4"]`):                                                                                   "",
		of("inventory", `["~","facts.cpus","^4$"]`):                                                                                 "web1",
		of("inventory", `[">","facts.cpus",4]`):                                                                                     "web2",
		of("inventory", `["<=","facts.cpus",4]`):                                                                                    "lb1 web1", // text comes before numbers
		of("inventory", `["and",[">=","facts.cpus",-1e308],["<=","facts.cpus",4]]`):                                                 "web1",
		of("inventory", `[">=","facts.cpus","5"]`):                                                                                  "lb1 web1 web2",
		of("inventory", `["<","facts.load",1]`):                                                                                     "web1",
		of("inventory", `["<=","facts.numtext",4]`):                                                                                 "web1",
		of("inventory", `[">","facts.virtual",5]`):                                                                                  "web1 web2",
		of("inventory", `[">=","facts.virtual",true]`):                                                                              "web1",
		of("inventory", `[">","facts.tier",true]`):                                                                                  "lb1",
		of("inventory", `["=","facts.virtual","true"]`):                                                                             "",
		of("inventory", `["~","facts.virtual","true"]`):                                                                             "web1",
		of("inventory", `["not",["=","facts.role","haproxy"]]`):                                                                     "web1 web2",
		of("inventory", `["not",["~","facts.role","haproxy"]]`):                                                                     "", // unknown, not false
		of("inventory", `["not",[">","facts.role",true]]`):                                                                          "lb1",
		of("inventory", `["=","facts.os.rel.major","12"]`):                                                                          "web1",
		of("inventory", `["=","facts.\"we ird\".\"a.b\"","x\"y\\z"]`):                                                               "web1",
		of("inventory", `["~","facts.\"os\".\"family\"","(?i)^debian$"]`):                                                           "web1",
		of("inventory", `["=","facts.list[0]",1]`):                                                                                  "web1",
		of("inventory", `["=","facts.mcollective.server.collectives.match(\"\\d+\")","mcollective"]`):                               "web1",
		of("inventory", `["=","facts.mcollective.server.collectives.match(\"\\d+\")","uk"]`):                                        "web1 web2",
		of("facts", `["and",["=","name","cpus"],["=","value",4]]`):                                                                  "web1",
		`["in","certname",["array",["web1","lb1","no\"such\\"]]]`:                                                                   "lb1 web1",
		`["in","certname",["array",[]]]`:                                                                                            "",
		`["or",["=","certname","web1"],["~","certname","^lb"]]`:                                                                     "lb1 web1",
		`["and",["=","node_state","any"],["=","certname","gone"]]`:                                                                  "gone",
		`["and",` + of("inventory", `["~","facts.tier","a"]`) + `,` + of("resources", `["=","title","Mcollective::Service"]`) + `]`: "web2",
	} {
		code, body := ask(s, `["from","nodes",["extract",["certname","deactivated","expired"],`+condition+`],["order_by",["certname"]]]`)
		var rows []struct{ Certname string }
		if err := json.Unmarshal([]byte(body), &rows); code != http.StatusOK || err != nil {
			t.Errorf("%s\ngot  %d %s, %v", condition, code, body, err)
			continue
		}
		var got []string
		for _, r := range rows {
			got = append(got, r.Certname)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s\ngot  %s\nwant %s", condition, s, want)
		}
	}
}

func TestTree_refusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(fleet())
	for query, want := range map[string]string{
		`[`:               "not JSON",
		`[]`:              `not a valid expression for "from"`,
		`["from"]`:        `not a valid expression for "from"`,
		`["from","none"]`: `invalid entity "none"`,
		`["from","nodes",["xx","certname","web1"]]`:                 `not a valid expression for "nodes"`,
		`["from","nodes","x"]`:                                      `not a valid expression for "nodes"`,
		`["from","nodes",["=","certname"]]`:                         `not a valid expression for "nodes"`,
		`["from","nodes",["=","certname",["x"]]]`:                   `not a valid expression for "="`,
		`["from","nodes",["=","certname",null]]`:                    `not a valid expression for "="`,
		`["from","nodes",["=","nosuch","x"]]`:                       "'nosuch' is not a queryable field of nodes",
		`["from","nodes",["=","facts.tier","x"]]`:                   "'facts.tier' is not a queryable field of nodes",
		`["from","nodes",["and"]]`:                                  "'and' takes at least one argument",
		`["from","nodes",["not"]]`:                                  `not a valid expression for "nodes"`,
		`["from","nodes",["~","certname","("]]`:                     "does not compile",
		`["from","nodes",["~","certname",1]]`:                       "is not text",
		`["from","nodes",[">","certname","a"]]`:                     "not allowed on field certname",
		`["from","nodes",["in","certname",["x"]]]`:                  `not a valid expression for "in"`,
		`["from","nodes",["in","certname",["array","x"]]]`:          `not a valid expression for "in"`,
		`["from","nodes",["subquery","none",["=","certname","x"]]]`: `not a valid expression for "subquery"`,
		`["from","nodes",["extract",["nosuch"]]]`:                   "'nosuch' is not a queryable field of nodes",
		`["from","nodes",["extract"]]`:                              `not a valid expression for "extract"`,
		`["from","nodes",["=","node_state","nosuch"]]`:              "node_state is any, active or inactive",
		`["from","nodes",["order_by",["facts"]]]`:                   "only order_by certname",
		`["from","nodes",["limit",0]]`:                              "limit wants a number",
		`["from","nodes",["limit",1],["=","certname","x"]]`:         `not a valid expression for "from"`,
		`["from","inventory",["=","facts.","x"]]`:                   "empty AST field component",
		`["from","inventory",["=","facts.\"\"","x"]]`:               "empty AST field component",
		`["from","inventory",["=","facts.a.","x"]]`:                 "empty AST field component",
		`["from","inventory",["=","facts.\"a","x"]]`:                "quote is not closed",
		`["from","inventory",["=","facts.\"a\"b","x"]]`:             "quote is not closed",
		`["from","inventory",["=","facts.match(\"a","x"]]`:          "match is not closed",
		`["from","inventory",["=","facts.match(\"(\")","x"]]`:       "does not compile",
		`["from","nodes",["not",` + strings.Repeat(`["not",`, 60) + `["=","certname","x"]` + strings.Repeat(`]`, 62): "nested too deep",
	} {
		if code, got := ask(s, query); code != http.StatusBadRequest || !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %d %s\nwant %s", query, code, got, want)
		}
	}
}

// TestTree_refusesValuesThatAreTakenForAnOperation: the real one refuses half of these, and answers the others as
// if something else had been asked; realpdb's tests ask it.
func TestTree_refusesValuesThatAreTakenForAnOperation(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(fleet())
	const begins = "takes a list that begins with"
	for list, want := range map[string]string{
		`["~"]`: begins, `["=","a"]`: begins, `["=","certname","web1"]`: begins, `["~>","certname","a"]`: begins, `["and"]`: begins, `["AND","web1"]`: begins, `["Or"]`: begins,
		`["not","a","b"]`: begins, `["in","web1"]`: begins, `["extract","web1"]`: begins, `["subquery","facts","web1"]`: begins, `["null?"]`: begins, `["Select_Nodes"]`: begins,
		`["","tag","WEB1"]`: `when the second is "tag"`, `["a","old_value","b"]`: `when the second is "old_value"`, `[null]`: "null is no value",
		`["a","and"]`: "", `["","","tag","WEB1"]`: "", `["tag","WEB1"]`: "", `["","and","web1"]`: "", `[1,"a"]`: "",
	} {
		code, body := ask(s, `["from","nodes",["in","certname",["array",`+list+`]]]`)
		if refused := code == http.StatusBadRequest && strings.Contains(body, want); want != "" && !refused || want == "" && code != http.StatusOK {
			t.Errorf("%s\ngot  %d %s\nwant %q", list, code, body, want)
		}
		code, body = ask(s, `nodes { certname in `+list+` }`)
		if refused := code == http.StatusBadRequest && strings.Contains(body, want); want != "" && want != "null is no value" && !refused || want == "" && code != http.StatusOK {
			t.Errorf("PQL: %s\ngot  %d %s\nwant %q", list, code, body, want)
		}
	}
}

func TestTree_pagesAndSelectsFields(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(fleet())
	for query, want := range map[string]string{
		`["from","nodes",["extract",["certname"]],["order_by",["certname"]],["limit",1]]`:                    `[{"certname":"lb1"}]`,
		`["from","nodes",["=","certname","web1"]]`:                                                           `[{"certname":"web1","deactivated":null,"expired":null}]`,
		`["from","resources",["extract",["title","tags"],["=","tag","mcollective_agent_appmgr_server"]]]`:    `[{"tags":["file","mcollective_agent_appmgr","mcollective_agent_appmgr_server"],"title":"/opt/puppetlabs/mcollective/plugins/mcollective/agent/appmgr.rb"}]`,
		`["from","nodes",["extract","certname",["subquery","resources",["=","tag","mcollective_agent_x"]]]]`: `[]`,
	} {
		if code, got := ask(s, query); code != http.StatusOK || got != want {
			t.Errorf("%s\ngot  %d %s\nwant %s", query, code, got, want)
		}
	}
	s.SetNodes([]pdbsim.Node{{Certname: "any", AnyAgent: true}, {Certname: "none"}})
	if _, got := ask(s, `["from","nodes",["extract","certname",["subquery","resources",["=","tag","mcollective_agent_x_server"]]]]`); got != `[{"certname":"any"}]` {
		t.Errorf("a node with any agent: got %s", got)
	}
}

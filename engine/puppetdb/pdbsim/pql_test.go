package pdbsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

func nodes() []pdbsim.Node {
	return []pdbsim.Node{
		{Certname: "web2", Classes: []string{"roles::web", "base"}, Facts: map[string]any{"cpus": 4, "tier": "b", "virtual": true, "load": 0.5}},
		{Certname: "web1", Classes: []string{"roles::web"}, Facts: map[string]any{"cpus": 10, "os": map[string]any{"family": "Debian"}}},
		{Certname: "gone", Classes: []string{"roles::web"}, Facts: map[string]any{"cpus": 4}, Deactivated: true},
	}
}

// ask runs a query as GET and returns the status and the body.
func ask(s *pdbsim.Server, query string) (int, string) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/pdb/query/v4?query="+url.QueryEscape(query), nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestQuery_answersWithTheRowsOfItsEntity(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(nodes())
	for query, want := range map[string]string{
		`nodes{}`:                    `[{"certname":"web2","deactivated":null,"expired":null},{"certname":"web1","deactivated":null,"expired":null}]`,
		`nodes{ order by certname }`: `[{"certname":"web1","deactivated":null,"expired":null},{"certname":"web2","deactivated":null,"expired":null}]`,
		`nodes[certname]{ node_state = "any" order by certname limit 1 }`:                        `[{"certname":"gone"}]`,
		`nodes[certname, deactivated]{ node_state = "any" and certname = "gone" }`:               `[{"certname":"gone","deactivated":"2026-01-01T00:00:00.000Z"}]`,
		`nodes[certname]{ node_state = "inactive" }`:                                             `[{"certname":"gone"}]`,
		`nodes[certname]{ node_state = "active" and certname ~ "e" }`:                            `[{"certname":"web2"},{"certname":"web1"}]`,
		`facts[certname, value]{ name = "cpus" }`:                                                `[{"certname":"web2","value":4},{"certname":"web1","value":10}]`,
		`resources[certname,title]{ type = "Class" and title = "Base" }`:                         `[{"certname":"web2","title":"Base"}]`,
		`inventory[certname, facts]{ facts.os.family = "Debian" }`:                               `[{"certname":"web1","facts":{"cpus":10,"os":{"family":"Debian"}}}]`,
		`inventory[certname]{ facts.cpus > 9 }`:                                                  `[{"certname":"web1"}]`, // as numbers: as text 10 is before 9
		`inventory[certname]{ facts.cpus <= 4 }`:                                                 `[{"certname":"web2"}]`,
		`inventory[certname]{ facts.load = 0.5 }`:                                                `[{"certname":"web2"}]`,
		`inventory[certname]{ facts.virtual = true }`:                                            `[{"certname":"web2"}]`,
		`inventory[certname]{ facts.nosuch.deep = "x" }`:                                         `[]`,
		`inventory[certname]{ facts.nosuch != "x" }`:                                             `[{"certname":"web2"},{"certname":"web1"}]`, // PuppetDB counts who has no such fact
		`inventory[certname]{ not facts.nosuch ~ "x" }`:                                          `[]`,                                        // but knows nothing about them here
		`inventory[certname]{ facts.cpus = "4" }`:                                                `[]`,                                        // text is no number
		`inventory[certname]{ certname ~ "^web" and not (certname = "web2") }`:                   `[{"certname":"web1"}]`,
		`inventory[certname]{ ! certname = "web2" }`:                                             `[{"certname":"web1"}]`,
		`inventory[certname]{ certname = "web2" or certname = "web1" and facts.cpus = 1 }`:       `[{"certname":"web2"}]`, // and binds tighter
		`inventory[certname]{ (certname = "web2" or certname = "web1") and facts.cpus = 10 }`:    `[{"certname":"web1"}]`,
		`inventory[certname]{ certname in ["web1", 'web9'] }`:                                    `[{"certname":"web1"}]`,
		`inventory[certname]{ certname in [] }`:                                                  `[]`,
		`nodes[certname]{ facts { name = "tier" and value ~ "^b" } }`:                            `[{"certname":"web2"}]`,
		`nodes[certname]{ resources { title = "Roles::Web" } and resources { title = "Base" } }`: `[{"certname":"web2"}]`,
		"nodes[certname]\n{\n\tcertname = \"web1\"\n}":                                           `[{"certname":"web1"}]`,
	} {
		if code, got := ask(s, query); code != http.StatusOK || got != want {
			t.Errorf("%s\ngot  %d %s\nwant %s", query, code, got, want)
		}
	}
}

func TestQuery_refusesWithThePlaceAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(nodes())
	for query, want := range map[string]string{
		``:                                          "column 1: expected one of nodes, inventory, facts, resources",
		`select * from nodes`:                       "column 1: expected one of nodes",
		`nodes`:                                     `column 6: expected "{"`,
		`nodes{`:                                    "column 7: expected a field, a sub-query or (",
		`nodes{} nodes{}`:                           "column 9: expected the end of the query",
		`nodes[certname{}`:                          "column 15: expected a field",
		`nodes["certname"]{}`:                       "column 7: expected a field",
		`nodes[nosuch]{}`:                           "column 7: 'nosuch' is not a queryable field of nodes",
		`nodes{ nosuch = "x" }`:                     "column 8: 'nosuch' is not a queryable field of nodes",
		`nodes{ facts.tier = "x" }`:                 "column 8: 'facts.tier' is not a queryable field of nodes",
		`facts{ title = "x" }`:                      "column 8: 'title' is not a queryable field of facts",
		`nodes{ certname }`:                         "column 17: expected an operator",
		`nodes{ certname == "x" }`:                  "column 18: expected a value",
		`nodes{ certname = }`:                       "column 19: expected a value",
		`nodes{ certname = x }`:                     "column 19: expected a value",
		`nodes{ certname = "x }`:                    "column 19: the string is not closed",
		`nodes{ certname = "x" and }`:               "column 27: expected a field",
		`nodes{ certname = "x" certname = "y" }`:    "column 23: expected",
		`nodes{ (certname = "x" }`:                  `column 24: expected ")"`,
		`nodes{ certname in "x" }`:                  `column 20: expected "["`,
		`nodes{ certname in ["x" }`:                 "column 25: expected a value",
		`nodes{ certname ~ "(" }`:                   "column 17: the pattern does not compile",
		`nodes{ order certname }`:                   `column 14: expected "by"`,
		`nodes{ order by facts }`:                   "only order by certname is known here",
		`nodes{ limit none }`:                       "limit wants a number",
		`nodes{ limit 0 }`:                          "limit wants a number",
		`nodes{ order by certname certname = "x" }`: "column 26: expected",
		`nodes{ facts { name = "a" }`:               `column 28: expected`,
		`nodes{ $ }`:                                "column 8: expected a field",
		`nodes{ ` + strings.Repeat("(", 1000):       "nested too deep",
		`nodes{ node_state = "nosuch" }`:            "column 19: node_state is any, active or inactive",
		`nodes{ node_state != "any" }`:              "column 19: node_state knows only =",
		`inventory[facts.tier]{}`:                   "column 11: 'facts.tier' is not a queryable field of inventory",
	} {
		code, got := ask(s, query)
		if code != http.StatusBadRequest || !strings.Contains(strings.ReplaceAll(got, "\n", " "), want[strings.Index(want, ": ")+1:]) {
			t.Errorf("%s\ngot  %d %s\nwant %s", query, code, got, want)
		}
		if place, _, has := strings.Cut(want, ":"); has && strings.HasPrefix(want, "column") && !strings.Contains(got, place+":") {
			t.Errorf("%s\ngot %s\nwant it at %s", query, got, place)
		}
	}
}

func TestServer_knowsItsPaths(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(nodes())
	for _, row := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/status/v1/simple", "", 200, "running"},
		{"GET", "/nosuch", "", 404, "not found"},
		{"POST", "/pdb/query/v4", `{"query":"nodes[certname]{certname=\"web1\"}"}`, 200, `[{"certname":"web1"}]`},
		{"POST", "/pdb/query/v4", `{"query":["from","nodes",["extract","certname",["=","certname","web1"]]]}`, 200, `[{"certname":"web1"}]`},
		{"POST", "/pdb/query/v4", `{"query":"[\"from\",\"nodes\",[\"extract\",\"certname\",[\"=\",\"certname\",\"web1\"]]]"}`, 200, `[{"certname":"web1"}]`},
		{"POST", "/pdb/query/v4", `{"query":{"a":1}}`, 400, "column 1"},
		{"POST", "/pdb/query/v4", `nodes{}`, 400, "not JSON"},
		{"POST", "/pdb/query/v4", `{"query":"` + strings.Repeat("x", 2<<20) + `"}`, 400, "too large"},
	} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(row.method, row.path, strings.NewReader(row.body)))
		if w.Code != row.code || !strings.Contains(w.Body.String(), row.want) {
			t.Errorf("%s %s %.40s: got %d %s, want %d %s", row.method, row.path, row.body, w.Code, w.Body, row.code, row.want)
		}
	}
}

func TestServer_remembersQueriesAndTakesNewNodesAndFaults(t *testing.T) {
	t.Parallel()
	s := pdbsim.New(nil)
	if _, got := ask(s, "nodes{}"); got != "[]" {
		t.Errorf("without nodes: %s, want an empty list", got)
	}
	s.SetNodes(nodes()[:1])
	if _, got := ask(s, "nodes[certname]{}"); got != `[{"certname":"web2"}]` {
		t.Errorf("with nodes: %s", got)
	}
	s.Fail(http.StatusServiceUnavailable, "starting up")
	if code, got := ask(s, "nodes {}"); code != http.StatusServiceUnavailable || got != "starting up" {
		t.Errorf("with a fault: %d %s", code, got)
	}
	s.Fail(0, "")
	if code, _ := ask(s, "facts{}"); code != http.StatusOK {
		t.Errorf("healed: %d", code)
	}
	got, err := json.Marshal(s.Queries())
	if want := `["nodes{}","nodes[certname]{}","nodes {}","facts{}"]`; err != nil || string(got) != want {
		t.Errorf("queries: %s, want %s", got, want)
	}
}

func FuzzQuery_neverPanics(f *testing.F) {
	for _, q := range []string{
		`nodes[certname] { facts { name = "a" } }`, `inventory { !(((`, `inventory[certname]{ certname in ["a", 1] or not facts.a.b ~ "^x" order by certname limit 3 }`,
		`nodes{ certname = "\"\\" }`, "nodes{ \xff }", `resources[title]{ type = 'Class' }`,
		`["from","nodes",["extract",["certname"],["subquery","inventory",["~","facts.\"a\".b[0].match(\"x\")","y"]]],["limit",1]]`,
	} {
		f.Add(q)
	}
	s := pdbsim.New(nodes())
	f.Fuzz(func(t *testing.T, q string) {
		code, body := ask(s, q)
		var rows []map[string]any
		if code == http.StatusOK && json.Unmarshal([]byte(body), &rows) != nil {
			t.Errorf("%q: the answer %s is no list of rows", q, body)
		}
		if code != http.StatusOK && code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", q, code, body)
		}
	})
}

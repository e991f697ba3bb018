package booktest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria"
)

func TestParse_refusesWithThePlaceAndARemedy(t *testing.T) {
	t.Parallel()
	head := "playbook: x\ncases:\n  - name: one\n"
	for source, want := range map[string]string{
		"":                       "c.yaml:1:1: the file is empty; begin with playbook: NAME",
		"- a":                    "c.yaml:1:1: a case file must be a mapping, not a list",
		"playbook: x":            "c.yaml:1:1: there are no cases",
		"cases: [{name: a}]":     "c.yaml:1:1: the playbook is not named",
		"playbook: x\na: [":      "this is not YAML",
		head + "---\na: b":       "the file holds more than one document",
		head + "  - name: one":   `c.yaml:4:5: two cases are called "one"`,
		head + "  - clicks: []":  "c.yaml:4:5: a case has no name",
		head + "    expct: {}":   `c.yaml:4:5: a case has no key "expct"; did you mean "expect"?`,
		head + "    name: two":   `key "name" is set twice`,
		head + "nods: {}":        `c.yaml:4:1: a case file has no key "nods"; did you mean "nodes"?`,
		head + "limit: long":     `c.yaml:4:8: limit must be a duration, not "long"`,
		head + "inputs: [a]":     "c.yaml:4:9: inputs must be a mapping, not a list",
		head + "replies: [ping]": `c.yaml:4:11: "ping" names no action of an agent`,
		head + "replies: [{action: a.b, call: 0}]":                                    `call cannot be "0"; write the number of the call, "2-4" or "3+"`,
		head + "replies: [{action: a.b, silent: maybe}]":                              `silent cannot be "maybe"`,
		head + "commands: [{exit: 1}]":                                                "an answer under commands does not say what it answers; add command: …",
		head + "commands: [/(/]":                                                      "/(/ is not a regular expression",
		head + "requests: [{request: a, status: 1000}]":                               "status cannot be 1000; write a status of HTTP, such as 503",
		head + "held: {deploy/: 10m}":                                                 `"deploy/" names no lock of a data store`,
		head + "nodes: {\"web[9-1]\": {}}":                                            "the range [9-1] of web[9-1] does not count upwards",
		head + "nodes: {\"web[1-99999999]\": {}}":                                     "at most 10000 names",
		head + "nodes: {web1: {fact: {}}}":                                            `a node has no key "fact"; did you mean "facts"?`,
		head + "nodes: {web1: {held: {who: ben}}}":                                    `what another run holds has no key "who"`,
		head + "    clicks: [{by: ben}]":                                              "a click does not say what is clicked",
		head + "    clicks: [{approve: a, deny: a}]":                                  "a click cannot approve and deny",
		head + "    clicks: [{aprove: all}]":                                          `a click has no key "aprove"; did you mean "approve"?`,
		head + "    expect: {outcome: failedd}":                                       `c.yaml:4:23: outcome cannot be "failedd"; did you mean "failed"?`,
		head + "    expect: {steps: [{a: okay}]}":                                     `the status of a step cannot be "okay"; did you mean "ok"?`,
		head + "    expect: {steps: [a]}":                                             "a step must be a mapping",
		head + "    expect: {steps: [{a: ok, b: ok}]}":                                "a step is one description or path with its status",
		head + "    expect: {took: soon}":                                             `took must be a duration, not "soon"`,
		head + "    expect: {log: [{a: b}]}":                                          "an entry of log is text",
		head + "    expect: {messages: [~]}":                                          "c.yaml:4:25: the entry is empty; put text that begins with # in quotes",
		head + "    outcome: failed":                                                  `a case has no key "outcome"; write it under expect:`,
		head + "    expect: {status: failed}":                                         `expect has no key "status"; did you mean "outcome"?`,
		head + "    clicks: [{approve: #x}]":                                          `this is not YAML: did not find expected node content; put a value that begins with # in quotes`,
		head + "    expect: {steps: [{a: {ok: w[1-2]}}]}":                             `put a value that holds [ in quotes, as in "web[1-3]"`,
		head + "    expect:\n      messages:\n        - #ops: hi\n        - #ops: ho": "c.yaml:6:10: the entry is empty; put text that begins with # in quotes",
		"name: x\nversion: 1.0.0\ntasks: []":                                          "c.yaml:1:1: this is a playbook, and no file of cases; test the folder that it is in",
	} {
		_, err := Parse("c.yaml", []byte(source))
		problems, ok := errors.AsType[*ProblemsError](err)
		if !ok {
			t.Errorf("%q is accepted", source)
			continue
		}
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("%q: got %q, want %q in it", source, problems.Error(), want)
		}
		if !strings.Contains(problems.Render(), "^") && !strings.Contains(source, "[") && source != "" {
			t.Errorf("%q: no caret in %q", source, problems.Render())
		}
	}
}

func TestParse_followsAnchorsWithinBounds(t *testing.T) {
	t.Parallel()
	source := "playbook: x\nmacros: &m {inputs: {a: 1}}\ncases:\n  - {name: one, <<: *m}\n"
	f, err := Parse("c.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if f.Cases[0].inputs["a"] != 1 {
		t.Errorf("inputs are %v, want what is merged in", f.Cases[0].inputs)
	}
	bomb := "playbook: x\nmacros: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for _, l := range "bcdefgh" {
		prev := string(l - 1)
		bomb += "by" + string(l) + ": &" + string(l) + " [" + strings.Repeat("*"+prev+",", 10) + "]\n"
	}
	bomb += "inputs: {a: *h}\ncases: [{name: y}]\n"
	if _, err := Parse("c.yaml", []byte(bomb)); err == nil || !strings.Contains(err.Error(), "expand to too much") {
		t.Errorf("got %v, want a refusal of what expands to too much", err)
	}
	itself := "playbook: x\ncases: [{name: y, expect: {steps: &a [{b: {steps: *a}}]}}]\n"
	if _, err := Parse("c.yaml", []byte(itself)); err == nil || !strings.Contains(err.Error(), "too deep") {
		t.Errorf("got %v, want a refusal of what nests in itself", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("playbook: x\ncases: [{name: y, expect: {steps: [{a: ok}]}}]\n")
	f.Add("playbook: x\nreplies: [{action: a.b, call: 1-3}]\nnodes: {\"a[1-3]\": {}}\n")
	f.Fuzz(func(t *testing.T, source string) {
		_, err := Parse("c.yaml", []byte(source))
		if problems, ok := errors.AsType[*ProblemsError](err); ok {
			for _, p := range problems.List {
				if p.Pos.Line < 1 || p.Pos.Column < 1 {
					t.Errorf("problem without a place: %v", p)
				}
			}
			_ = problems.Render()
		}
	})
}

func TestExpand_writesRangesOut(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"web1":        {"web1"},
		"w[1-3].net":  {"w1.net", "w2.net", "w3.net"},
		"w[08-10]":    {"w08", "w09", "w10"},
		"[1-2]x[1-2]": {"1x1", "1x2", "2x1", "2x2"},
	} {
		got, err := expand(name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
}

func TestDiscover_evaluatesAFilterAsAServerDoes(t *testing.T) {
	t.Parallel()
	n := node{name: "web1", classes: []string{"Roles::Web"}, agents: map[string]string{"kafka": "1.0.0"}, facts: map[string]any{
		"tier": "Bravo", "cpus": 10, "os": map[string]any{"family": "Debian"},
	}}
	w := network{newWorld(&surroundings{nodes: []node{n, {name: "any", joins: -1}, {name: "gone", silent: true}}}, (&Shelf{}).forCase())}
	for _, row := range []struct {
		filter choria.Filter
		want   string
	}{
		{choria.Filter{}, "any web1"},
		{choria.Filter{Agents: []string{"puppet", "/^x/"}}, "any"},
		{choria.Filter{Compound: `with("kafka") and fact("cpus") > 9 and not with("tier=/^al/")`}, "web1"},
		{choria.Filter{Agents: []string{"kafka", "/^rpc/"}}, "any web1"},
		{choria.Filter{Agents: []string{"puppet"}}, "any"},
		{choria.Filter{Classes: []string{"roles::web", "/WEB/"}}, "web1"},
		{choria.Filter{Classes: []string{"roles::db"}}, ""},
		{choria.Filter{Facts: []string{"tier=bravo", "os.family!=RedHat", "cpus>9", "cpus<=10", "tier=/^br/"}}, "web1"},
		{choria.Filter{Facts: []string{"cpus<9"}}, ""},
		{choria.Filter{Facts: []string{"cpus>=many"}}, ""},
		{choria.Filter{Facts: []string{"os=Debian"}}, ""},
		{choria.Filter{Facts: []string{"none!=x"}}, ""},
		{choria.Filter{Identities: []string{"db1", "/^web/"}}, "web1"},
		{choria.Filter{Identities: []string{"web"}}, ""},
	} {
		got, err := w.Discover(t.Context(), row.filter)
		if err != nil || strings.Join(got, " ") != row.want {
			t.Errorf("%+v: got %v, %v, want %v", row.filter, got, err, row.want)
		}
	}
}

func TestFit_findsAVersionOfTheRange(t *testing.T) {
	t.Parallel()
	for constraint, want := range map[string]string{
		">= 1.11.0": "1.11.0", "~1.0.0": "1.0.0", "^2.1.0": "2.1.0", "> 3.1": "3.2.0", "1.x || 3.x": "1.0.0", "nonsense": "1.0.0",
	} {
		if got := fit(constraint); got != want {
			t.Errorf("%s: got %s, want %s", constraint, got, want)
		}
	}
}

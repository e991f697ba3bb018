package filter_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func TestNew_refusesACompoundThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, compound := range map[string][]map[string]string{
		"syntax":        {{"expr": `with("a"`}},
		"no truth":      {{"expr": `1 + 1`}},
		"no expression": {{"fact": "a=b"}},
		"two":           {{"expr": "true"}, {"expr": "true"}},
		"endless":       {{"expr": strings.Repeat("(", 5000)}},
	} {
		if m, err := filter.New(wire.Filter{Compound: [][]map[string]string{compound}}); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v", name, m, err)
		}
	}
}

func TestCheck_namesWhatServersWouldTakeWithoutAWord(t *testing.T) {
	t.Parallel()
	for text, row := range map[string]struct{ mc, local string }{
		`with("roles::web") and not with("tier=/^al/")`: {},
		`let x = fact("a"); x == "b" or x == "c"`:       {},
		`any(classes, {# startsWith "roles"})`:          {},
		`include(fact("list"), 1) and len(agents) > 2`:  {},
		`scout("x").version == "1"`:                     {local: "belongs to a plugin of the servers; let discovery_method be mc"},
		`let r = 1..900000; all(r, # > 0)`:              {local: "can take for ever on this machine"},
		`any(agents, any(classes, # == "a"))`:           {local: "can take for ever on this machine"},
		`roles::web and country=uk`:                     {mc: `write an expression such as with("roles::web") and with("country=uk")`},
		`apache and nginx`:                              {mc: `no server knows "apache"; write with("apache")`},
		`with("a") and fact("b") == c`:                  {mc: `no server knows "c"`},
		`with("a") ? 1 : 2`:                             {mc: "expected bool"},
		`with("/")`:                                     {mc: "holds for everything"},
		`with("tier=//")`:                               {mc: "holds for everything"},
		`with("tier!=/^al/")`:                           {mc: `means =~; write not with("tier=/^al/")`},
		`with("tier > /^al/")`:                          {mc: `means =~`},
	} {
		if row.local == "" {
			row.local = row.mc
		}
		for local, want := range map[bool]string{false: row.mc, true: row.local} {
			err := filter.Check(text, local)
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, local %v: got %v, want %q", text, local, err, want)
			}
		}
	}
}

func TestShape_changesWithTheExpressionAndNotWithItsValues(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, after string
		same          bool
	}{
		"a word in a comparison":   {`with("tier=x")`, `with("tier=bravo")`, true},
		"a path in a comparison":   {`with("dir=x")`, `with("dir=/var/log")`, true},
		"a pattern in a pattern":   {`with("tier=/^x/")`, `with("tier=/^a.*/")`, true},
		"a class":                  {`with("roles::x")`, `with("roles::web")`, true},
		"a number":                 {`fact("cpus") > x`, `fact("cpus") > 4`, true},
		"a negative number":        {`fact("cpus") > x`, `fact("cpus") > -4.5`, true},
		"a text":                   {`fact("a") == "x"`, `fact("a") == "b and c"`, true},
		"a pattern for a word":     {`with("tier=x")`, `with("tier=/.*/")`, false},
		"a pattern for a class":    {`with("x")`, `with("/.*/")`, false},
		"a comparison for a class": {`with("x")`, `with("tier!=q")`, false},
		"another operator":         {`with("tier=x")`, `with("tier=a>0")`, false},
		"another expression":       {`with("tier=x")`, `with("tier=a") or with("b")`, false},
		"another function":         {`with("x")`, `fact("x")`, false},
		"a call for a value":       {`fact("a") == x`, `fact("a") == fact("a")`, false},
		"more for a value":         {`fact("a") == x and true`, `fact("a") == 1 or true and true`, false},
		"not":                      {`x and with("a")`, `not x and with("a")`, false},
		"text put together":        {`with("tier=" + "x")`, `with("tier=" + "/.*/")`, false},
		"what cannot be read":      {`with("x")`, `with("x"`, false},
	} {
		before, after := filter.Shape(row.before), filter.Shape(row.after)
		if before == "" || (before == after) != row.same {
			t.Errorf("%s: %s is %q, %s is %q", name, row.before, before, row.after, after)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`with("a=b")`, `fact("a") > 1 and not include(fact("b"), 2)`, `let a = 1; a == 1`, `#`, `with("/"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := filter.Check(text, true)
		m, newErr := filter.New(wire.Filter{Compound: [][]map[string]string{{{"expr": text}}}})
		if err == nil && newErr != nil {
			t.Fatalf("%q is checked and not compiled: %v", text, newErr)
		}
		if err == nil && len(text) < 200 && !strings.Contains(text, "..") {
			m.Matches(filter.Server{Identity: "a", Facts: []byte(`{"a":"b"}`)})
		}
		if err == nil && filter.Shape(text) == "" {
			t.Fatalf("%q has no shape", text)
		}
	})
}

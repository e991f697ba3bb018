package jgrep_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/tasks/mcollective/jgrep"
)

func document(tb testing.TB) map[string]any {
	tb.Helper()
	var doc map[string]any
	err := json.Unmarshal([]byte(`{"idling": true, "enabled": false, "n": 5, "f": 1.5, "s": "hello world", "z": null,
		"num_s": "10", "ver": "1.2.3", "tags": ["x", "y"],
		"summary": {"resources": {"failed": 0}, "list": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}}`), &doc)
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// The truth table of 2017, with what was found by running the reference engine.
func TestMatch_truthTable(t *testing.T) {
	t.Parallel()
	doc := document(t)
	for expr, want := range map[string]bool{
		"idling=true": true, "enabled=false": true, "n=5": true, "n>4": true, "n<=5": true, "f>1.2": true,
		"n=5.0": false, "f>1": false, `s="hello world"`: true, "s=/hello/": true, "ver=1.2.3": true,
		"+s": true, "-missing": true, "-s": false, "+missing": false, "summary.resources.failed=0": true,
		"[summary.list.a=1 and summary.list.b=2]": true, "[summary.list.a=1 and summary.list.b=4]": false,
		"not enabled=true": true, "!(enabled=true)": true, "(idling=true and n=9) or f=1.5": true, "": true,
		"z=null": true, "missing=null": true, "missing=1": false, "missing>1": false, "num_s>9": true, "num_s=10": true,
		"s=/HELLO/": false, "idling=True": false, "ver>1.2": true, "summary.list.a=1": false, "tags=x": false, "idling": false,
		"summary.list[1].a=3": true, "summary.list[7].a=3": false, "summary.*.failed=0": true, "not n=5": false,
		"idling=true && n=5": true, "n=9 || n=5": true,
	} {
		e, err := jgrep.Parse(expr)
		if err != nil {
			t.Errorf("%q: %v", expr, err)
			continue
		}
		if got := e.Match(doc); got != want {
			t.Errorf("%q: got %v, want %v", expr, got, want)
		}
	}
}

func TestParse_refusesWithAPlaceAndARemedy(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"idling = true": "column 8", "x 1": "column 3", "(a=1": ") is missing", "a=1 and": "a statement",
		"n!=5": "not n=value", "s=~hello": "s=/expression/", "a=/(/": "no regular expression", `a="x`: "not closed", "a=": "a value is missing",
		strings.Repeat("(", 100): "nested deeper", strings.Repeat("a", 9000): "longer than",
	} {
		_, err := jgrep.Parse(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %q", expr, err, want)
		}
	}
}

func TestPaths_andValue(t *testing.T) {
	t.Parallel()
	e, err := jgrep.Parse("n=5 and (s=x or n>3) and -missing")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Paths(), " "); got != "n s missing" {
		t.Errorf("paths: got %q", got)
	}
	if got := jgrep.Value(document(t), "n") + jgrep.Value(document(t), "missing"); got != "5nothing" {
		t.Errorf("values: got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a=1", "[a.b=1 and a.c=2]", "not (x<3 or +y)", `s="a b"`, "s=/x/"} {
		f.Add(s)
	}
	doc := document(f)
	f.Fuzz(func(_ *testing.T, s string) {
		if e, err := jgrep.Parse(s); err == nil {
			e.Match(doc)
			e.Paths()
		}
	})
}

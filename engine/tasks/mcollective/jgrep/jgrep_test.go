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
		"summary": {"resources": {"failed": 0}, "list": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]},
		"big": 1700000000, "yes_s": "true", "neg": -3}`), &doc)
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// answer is what an expression says about the document.
type answer string

const (
	match   answer = "match"
	no      answer = "no"
	refused answer = "refused"
)

// The truth table of 2017, row by row in the order of its reference (5.3), but for the two operators
// that were read there and never matched: they are refused.
func TestParse_andMatchKeepTheTruthTable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		expr string
		want answer
	}{
		{"idling=true", match},
		{"z=null", match},
		{"missing=null", match},
		{"enabled=false", match},
		{"missing=1", no},
		{"missing>1", no},
		{"n=5", match},
		{"n>4", match},
		{"n<=5", match},
		{"n!=5", refused},
		{"s=~hello", refused},
		{"f>1.2", match},
		{"f>1", no},
		{"n=5.0", no},
		{"num_s>9", match},
		{"num_s=10", match},
		{`s="hello world"`, match},
		{"s=/hello/", match},
		{"s=/HELLO/", no},
		{"idling=True", no},
		{"ver=1.2.3", match},
		{"ver>1.2", match},
		{"+s", match},
		{"-missing", match},
		{"-s", no},
		{"+missing", no},
		{"summary.resources.failed=0", match},
		{"summary.list.a=1", no},
		{"[summary.list.a=1 and summary.list.b=2]", match},
		{"[summary.list.a=1 and summary.list.b=4]", no},
		{"not enabled=true", match},
		{"!(enabled=true)", match},
		{"tags=x", no},
		{"(idling=true and n=9) or f=1.5", match},
		{"idling", no},
		{"", match},
		{"idling = true", refused},
		{"x 1", refused},
		{"(a=1", refused},
		{"a=1 and", refused},
	} {
		if got := answerOf(t, row.expr); got != row.want {
			t.Errorf("%q: got %s, want %s", row.expr, got, row.want)
		}
	}
}

// What the table leaves open: JGrep 1.5 as its source has it.
func TestMatch_beyondTheTable(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]answer{
		"summary.list[1].a=3": match, "summary.list[7].a=3": no, "summary.*.failed=0": match, "not n=5": no,
		"idling=true && n=5": match, "n=9 || n=5": match, "+z": match, "-z": no,
		"yes_s=true": match, `idling="true"`: match, `n="5"`: match, "s=/^hello world$/": match, "big=/^1700000000$/": match,
		"n<abc": no, "num_s<9.5": match, "neg=-3": match, "neg<0": match,
		"[summary.list.a==1 and summary.list.b=2]": match, "[summary.list.a>2]": match, "[missing.a=1]": no,
	} {
		if got := answerOf(t, expr); got != want {
			t.Errorf("%q: got %s, want %s", expr, got, want)
		}
	}
}

func answerOf(t *testing.T, expr string) answer {
	t.Helper()
	e, err := jgrep.Parse(expr)
	switch {
	case err != nil:
		return refused
	case e.Match(document(t)):
		return match
	default:
		return no
	}
}

func TestParse_refusesWithAPlaceAndARemedy(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"idling = true": "column 8", "x 1": "column 3", "(a=1": ") is missing", "a=1 and": "a statement",
		"a=/(/": "no regular expression", `a="x`: "not closed", "a=": "a value is missing",
		strings.Repeat("(", 100): "nested deeper", strings.Repeat("a", 9000): "longer than",
		"a>/x/": "write: a=/x/",
	} {
		_, err := jgrep.Parse(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %q", expr, err, want)
		}
	}
}

func TestParse_refusesOperatorsThatNeverMatchWithTheSpellingThatWorks(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"n!=5": "not n=5", "a.b!=": "not a.b=value", "s!=/x/": "not s=/x/", "s=~hello": "s=/hello/", "s=~/hello/": "s=/hello/",
		"s!~hello": "not s=/hello/", "n==5": "n=5", "n=>5": "n>=5", "n=<5": "n<=5", "n<>5": "not n=5",
		"idling=true and n!=5": "not n=5", "(n!=5) or s=x": "not n=5", "[summary.list.a!=1 and summary.list.b=2]": "not summary.list.a=1",
		"[summary.list.a=~x]": "summary.list.a=/x/", "not n!=5": "not n=5",
	} {
		_, err := jgrep.Parse(expr)
		if err == nil || !strings.HasSuffix(err.Error(), "never matches; write: "+want) {
			t.Errorf("%q: got %v, want the spelling %q", expr, err, want)
			continue
		}
		if !strings.HasSuffix(want, "value") {
			if _, err := jgrep.Parse(want); err != nil {
				t.Errorf("%q: the spelling %q does not parse: %v", expr, want, err)
			}
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
	if got := jgrep.Value(document(t), "n") + jgrep.Value(document(t), "missing") + jgrep.Value(document(t), "big"); got != "5nothing1700000000" {
		t.Errorf("values: got %q", got)
	}
}

// FuzzJGrep: no panic; a refusal names a place; what parses parses again, and says the same of the
// same document, and the opposite under not.
func FuzzJGrep(f *testing.F) {
	for _, s := range []string{
		"a=1", "[a.b=1 and a.c=2]", "not (x<3 or +y)", `s="a b"`, "s=/x/", "n!=5", "s=~hello", "summary.list[1].a=3", "summary.*.failed=0", "idling",
		"(idling=true and n=9) or f=1.5", "!(enabled=true)", "tags=x", "-missing && +s || z=null", "[summary.list.a==1]", "n=>5", `s='`, "a\\ b=c", "[[a=1]]", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := jgrep.Parse(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "column ") && !strings.Contains(err.Error(), "longer than") {
				t.Fatalf("%q: no place in %q", s, err)
			}
			return
		}
		doc := document(t)
		got := e.Match(doc)
		again, err := jgrep.Parse(e.String())
		if err != nil || again.Match(doc) != got {
			t.Fatalf("%q: parsed again: %v", s, err)
		}
		for _, path := range e.Paths() {
			_ = jgrep.Value(doc, path)
		}
		if opposite, err := jgrep.Parse("not (" + s + ")"); err == nil && opposite.Match(doc) == got {
			t.Fatalf("%q and its opposite are both %v", s, got)
		}
	})
}

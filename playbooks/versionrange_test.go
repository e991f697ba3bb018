package playbooks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

func TestParseVersionRange_holdsWhatSemanticPuppetHolds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ ranges, in, out string }{ // separated by ;
		{"1.2.3;=1.2.3;= 1.2.3;=v1.2.3", "1.2.3", "1.2.2;1.2.4;1.2.3-alpha;1.2.4-alpha;1.2.3+b1"},
		{"1.2.3-alpha", "1.2.3-alpha", "1.2.3-999;1.2.3-beta;1.2.3"},
		{"1.2.3+b1", "1.2.3+b1", "1.2.3;1.2.3+b2"},
		{"1.2;1.2.x;1.2.X;1.2.*;=1.2.x;=1.2", "1.2.0;1.2.999;1.2", "1.1.999;1.2.0-alpha;1.3.0-0;1.3.0"},
		{"1;1.x;1.X;1.*;1.x.x;1.x.3", "1.0.0;1.999.0", "0.999.999;1.0.0-alpha;2.0.0-0;2.0.0"},
		{"*;x;X;;  ;||;=*;x.1.2", "0.0.0;1.2.3;1.2.3-foo", ""},
		{">1.2.3;> 1.2.3;>\t1.2.3", "1.2.4;999.0.0", "1.2.3;1.2.4-0;1.2.2"},
		{">1.2", "1.3.0;2.0.0", "1.2.0;1.2.9;1.3.0-rc1"},
		{">1", "2.0.0", "1.0.0;1.9.9"},
		{">1.2.3-alpha", "1.2.3-alpha.0;1.2.3-alpha0;1.2.3;999.0.0", "1.2.3-alpha;1.2.4-beta"},
		{">=1.2.3;>= 1.2.3;>=  1.2.3;>=v1.2.3", "1.2.3;999.0.0", "1.2.2;1.2.3-0"},
		{">=1.2;>=1.2.0", "1.2.0;1.11;2.0.0", "1.1.9;1.2.0-rc1"},
		{">=1.2.3-alpha", "1.2.3-alpha;1.2.3-alpha0;1.2.3;999.0.0", "1.2.3-alph;1.2.4-alpha"},
		{"<1.2.3;< 1.2.3", "0.0.0;1.2.2", "0.0.0-0;1.2.3-0;1.2.3;2.0.0"},
		{"<1.2", "1.1.9", "1.2.0;1.2.0-rc1"},
		{"<1.2.3-alpha", "0.0.0;1.2.3-alph", "1.2.3-alpha;1.2.3;2.0.0"},
		{"<=1.2.3;<= 1.2.3", "0.0.0;1.2.3", "1.2.4;1.2.3-0"},
		{"<=1.2", "1.2.9", "1.3.0"},
		{"<=1", "1.9.9", "2.0.0"},
		{"~1;~ 1;~>1;~> 1;~=1", "1.0.0;1.999.999", "0.9.9;1.0.0-0;2.0.0-0;2.0.0"},
		{"~1.2;~> 1.2", "1.2.0;1.2.999", "1.1.999;1.2.0-0;1.3.0"},
		{"~1.0.0", "1.0.0;1.0.9", "0.9.9;1.1.0"},
		{"~1.2.3;~>1.2.3", "1.2.3;1.2.5", "1.2.2;1.2.3-0;1.3.0;1.3.0-0"},
		{"~1.2.3-alpha;~v1.2.3-alpha", "1.2.3-alpha;1.2.3-beta;1.2.3;1.2.9", "1.2.3-alph;1.2.4-0;1.3.0"},
		{"^1", "1.0.0;1.9.9", "0.9.9;2.0.0;1.0.0-0"},
		{"^1.2", "1.2.0;1.9.9", "1.1.9;2.0.0"},
		{"^1.2.0;^ 1.2.0", "1.2.0;1.3.0", "1.1.9;2.0.0"},
		{"^1.0.0-alpha", "1.0.0-beta;1.0.0;1.5.0", "2.0.0;1.0.1-beta"},
		{"^0.13.0", "0.13.0;0.13.9", "0.12.9;0.14.0;1.0.0"},
		{"^0.0.3", "0.0.3;0.0.9", "0.0.2;0.1.0"},
		{"^0.7", "0.7.0;0.7.9", "0.8.0"},
		{"^0", "0.0.0;0.9.9", "1.0.0"},
		{"1.2.3 - 1.3.4;1.2.3  -  1.3.4", "1.2.3;1.3.4", "1.2.2;1.2.3-0;1.3.5-0;1.3.5"},
		{"1.2 - 1.4", "1.2.0;1.3.9;1.4.0", "1.1.9;1.4.1"},
		{"1 - 2", "1.0.0;2.0.0", "2.0.1"},
		{"1.2.3 - 1.3.4-alpha", "1.2.3;1.3.4-alpha", "1.2.2;1.2.3-0;1.3.4-alpha0;1.3.4"},
		{"1.2.3-alpha - 1.3.4", "1.2.3-alpha;1.3.4", "1.2.3-alph;1.3.5-0"},
		{">= 1 < 2;>=1 <2;<2 >=1", "1.0.0;1.9.9", "0.9.9;2.0.0"},
		{"1.2 <1.2.5", "1.2.0;1.2.4", "1.1.999;1.2.5;1.9.0"},
		{"1 <=1.2.5", "1.0.0;1.2.5", "0.999.999;1.2.6;1.9.0"},
		{">1.0.0 >2.0.0 >=3.0.0 <5.0.0", "3.0.0;4.999.999", "2.999.999;3.0.0-0;5.0.0"},
		{"1.2.3 >=1.2.3;>=1.2.3 1.2.3;>=1.2.3 <=1.2.3;* 1.2.3", "1.2.3", "1.2.2;1.2.4"},
		{">=1.2.3 >1.2.3", "1.2.4", "1.2.3"},
		{"1.2.3+b1 >=1.2.3 <=1.2.3;>=1.2.3 <=1.2.3 1.2.3+b1", "1.2.3+b1", "1.2.3;1.2.3+b2"},
		{"1.2.3 || 1.2.5;1.2.3||1.2.5;1.2.3 || 1.2.5 ||;|| 1.2.3 || 1.2.5", "1.2.3;1.2.5", "1.2.4;1.2.3-0"},
		{"^0.1.0 || ~3.0.1 || >4 <=5.0.0", "0.1.5;3.0.9;5.0.0", "3.5.0;4.5.0;1.0.0-beta"},
		{"<1.0.0 >2.0.0 || 3", "3.1.0", "0.9.0;2.1.0"},
		{"1.0.0-beta.2", "1.0.0-beta.2", "1.0.0-beta.1"},
		{">1.0.0-beta.2", "1.0.0-beta.11;1.0.0-beta.x;1.0.0-beta.2.1", "1.0.0-beta.1;1.0.0-alpha.9;1.0.0-beta"},
	} {
		for source := range strings.SplitSeq(row.ranges, ";") {
			r, err := playbooks.ParseVersionRange(source)
			if err != nil || r.String() != source {
				t.Errorf("%q: got %q, %v", source, r, err)
				continue
			}
			for version := range strings.FieldsFuncSeq(row.in, func(r rune) bool { return r == ';' }) {
				if ok, err := r.Contains(version); err != nil || !ok {
					t.Errorf("%q does not hold %s (%v)", source, version, err)
				}
			}
			for version := range strings.FieldsFuncSeq(row.out, func(r rune) bool { return r == ';' }) {
				if ok, err := r.Contains(version); err != nil || ok {
					t.Errorf("%q holds %s (%v)", source, version, err)
				}
			}
		}
	}
}

func TestParseVersionRange_refusesWithARemedy(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"invalid": "is no version; write", "<0.7.x": "leave it away", "<=0.7.x": "leave it away", ">0.7.x": "leave it away", ">=0.7.*": "leave it away",
		"^0.7.x": "leave it away", "~0.7.X": "leave it away", ">=*": "leave it away", "1.x - 2": "leave it away",
		">=1.0,<2.0": `">=1.0,<2.0" holds a comma`, ">=1.0, <2.0": "holds a comma", "!=1.0": "the operators are", "==1.0": `"==1.0" does not compare`, "=>1.0": "the operators are",
		">": "the operators are", "1.2.3.4": "is no version", "01.2": "is no version", "1.2-rc1": "is no version", "v1.2.3": "write the number alone",
		"1.2 -1.4": "is no version", ">=1.2 - 1.4": "no operator stands beside -", "- 1.4": "stands between", "1.2.3-01": "begins with 0", "1.2.3-": "is no version",
		"99999999999999999999": "more than 15 digits", strings.Repeat("1 ", 600): "longer than", "<1.0.0 >2.0.0": "no version is in the range",
		">1.2.3 <1.2.3": "no version is in the range", "1.2.3 1.2.4": "no version is in the range", "1 || nope": "is no version",
	} {
		_, err := playbooks.ParseVersionRange(source)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: got %v, want %q", source, err, want)
		}
	}
}

func TestVersionRange_refusesVersionsThatAreNone(t *testing.T) {
	t.Parallel()
	r, err := playbooks.ParseVersionRange("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"", "1", "1.2.3.4", "one", "1.x", "1.2.x", "v1.2.3", "1.2-rc1", "01.2.3", "1.2.3-01"} {
		if _, err := r.Contains(v); err == nil || !strings.Contains(err.Error(), "major.minor.patch") {
			t.Errorf("%q: got %v", v, err)
		}
	}
	if ok, err := (playbooks.VersionRange{}).Contains("1.2.3"); ok || err != nil {
		t.Errorf("the zero range: got %t, %v", ok, err)
	}
}

func TestUse_versionRangeKeepsWhatIsWritten(t *testing.T) {
	t.Parallel()
	book, err := playbooks.Parse("b.yaml", []byte(head+`
inputs: {want: {type: String}}
uses: {half: 1.0, whole: 1, ten: 1.10, text: "~1.0.0", given: ">={{ inputs.want }}"}
tasks: [{any: {}}]
`), anything{})
	if err != nil {
		t.Fatal(err)
	}
	s := scope()
	s.Input = inputFrom(map[string]any{"want": "1.2"})
	got := make(map[string]string)
	for _, u := range book.Uses {
		r, err := u.VersionRange(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", u.Agent, err)
		}
		for _, v := range []string{"1.0.5", "1.1.0", "1.10.0"} {
			if ok, _ := r.Contains(v); ok {
				got[u.Agent] += " " + v
			}
		}
	}
	for agent, want := range map[string]string{"half": " 1.0.5", "whole": " 1.0.5 1.1.0 1.10.0", "ten": " 1.10.0", "text": " 1.0.5", "given": " 1.10.0"} {
		if got[agent] != want {
			t.Errorf("%s holds%s, want%s", agent, got[agent], want)
		}
	}
}

// FuzzVersionRange: no panic; a refusal says what to write; what parses parses again to the same, and
// a whole range that is repeated, or one of two that are the same, holds the same versions.
func FuzzVersionRange(f *testing.F) {
	versions := []string{"0.0.0", "0.13.5", "1.0.0", "1.2", "1.2.3", "1.2.3-alpha", "1.2.3-rc.1", "1.3.0", "2.0.0", "2.0.0-0", "10.20.30+b1"}
	for _, s := range []string{
		"1.2.3", "1.x", "~1.2", "^1", ">= 1 < 2", "1.2 - 1.4", "1.2.3-alpha", ">1.2.3-rc.1 <=2", "1 || ^0.13.0", "*", "", "||", "=v1.2.3+b1", ">=1.0,<2", "<1 >2", "1.2.3-01", "~> 1", "x.1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := playbooks.ParseVersionRange(s)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("%q: an error that says nothing", s)
			}
			return
		}
		held := func(r playbooks.VersionRange) []string {
			var out []string
			for _, v := range versions {
				ok, err := r.Contains(v)
				if err != nil {
					t.Fatalf("%q: %s: %v", s, v, err)
				}
				if ok {
					out = append(out, v)
				}
			}
			return out
		}
		want := held(r)
		for _, again := range []string{r.String(), " " + s + " ", s + " || " + s} {
			r, err := playbooks.ParseVersionRange(again)
			if err != nil {
				if len(again) > 1<<10 {
					continue
				}
				t.Fatalf("%q parses, %q does not: %v", s, again, err)
			}
			if got := held(r); !slices.Equal(got, want) {
				t.Errorf("%q holds %v, %q holds %v", s, want, again, got)
			}
		}
	})
}

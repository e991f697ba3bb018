package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks/lint"
)

// The guide has a section for each rule, in their order, that says what the rule says.
func TestGuide_explains_every_rule(t *testing.T) {
	t.Parallel()
	_, part, found := strings.Cut(read(t, "../../docs/guide/lint.md"), "\n## Rules\n")
	if !found {
		t.Fatal("the guide has no section Rules")
	}
	sections := strings.Split(part, "\n### ")[1:]
	var documented, known []string
	for _, s := range sections {
		id, _, _ := strings.Cut(s, "\n")
		documented = append(documented, id)
	}
	for i, r := range lint.Rules() {
		known = append(known, r.ID)
		want := fmt.Sprintf("%s\n\n*%s.* %s\n\nRemedy: %s.\n", r.ID, r.Severity, r.Reason, r.Remedy)
		if i < len(sections) && !strings.HasPrefix(sections[i]+"\n", want) {
			t.Errorf("the section %s should begin with\n%s", documented[i], want)
		}
	}
	if !slices.Equal(documented, known) {
		t.Errorf("the guide explains %v, the rules are %v", documented, known)
	}
}

func TestRules_have_what_people_need(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		if r.Severity != lint.Warning && r.Severity != lint.Advice {
			t.Errorf("%s has the severity %q, want warning or advice", r.ID, r.Severity)
		}
		if seen[r.ID] || !strings.HasSuffix(r.Reason, ".") || r.Remedy == "" || strings.HasSuffix(r.Remedy, ".") {
			t.Errorf("%+v: want an id of its own, a reason that is a sentence, and a remedy that goes behind a semicolon", r)
		}
		seen[r.ID] = true
	}
}

package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

func TestTighten_takesTheStricterOfEverything(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		rules policy.Rules
		own   policy.Terms
		want  policy.Terms
	}{
		"nothing":           {policy.Rules{}, policy.Terms{}, policy.Terms{Count: 1, Expires: time.Hour}},
		"the rules alone":   {policy.Rules{Count: 2, Expires: time.Minute, Reason: "on_deny"}, policy.Terms{}, policy.Terms{Count: 2, Expires: time.Minute, Reason: "on_deny"}},
		"a playbook alone":  {policy.Rules{}, policy.Terms{From: []string{"a"}, Count: 3, Expires: time.Minute, Reason: "always"}, policy.Terms{From: []string{"a"}, Count: 3, Expires: time.Minute, Reason: "always"}},
		"a laxer playbook":  {policy.Rules{Count: 2, Expires: time.Minute, Reason: "always"}, policy.Terms{Count: 1, Expires: time.Hour, Reason: "on_deny"}, policy.Terms{Count: 2, Expires: time.Minute, Reason: "always"}},
		"an unknown reason": {policy.Rules{Reason: "on_deny"}, policy.Terms{Reason: "never"}, policy.Terms{Count: 1, Expires: time.Hour, Reason: "on_deny"}},
	} {
		p, err := policy.New(row.rules)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Tighten(row.own); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
}

// bench is a policy in which several roles approve.
func bench(t *testing.T, own bool) *policy.Policy {
	t.Helper()
	role := func(name, books string, may policy.Verb, members ...string) policy.Role {
		return policy.Role{Name: name, Members: members, May: []policy.Verb{may}, Playbooks: []string{books}}
	}
	p, err := policy.New(policy.Rules{OwnApproval: own, Roles: []policy.Role{
		role("sre", "web_*", policy.Approve, "UBEN", "T1/UCAT"), role("dba", "db_*", policy.Approve, "UBEN", "UEVE"),
		role("deployer", "*", policy.Run, "UANA", "UBEN"), role("lead", "*", policy.Approve, "UANA"), role("all", "free_*", policy.Approve, "*"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecideApproval_withRoles(t *testing.T) {
	t.Parallel()
	ana := policy.Subject{Team: "T1", User: "UANA"}
	for name, row := range map[string]struct {
		who, book string
		from      []string
		role      string // empty: refused
		rule      string
	}{
		"a role that is listed":                {"UBEN", "web_x", []string{"dba", "sre"}, "sre", "role sre may approve web_x"},
		"a role for other playbooks":           {"UBEN", "web_x", []string{"dba"}, "", "the role dba, and you approve with another"},
		"a role that does not approve":         {"UBEN", "web_x", []string{"deployer"}, "", "the role deployer, and you approve with another"},
		"somebody else's role":                 {"UEVE", "web_x", []string{"sre"}, "", "none of your roles may approve"},
		"a role of another team":               {"UCAT", "web_x", []string{"sre"}, "sre", "role sre"},
		"a role that does not exist":           {"UBEN", "web_x", []string{"boss"}, "", "the role boss"},
		"any role without a list":              {"UBEN", "web_x", nil, "sre", "role sre"},
		"whoever asked, with the role":         {"UANA", "web_x", []string{"lead"}, "", "somebody else has to approve"},
		"somebody without such a role":         {"UGUS", "web_x", []string{"sre"}, "", "none of your roles may approve"},
		"the role that everybody has, by name": {"UGUS", "free_x", []string{"all"}, "all", "role all"},
	} {
		got := bench(t, false).DecideApproval(policy.Subject{Team: "T1", User: row.who}, ana, row.book, row.from...)
		if got.Allowed != (row.role != "") || got.Role != row.role || !strings.Contains(got.Rule, row.rule) {
			t.Errorf("%s: got %+v, want the role %q by %q", name, got, row.role, row.rule)
		}
	}
}

func TestApprovers_ofRoles(t *testing.T) {
	t.Parallel()
	p := bench(t, false)
	for want, got := range map[string][]string{
		"UBEN T1/UCAT UANA": p.Approvers("web_x"),
		"UBEN T1/UCAT":      p.Approvers("web_x", "sre", "dba", "deployer"),
		"":                  p.Approvers("web_x", "boss"),
	} {
		if strings.Join(got, " ") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnmeetable_saysWhy(t *testing.T) {
	t.Parallel()
	ana, ben := policy.Subject{Team: "T1", User: "UANA"}, policy.Subject{Team: "T1", User: "UBEN"}
	for name, row := range map[string]struct {
		terms     policy.Terms
		requester policy.Subject
		book      string
		own       bool
		want      string // empty: it can be met
	}{
		"terms that ask for nothing":           {terms: policy.Terms{Count: 1}, book: "nothing_x"},
		"an unknown role":                      {terms: policy.Terms{From: []string{"sre", "boss"}}, requester: ana, book: "web_x", want: `no role "boss"`},
		"a role that may not approve":          {terms: policy.Terms{From: []string{"deployer"}}, requester: ana, book: "web_x", want: "it takes 1 to approve it with the role deployer, and 0 can"},
		"enough people":                        {terms: policy.Terms{Count: 2}, requester: ana, book: "web_x"},
		"one too few without who asks":         {terms: policy.Terms{Count: 3}, requester: ana, book: "web_x", want: "it takes 3 to approve it, and 2 can"},
		"who asks, when that counts":           {terms: policy.Terms{Count: 3}, requester: ana, book: "web_x", own: true},
		"one of two of a role asks":            {terms: policy.Terms{Count: 2, From: []string{"sre", "dba"}}, requester: ben, book: "web_x", want: "with the role sre or dba, and 1 can"},
		"everybody":                            {terms: policy.Terms{Count: 9}, requester: ana, book: "free_x"},
		"a playbook that nobody asks for here": {terms: policy.Terms{Count: 3}, book: "web_x"},
	} {
		got := bench(t, row.own).Unmeetable(row.terms, row.requester, row.book)
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestUnknownRole_isTheFirst(t *testing.T) {
	t.Parallel()
	if name, why := bench(t, false).UnknownRole([]string{"sre", "boss", "chief"}); name != "boss" || !strings.Contains(why, `"boss"`) {
		t.Errorf("got %q: %s", name, why)
	}
	if name, why := bench(t, false).UnknownRole([]string{"sre", "deployer"}); name+why != "" {
		t.Errorf("got %q: %s", name, why)
	}
}

func TestEither(t *testing.T) {
	t.Parallel()
	list := []string{"a", "b", "c"}
	got := []string{policy.Either(nil), policy.Either(list[:1]), policy.Either(list[:2]), policy.Either(list)}
	if !slices.Equal(got, []string{"", "a", "a or b", "a, b or c"}) {
		t.Errorf("got %q", got)
	}
}

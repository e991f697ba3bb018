package lint_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/playbooks/lint"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// anything is a vocabulary in which every type takes every property.
type anything struct{}

func (anything) Task(string, *playbooks.Properties) error      { return nil }
func (anything) NodeSet(string, *playbooks.Properties) error   { return nil }
func (anything) DataStore(string, *playbooks.Properties) error { return nil }
func (anything) Names(string) []string                         { return nil }

// olds are deprecated types.
type olds struct{}

func (olds) Deprecated(kind, typ string) string {
	if strings.HasPrefix(typ, "old_") {
		return fmt.Sprintf("use the new %s", kind)
	}
	return ""
}

// rules is a policy that reads and gates as configured.
func rules(tb testing.TB, gates ...string) *policy.Policy {
	tb.Helper()
	p, err := policy.New(policy.Rules{Gates: gates, Roles: []policy.Role{{Name: "sre"}, {Name: "dba"}}})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func check(t *testing.T, file, source string) []lint.Finding {
	t.Helper()
	book, err := playbooks.Parse(file, []byte(source), anything{})
	if err != nil {
		t.Fatalf("got problems, want none:\n%v", err)
	}
	house := rules(t, "db.*")
	return lint.New(lint.Options{Policy: house, Types: olds{}, Roles: house}).Check(book)
}

func render(findings []lint.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.Render())
	}
	return b.String()
}

// Each file of testdata holds what a rule tells, and what is near to it and right.
func TestRules_tell_what_they_are_for(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("got no files (%v)", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			t.Parallel()
			findings := check(t, filepath.Base(name), read(t, name))
			for _, f := range findings {
				if f.Pos.Line < 1 || f.Pos.Column < 1 || f.Line == "" || f.Message == "" || f.Remedy == "" {
					t.Errorf("got %+v, want a place, a line, a message and a remedy", f)
				}
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".golden", render(findings))
		})
	}
}

func TestRules_each_have_a_file_that_they_tell_about(t *testing.T) {
	t.Parallel()
	for _, r := range lint.Rules() {
		file := r.ID
		if strings.HasSuffix(r.ID, "-silencer") {
			file = "silencers"
		}
		want := fmt.Sprintf("%s [%s]: ", r.Severity, r.ID)
		if got := render(check(t, file+".yaml", read(t, "testdata/"+file+".yaml"))); !strings.Contains(got, want) {
			t.Errorf("testdata/%s.yaml gives\n%swant a finding with %q", file, got, want)
		}
	}
}

func TestCheck_shows_no_secret(t *testing.T) {
	t.Parallel()
	got := render(check(t, "b.yaml", read(t, "testdata/token-in-plain-text.yaml")))
	for _, secret := range []string{"xoxb-", "t0psecret", "hunter2", "aa-bb-cc", "B00000000", "Zm9vOmJhcg", "12345"} {
		if strings.Contains(got, secret) {
			t.Errorf("the findings show %q:\n%s", secret, got)
		}
	}
}

func TestCheck_without_options_gates_and_deprecates_nothing(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"ungated-destructive": "db.restart changes things", "deprecated-type": ""} {
		book, err := playbooks.Parse("b.yaml", []byte(read(t, "testdata/"+file+".yaml")), anything{})
		if err != nil {
			t.Fatal(err)
		}
		got := render(lint.New(lint.Options{}).Check(book))
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s gives %q, want %q in it", file, got, want)
		}
	}
}

func TestExamples_are_clean(t *testing.T) {
	t.Parallel()
	files, err := playbooks.Examples()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) < 2 {
		t.Fatalf("got %d examples (%v), want 2 or more", len(names), err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := render(check(t, path.Base(name), string(data))); got != "" {
			t.Errorf("got findings, want none:\n%s", got)
		}
	}
}

func read(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// golden compares with a file, or rewrites it when the tests run with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(read(t, name), got); diff != "" {
		t.Errorf("%s differs (-want +got); look at it, then run go test ./playbooks/lint -update:\n%s", name, diff)
	}
}

func TestCheck_knows_secrets_by_their_looks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a1B2", 10)
	for _, secret := range []string{
		"xoxp-" + long, "xapp-1-" + long, "hooks.slack.com/workflows/" + long, "-----BEGIN PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY-----", "AKIA" + strings.Repeat("X1", 8), "ghp_" + long, "gho_" + long, "ghu_" + long,
		"ghs_" + long, "ghr_" + long, "github_pat_" + long, "glpat-" + long, "https://me:pw@example.net/",
	} {
		got := check(t, "b.yaml", "name: b\nversion: 1.0.0\nauthor: A\ndescription: \"é "+secret+"\"\n")
		if len(got) != 1 || got[0].Rule != "token-in-plain-text" || got[0].Pos.Line != 4 || strings.Contains(got[0].Line, secret) {
			t.Errorf("%s: got %+v, want it told and not shown", secret, got)
		}
	}
	for _, fine := range []string{"https://example.net:8080/a@b", "xoxb-", "https://{{ inputs.user }}:{{ inputs.pw }}@example.net/", "A <a@example.net>"} {
		if got := check(t, "b.yaml", "name: b\nversion: 1.0.0\nauthor: A\ndescription: \""+fine+"\"\n"); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing", fine, got)
		}
	}
}

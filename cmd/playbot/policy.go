package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func newPolicy(s streams) *cobra.Command {
	c := &cobra.Command{
		Use: "policy", Short: "Test who may do what", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(newPolicyTest(s))
	return c
}

type policyFlags struct {
	config        string
	verbose, json bool
}

func newPolicyTest(s streams) *cobra.Command {
	var f policyFlags
	c := &cobra.Command{
		Use: "test FILE …", Short: "Hold a policy against cases: who, verb, playbook, inputs, channel, nodes; allowed or denied",
		Long: "Asks the policy of a configuration what the cases of the files ask, as the bot would, and compares the answers.\n" +
			"A file names its configuration with config:; else --config does. docs/guide/policy.md says how cases are written.\n\n" +
			"Exit code: 0 every case is answered as it says, 1 some are not or a file does not load, 2 usage.",
		RunE: func(_ *cobra.Command, files []string) error { return testPolicy(s, f, files) },
	}
	c.Flags().StringVar(&f.config, "config", "playbot.yaml", "the configuration file, for files that name none")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show by which rule each case is answered")
	c.Flags().BoolVar(&f.json, "json", false, "print the results as JSON")
	return c
}

// policyTester counts what it was told of cases.
type policyTester struct {
	out    streams
	flags  policyFlags
	report policyReport
	failed bool // a file does not load
}

// policyReport is the results for machines.
type policyReport struct {
	Cases    []policyOutcome `json:"cases"`
	Untested []string        `json:"untested,omitempty"` // what roles may, and no case says so
	Passed   int             `json:"passed"`
	Failed   int             `json:"failed"`
}

type policyOutcome struct {
	File    string   `json:"file"`
	Line    int      `json:"line"`
	Name    string   `json:"name"`
	Passed  bool     `json:"passed"`
	Allowed bool     `json:"allowed"`
	Rule    string   `json:"rule"`
	Role    string   `json:"role,omitempty"`
	Wrong   []string `json:"wrong,omitempty"`
}

func testPolicy(s streams, f policyFlags, files []string) error {
	if len(files) == 0 {
		return &usageError{"say which cases: playbot policy test FILE; docs/guide/policy.md says how they are written"}
	}
	t := &policyTester{out: s, flags: f}
	for _, file := range files {
		if err := t.file(file); err != nil {
			return err
		}
	}
	return t.end()
}

// file tests the cases of a file. What is wrong with how it is written does not keep others from being tested.
func (t *policyTester) file(path string) error {
	cases, err := app.ReadPolicyCases(path)
	if bad, ok := errors.AsType[*app.PolicyError](err); ok {
		t.failed = true
		fmt.Fprint(t.out.err, bad.Render())
		return nil
	}
	if err != nil {
		return err
	}
	if cases.Config == "" {
		cases.Config = t.flags.config
	}
	cfg, err := app.Load(cases.Config)
	if err != nil {
		return err
	}
	rules, err := cfg.Rules()
	if err != nil {
		return err
	}
	results := cases.Test(rules, booksOf(cfg))
	for _, r := range results {
		t.tell(path, r)
	}
	t.report.Untested = append(t.report.Untested, cfg.Policy.Untested(results)...)
	return nil
}

// booksOf are the playbooks of a configuration, as far as they load: a policy can be tested before there are any.
func booksOf(cfg app.Config) []*playbooks.Playbook {
	types, err := cfg.Vocabulary()
	if err != nil {
		return nil
	}
	shelf, err := playbooks.OpenLibrary(cfg.Playbooks, types)
	if err != nil {
		return nil
	}
	return shelf.List()
}

func (t *policyTester) tell(file string, r app.PolicyResult) {
	passed := len(r.Wrong) == 0
	t.report.Cases = append(t.report.Cases, policyOutcome{
		File: file, Line: r.Case.Pos.Line, Name: r.Case.Name, Passed: passed,
		Allowed: r.Decision.Allowed, Rule: r.Decision.Rule, Role: r.Decision.By, Wrong: r.Wrong,
	})
	if passed {
		t.report.Passed++
		t.say("ok      %s:%d: %s\n", file, r.Case.Pos.Line, r.Case.Name)
		if t.flags.verbose {
			t.say("        %s: %s\n", answer(r.Decision), r.Decision.Rule)
		}
		return
	}
	t.report.Failed++
	t.say("FAILED  %s:%d: %s\n", file, r.Case.Pos.Line, r.Case.Name)
	for _, w := range r.Wrong {
		t.say("        %s\n", w)
	}
	if r.Decision.Rule != "" {
		t.say("        %s: %s\n", answer(r.Decision), r.Decision.Rule)
	}
}

func answer(d policy.Decision) string {
	if d.Allowed {
		return "allowed"
	}
	return "denied"
}

func (t *policyTester) say(format string, args ...any) {
	if !t.flags.json {
		fmt.Fprintf(t.out.out, format, args...)
	}
}

func (t *policyTester) end() error {
	r := t.report
	if t.flags.json {
		enc := json.NewEncoder(t.out.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	if len(r.Untested) > 0 {
		t.say("no case says so: %s\n", strings.Join(r.Untested, ", "))
	}
	t.say("%s: %d passed, %d failed\n", counted(r.Passed+r.Failed, "case"), r.Passed, r.Failed)
	if t.failed || r.Failed > 0 {
		return errSilent
	}
	return nil
}

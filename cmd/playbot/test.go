package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/cmd/internal/booktest"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine/policy"
)

func newTest(s streams) *cobra.Command {
	o := testOptions{}
	c := &cobra.Command{
		Use: "test FOLDER|FILE …", Short: "Test playbooks with cases: simulated nodes, declared replies, virtual time",
		Long: "Runs the cases of a folder of playbooks: the files in its folder tests, and those that end in _test.yaml.\n" +
			"Each case runs on the real engine in virtual time; nothing outside is touched. docs/guide/testing.md says\n" +
			"how cases are written. The exit code is 1 when a case fails or a case file does not load.",
		RunE: func(c *cobra.Command, args []string) error { return testBooks(c.Context(), s, o, args) },
	}
	c.Flags().StringVar(&o.run, "run", "", "only cases whose name matches this regular expression")
	c.Flags().StringVar(&o.config, "config", "", "a configuration file whose policy counts; default: everybody may do everything, but approve their own runs")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "show the steps of every case")
	c.Flags().BoolVar(&o.json, "json", false, "print the results as JSON")
	return c
}

type testOptions struct {
	run, config   string
	verbose, json bool
}

// tester runs the cases of some files and counts them.
type tester struct {
	out     streams
	options testOptions
	only    *regexp.Regexp
	policy  *policy.Policy             // nil: that of cases
	shelves map[string]*booktest.Shelf // by folder

	report testReport
}

// testReport is the results for machines.
type testReport struct {
	Files  []testFile `json:"files"`
	Passed int        `json:"passed"`
	Failed int        `json:"failed"`
	Broken int        `json:"broken"` // case files that do not load
}

type testFile struct {
	File     string             `json:"file"`
	Playbook string             `json:"playbook,omitempty"`
	Problems []booktest.Failure `json:"problems,omitempty"`
	Cases    []testCase         `json:"cases,omitempty"`
}

type testCase struct {
	Name     string              `json:"name"`
	Passed   bool                `json:"passed"`
	Outcome  string              `json:"outcome"`
	Message  string              `json:"message,omitempty"`
	Took     float64             `json:"took"` // seconds of virtual time
	Failures []booktest.Failure  `json:"failures,omitempty"`
	Steps    []booktest.StepLine `json:"steps"`
}

func testBooks(ctx context.Context, s streams, o testOptions, paths []string) error {
	if len(paths) == 0 {
		return &usageError{"say what to test: playbot test FOLDER"}
	}
	only, err := regexp.Compile(o.run)
	if err != nil {
		return &usageError{fmt.Sprintf("--run: %v", err)}
	}
	t := &tester{out: s, options: o, only: only, shelves: make(map[string]*booktest.Shelf)}
	if o.config != "" {
		cfg, err := app.Load(o.config)
		if err != nil {
			return err
		}
		if t.policy, err = cfg.Rules(); err != nil {
			return err
		}
	}
	for _, p := range paths {
		if err := t.path(ctx, p); err != nil {
			return err
		}
	}
	return t.end()
}

// path tests a folder or a file.
func (t *tester) path(ctx context.Context, path string) error {
	found, err := booktest.Find(path)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%s holds no cases; put them into %s/tests, or beside the playbooks as NAME_test.yaml; docs/guide/testing.md says how they are written", path, path)
	}
	for _, f := range found {
		if err := ctx.Err(); err != nil {
			return errors.New("interrupted")
		}
		if err := t.file(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// file tests the cases of a file.
func (t *tester) file(ctx context.Context, found booktest.Found) error {
	file, err := booktest.Read(found.File)
	if problems, ok := errors.AsType[*booktest.ProblemsError](err); ok {
		t.report.Broken++
		t.report.Files = append(t.report.Files, testFile{File: found.File, Problems: booktest.Failures(problems.List)})
		t.say("%s", problems.Render())
		return nil
	}
	if err != nil {
		return err
	}
	shelf, err := t.shelf(found.Books) //nolint:contextcheck // to parse is to look at nothing outside
	if err != nil {
		return err
	}
	out := testFile{File: found.File, Playbook: file.Playbook}
	for i := range file.Cases {
		if ctx.Err() != nil || !t.only.MatchString(file.Cases[i].Name) {
			continue
		}
		r := file.Run(ctx, &file.Cases[i], shelf, booktest.Options{Policy: t.policy})
		out.Cases = append(out.Cases, testCase{
			Name: r.Case, Passed: r.Passed(), Outcome: r.Outcome, Message: r.Message, Took: r.Took.Seconds(),
			Failures: booktest.Failures(r.Failures), Steps: r.Steps,
		})
		t.tell(found.File, r)
	}
	t.report.Files = append(t.report.Files, out)
	return nil
}

// tell says how a case went.
func (t *tester) tell(file string, r booktest.Result) {
	if !r.Passed() {
		t.report.Failed++
		t.say("FAILED  %s: %s\n%s", file, r.Case, r.Failed())
		return
	}
	t.report.Passed++
	t.say("ok      %s: %s (%s)\n", file, r.Case, commands.Took(r.Took))
	if t.options.verbose {
		t.say("%s", r.Thread())
	}
}

func (t *tester) say(format string, args ...any) {
	if !t.options.json {
		fmt.Fprintf(t.out.out, format, args...)
	}
}

// shelf reads the playbooks of a folder once.
func (t *tester) shelf(dir string) (*booktest.Shelf, error) {
	if s, ok := t.shelves[dir]; ok {
		return s, nil
	}
	s, err := booktest.OpenShelf(dir, app.Vocabulary(""))
	t.shelves[dir] = s
	return s, err
}

// end sums up, and fails when anything failed.
func (t *tester) end() error {
	if t.options.json {
		enc := json.NewEncoder(t.out.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(t.report); err != nil {
			return err
		}
	}
	r := t.report
	t.say("%s: %d passed, %d failed\n", counted(r.Passed+r.Failed, "case"), r.Passed, r.Failed)
	switch {
	case r.Broken > 0:
		return fmt.Errorf("%s not load", map[bool]string{true: "1 case file does", false: fmt.Sprintf("%d case files do", r.Broken)}[r.Broken == 1])
	case r.Failed > 0:
		return errSilent
	case r.Passed == 0:
		return fmt.Errorf("no case matches --run %q", t.options.run)
	}
	return nil
}

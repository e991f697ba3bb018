package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/playbooks/lint"
)

// checkFlags are what check was told.
type checkFlags struct {
	config       string
	strict, json bool
}

func newCheck(s streams) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use: "check [FOLDER|FILE …]", Short: "Check playbooks, and with --config the configuration; for CI",
		Long: "check prints every problem of every playbook with its place and a remedy, and what lint finds in those\n" +
			"that load. Of a folder it also checks that playbooks start each other without going in circles.\n\n" +
			"Exit code: 0 every playbook loads, 1 some do not (with --strict: or lint found something), 2 usage.",
		RunE: func(_ *cobra.Command, args []string) error { return check(s, f, args) },
	}
	c.Flags().StringVar(&f.config, "config", "", "a configuration file to check, with its playbooks; lint then knows its policy")
	c.Flags().BoolVar(&f.strict, "strict", false, "fail on warnings and advice too")
	c.Flags().BoolVar(&f.json, "json", false, "write one JSON document instead of text")
	return c
}

func check(s streams, f checkFlags, paths []string) error {
	rules, err := policy.New(policy.Rules{})
	if err != nil {
		return err
	}
	types := app.Vocabulary("")
	var advice []*playbooks.Problem
	if f.config != "" {
		cfg, err := app.Load(f.config)
		if err != nil {
			return err
		}
		if rules, err = cfg.Rules(); err != nil {
			return err
		}
		if types, err = cfg.Vocabulary(); err != nil {
			return err
		}
		advice = cfg.PolicyAdvice(booksOf(cfg))
		if !f.json {
			fmt.Fprintf(s.out, "%s: ok\n", f.config)
			for _, p := range advice {
				fmt.Fprint(s.err, p.Render())
			}
		}
		paths = append(paths, cfg.Playbooks)
	}
	if len(paths) == 0 {
		return &usageError{"say what to check: playbot check FOLDER, or playbot check --config FILE"}
	}
	options := lint.Options{Policy: rules, Types: deprecations(types)}
	if f.config != "" {
		options.Roles = rules
	}
	c := checker{types: types, linter: lint.New(options)}
	var all report
	for _, p := range paths {
		files, err := c.path(p)
		if err != nil {
			return err
		}
		all = append(all, files...)
	}
	if f.json {
		if err := all.writeJSON(s.out); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	} else {
		all.write(s)
	}
	if err := all.verdict(f); err != nil || len(advice) == 0 || !f.strict {
		return err
	}
	return fmt.Errorf("%s about the policy, which --strict does not let pass", counted(len(advice), "warning"))
}

// verdict is the error that the command ends with; nil when all is well.
func (r report) verdict(f checkFlags) error {
	sum := r.sum()
	switch {
	case sum.broken == 0 && (!f.strict || sum.Warnings+sum.Advice == 0):
		return nil
	case f.json:
		return errSilent
	case sum.broken == 0:
		return fmt.Errorf("%s, which --strict does not let pass", sum.rest())
	}
	return fmt.Errorf("%s not load", map[bool]string{true: "1 file does", false: fmt.Sprintf("%d files do", sum.broken)}[sum.broken == 1])
}

// checker checks files.
type checker struct {
	types  playbooks.Vocabulary
	linter *lint.Linter
}

// path checks a folder or a file.
func (c checker) path(path string) (report, error) {
	files, err := playbookFiles(path)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no playbook; they end in .yaml", path)
	}
	var out report
	for _, f := range files {
		out = append(out, c.file(f))
	}
	if len(files) > 1 || files[0].name != path {
		out.together(files)
	}
	return out, nil
}

func (c checker) file(f playbookFile) *checked {
	book, err := playbooks.Parse(f.name, f.data, c.types)
	out := &checked{name: f.name, book: book}
	if err != nil {
		out.fail(err)
		return out
	}
	for _, w := range book.Warnings {
		out.problems = append(out.problems, problem{Problem: &w, severity: lint.Warning, rule: loading})
	}
	for _, found := range c.linter.Check(book) {
		out.problems = append(out.problems, problem{Problem: &found.Problem, severity: found.Severity, rule: found.Rule})
	}
	out.sort()
	return out
}

// together adds what the playbooks of a folder say about each other.
func (r report) together(files []playbookFile) {
	var books []*playbooks.Playbook
	var declared []string
	for i, f := range r {
		if f.book != nil {
			books = append(books, f.book)
		} else {
			declared = append(declared, playbooks.DeclaredNames(f.name, files[i].data)...)
		}
	}
	found := playbooks.Together(books, declared)
	for _, f := range r {
		if p := found[f.name]; p != nil {
			f.fail(p)
		}
	}
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

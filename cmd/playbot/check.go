package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/playbooks"
)

func newCheck(s streams) *cobra.Command {
	var config string
	c := &cobra.Command{
		Use: "check [FOLDER|FILE …]", Short: "Check playbooks, and with --config the configuration; for CI",
		RunE: func(_ *cobra.Command, args []string) error { return check(s, config, args) },
	}
	c.Flags().StringVar(&config, "config", "", "a configuration file to check, with its playbooks")
	return c
}

func check(s streams, config string, paths []string) error {
	if config != "" {
		cfg, err := app.Load(config)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: ok\n", config)
		paths = append(paths, cfg.Playbooks)
	}
	if len(paths) == 0 {
		return &usageError{"say what to check: playbot check FOLDER, or playbot check --config FILE"}
	}
	bad := 0
	for _, p := range paths {
		n, err := checkPath(s, p)
		if err != nil {
			return err
		}
		bad += n
	}
	if bad > 0 {
		return fmt.Errorf("%s not load", map[bool]string{true: "1 file does", false: fmt.Sprintf("%d files do", bad)}[bad == 1])
	}
	return nil
}

// checkPath checks a folder or a file, and returns how many files do not load.
func checkPath(s streams, path string) (bad int, err error) {
	files, err := playbookFiles(path)
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, fmt.Errorf("%s holds no playbook; they end in .yaml", path)
	}
	vocabulary := app.Vocabulary("")
	for _, f := range files {
		book, err := playbooks.Parse(f.name, f.data, vocabulary)
		var problems *playbooks.Problems
		switch {
		case errors.As(err, &problems):
			fmt.Fprint(s.err, problems.Render())
			bad++
		case err != nil:
			fmt.Fprintf(s.err, "%s: %v\n", f.name, err)
			bad++
		default:
			for _, w := range book.Warnings {
				fmt.Fprint(s.err, w.Render())
			}
			fmt.Fprintf(s.out, "%s: ok (%s %s, %s)\n", f.name, book.Name, book.Version, counted(len(book.Tasks), "task"))
		}
	}
	return bad, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

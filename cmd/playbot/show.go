package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

func newShow(s streams) *cobra.Command {
	var config string
	c := &cobra.Command{
		Use: "show FILE|PLAYBOOK", Short: "Show what a playbook needs and does, before running it",
		Long: "Shows the inputs of a playbook, its nodes, tasks and locks, and where it stops and asks. A name is looked up in the\n" +
			"playbooks of the configuration, whose policy may make more tasks ask; of a FILE that is shown with --config alone.",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{"say what to show: playbot show FILE, or playbot show PLAYBOOK"}
			}
			return show(s, args[0], config, c.Flags().Changed("config"))
		},
	}
	c.Flags().StringVar(&config, "config", "playbot.yaml", "the configuration file")
	return c
}

func show(s streams, what, config string, given bool) error {
	file, err := isFile(what)
	if err != nil {
		return err
	}
	cfg := app.Config{}
	if !file || given {
		if cfg, err = app.Load(config); err != nil {
			return err
		}
	}
	rules, err := cfg.Rules()
	if err != nil {
		return err
	}
	book, err := bookOf(what, file, cfg)
	if problems, ok := errors.AsType[*playbooks.Problems](err); ok {
		fmt.Fprint(s.err, problems.Render())
		return fmt.Errorf("%s does not load", what)
	}
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, overview(book, rules, !file || given))
	return nil
}

// isFile reports whether an argument is the path of a playbook; else it is a name.
func isFile(what string) (bool, error) {
	if info, err := os.Stat(what); err == nil && !info.IsDir() {
		return true, nil
	}
	ext := filepath.Ext(what)
	if ext == ".yaml" || ext == ".yml" || strings.ContainsRune(what, filepath.Separator) {
		return false, fmt.Errorf("there is no file %s", what)
	}
	return false, nil
}

func bookOf(what string, file bool, cfg app.Config) (*playbooks.Playbook, error) {
	vocabulary, err := cfg.Vocabulary()
	if err != nil {
		return nil, err
	}
	if file {
		files, err := playbookFiles(what)
		if err != nil {
			return nil, err
		}
		return playbooks.Parse(files[0].name, files[0].data, vocabulary)
	}
	library, err := playbooks.OpenLibrary(cfg.Playbooks, vocabulary)
	if err != nil {
		return nil, err
	}
	book, err := library.Get(what)
	if missing, ok := errors.AsType[*playbooks.NotFoundError](err); ok {
		remedy := "`playbot check` lists those of a folder"
		if missing.Nearest != "" {
			remedy = fmt.Sprintf("did you mean %q?", missing.Nearest)
		}
		return nil, &usageError{fmt.Sprintf("there is no playbook %q in %s; %s", what, cfg.Playbooks, remedy)}
	}
	return book, err
}

// overview is what chat says to `describe`, with the line that runs the playbook here.
func overview(book *playbooks.Playbook, rules *policy.Policy, whole bool) string {
	text := commands.Description(book, rules).Text()
	if !whole {
		text += "Tasks that only a policy makes ask are not marked; --config FILE adds them.\n"
	}
	return text + "playbot " + commands.Usage(book) + "\n"
}

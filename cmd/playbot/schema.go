package main

import (
	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/cmd/internal/refdoc"
	"github.com/playbot/playbot/playbooks"
)

func newSchema(s streams) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of playbooks, for editors",
		Long: "Prints the JSON Schema (draft 2020-12) of playbooks. An editor that knows it completes keys and marks\n" +
			"mistakes while you type; `playbot check` is the authority, and sees more.\n\n" +
			"  playbot schema > playbook.schema.json\n\n" +
			"and as the first line of a playbook:\n\n" +
			"  # yaml-language-server: $schema=playbook.schema.json",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := playbooks.Schema(refdoc.Catalog(app.Vocabulary("")))
			if err != nil {
				return err
			}
			_, err = s.out.Write(schema)
			return err
		},
	}
}

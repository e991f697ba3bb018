package main

import (
	"github.com/spf13/cobra"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/cmd/internal/refdoc"
)

func newSlack(s streams) *cobra.Command {
	c := &cobra.Command{
		Use: "slack", Short: "Set up the Slack app", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(newManifest(s))
	return c
}

func newManifest(s streams) *cobra.Command {
	var o bot.ManifestOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "manifest", Short: "Print the manifest from which Slack makes the app",
		Long: "Prints the manifest of the Slack app: what it is called, which commands and events it has, and which permissions it\n" +
			"asks for. Paste it at https://api.slack.com/apps: Create New App, From a manifest. An app that exists takes it on its\n" +
			"page \"App Manifest\"; reinstall it then.\n\n" +
			"With --minimal it asks only for what there is no bot without; `playbot doctor` says what does not work then.",
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			m, err := bot.NewManifest(o)
			if err != nil {
				return &usageError{err.Error()}
			}
			text, err := refdoc.Manifest(m, asJSON)
			if err != nil {
				return err
			}
			_, err = s.out.Write(text)
			return err
		},
	}
	c.Flags().BoolVar(&o.Minimal, "minimal", false, "ask only for the permissions without which there is no bot")
	c.Flags().StringVar(&o.Name, "name", "playbot", "the name of the app and of its user")
	c.Flags().StringVar(&o.Command, "command", "/playbook", "the slash command; two apps in one workspace need two")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON instead of YAML")
	return c
}

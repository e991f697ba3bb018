package slack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/playbooks"
)

func TestSlack_noSecretIsPosted(t *testing.T) {
	t.Parallel()
	a, o := server(t)
	p := &poster{}
	for name, row := range map[string]struct {
		options    slack.Options
		properties map[string]any
		said       func() string
	}{
		"with a token":    {o, map[string]any{"channel": "#ops", "text": "the key is hunter2", "token": token}, func() string { return fmt.Sprint(a.bodies) }},
		"through the bot": {slack.Options{Poster: p}, map[string]any{"channel": "#ops", "text": "the key is hunter2"}, func() string { return p.said[0].Text }},
	} {
		task, err := slack.Type(row.options).Decode(playbooks.FromMap(row.properties))
		if err != nil {
			t.Fatal(err)
		}
		c := tasktest.Call(nil)
		c.Mask = func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }
		if _, err := task.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if said := row.said(); !strings.Contains(said, "the key is ***") || strings.Contains(said, "hunter2") {
			t.Errorf("%s: posted %s", name, said)
		}
	}
}

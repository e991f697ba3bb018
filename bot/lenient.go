package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
)

// lenient decodes what Slack sends. A field of another type than was expected is left empty: what
// cannot be done without it is for the caller to say.
func lenient(raw json.RawMessage, into any) error {
	err := json.Unmarshal(raw, into)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other && len(raw) > 0 && raw[0] == '{' {
		return nil
	}
	return err
}

// readPress reads a click. What its message looks like, which Slack sends along, does not matter, and
// what is not where it was expected is looked for where else it may be, but for where the button stands: that
// has to be certain. It reports false when nobody
// can say who pressed what.
func readPress(raw json.RawMessage) (pressPayload, bool) {
	var p pressPayload
	var all map[string]any
	if lenient(raw, &p) != nil || json.Unmarshal(raw, &all) != nil {
		return p, false
	}
	fill(&p.User.ID, all, []string{"user", "id"}, []string{"user_id"}, []string{"user"})
	fill(&p.User.TeamID, all, []string{"user", "team_id"}, []string{"team", "id"}, []string{"team_id"})
	fill(&p.User.Username, all, []string{"user", "username"}, []string{"user", "name"})
	if urls, _ := all["response_urls"].([]any); p.ResponseURL == "" && len(urls) > 0 {
		fill(&p.ResponseURL, map[string]any{"first": urls[0]}, []string{"first", "response_url"})
	}
	if len(p.Actions) == 0 {
		p.Actions = append(p.Actions, pressAction{})
	}
	act, first := &p.Actions[0], map[string]any{}
	if list, _ := all["actions"].([]any); len(list) > 0 {
		first, _ = list[0].(map[string]any)
	}
	fill(&act.ActionID, first, []string{"action_id"}, []string{"name"})
	fill(&act.ActionTS, first, []string{"action_ts"})
	fill(&act.ActionTS, all, []string{"action_ts"}, []string{"trigger_id"})
	fill(&act.Value, first, []string{"value"}, []string{"selected_option", "value"}, []string{"selected_user"}, []string{"selected_conversation"})
	return p, p.User.ID != "" && act.ActionID != ""
}

// fill sets a text that is empty from the first of some paths that leads to one.
func fill(text *string, in map[string]any, paths ...[]string) {
	for _, path := range paths {
		if *text != "" {
			return
		}
		var at any = in
		for _, key := range path {
			inner, _ := at.(map[string]any)
			at = inner[key]
		}
		*text, _ = at.(string)
	}
}

// staleAfter is the default of Options.StaleAfter.
const staleAfter = 5 * time.Minute

// actionAgain is the button that says a line that came too late once more.
const actionAgain commands.Action = "again"

// staleReply says that a command was not run because it came late: what it was meant for may be over.
func staleReply(line string, age time.Duration) commands.Reply {
	r := commands.Reply{Private: true, Blocks: []commands.Block{
		commands.Text{Spans: []commands.Span{{Kind: commands.Plain, Text: fmt.Sprintf("This reached me %s after it was sent, so it was not run. Run it again?", commands.Took(age.Round(time.Second)))}}},
		commands.Preformatted{Text: line},
	}}
	if line != "" && len(line) <= maxValue {
		r.Blocks = append(r.Blocks, commands.Buttons{Items: []commands.Button{{Label: "Run it now", Action: actionAgain, Value: line}}})
	}
	return r
}

// staleForm says the same of a form, which starts nothing when it comes late. Nothing of it is repeated: it may
// hold secrets.
func staleForm(age time.Duration) commands.Reply {
	return commands.Reply{Private: true, Blocks: []commands.Block{commands.Text{Spans: []commands.Span{{
		Kind: commands.Plain, Text: fmt.Sprintf("This form reached me %s after it was sent, so nothing was run. Send it again, from a new form, if it is still to be done.", commands.Took(age.Round(time.Second))),
	}}}}}
}

// notUnderstood answers an interaction of which nobody can say what it wants.
func notUnderstood() webhookMessage {
	return webhookMessage{Type: "ephemeral", Text: "I could not read that click; nothing was done. Please try again, or type `/playbook help`."}
}

// confused says the same in a message.
func (pressPayload) confused() message {
	return message{text: notUnderstood().Text, blocks: []slack.Block{slack.NewSectionBlock(plainText(notUnderstood().Text), nil, nil)}}
}

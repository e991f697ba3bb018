package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// Looker shows people what there is to look at, as far as they may view it.
type Looker interface {
	Log(ctx context.Context, who engine.Actor, at commands.LogPlace) (commands.Log, error)
	Home(ctx context.Context, who engine.Actor) (commands.Home, error)
}

// logClick is a click that asks for a page of a log: on a card it opens a view, in that view it turns the page.
type logClick struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	View struct {
		ID   string `json:"id"`
		Hash string `json:"hash"`
		Type string `json:"type"`
		Meta string `json:"private_metadata"`
	} `json:"view"`
	Container struct {
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	Actions     []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
}

// logClicked answers a click that asks for a log, or opens an address; false when it is about something else. Nothing is written
// down for it, so that it is acknowledged first: a trigger opens a view for three seconds only.
func (b *Bot) logClicked(ctx context.Context, f frame, ack func(any)) bool {
	var p logClick
	if lenient(f.Payload, &p) != nil || len(p.Actions) == 0 || p.User.ID == "" {
		return false
	}
	act := p.Actions[0]
	switch name, _, _ := strings.Cut(act.ActionID, "/"); commands.Action(name) {
	case commands.ActionLog:
		ack(nil)
	case actionOpen: // Slack has opened it
		ack(nil)
		return true
	default:
		return false
	}
	who := engine.Actor{Team: p.User.TeamID, User: p.User.ID, Name: p.User.Username, Channel: p.Container.ChannelID}
	if p.View.Type == string(slack.VTModal) {
		who.Channel = p.View.Meta // where it was opened
	}
	if who.Team == "" {
		who.Team = p.Team.ID
	}
	value := act.Value
	if value == "" {
		value = act.Selected.Value
	}
	view := b.logView(ctx, who, value)
	view.PrivateMetadata = who.Channel
	var err error
	if p.View.Type == string(slack.VTModal) {
		err = b.turn(ctx, p.View.ID, p.View.Hash, view)
	} else {
		err = b.openOnce(ctx, p.TriggerID, view)
	}
	if err != nil {
		b.logger.WarnContext(ctx, "log not shown", "error", err)
		b.logInstead(ctx, p, value)
	}
	return true
}

// logTime bounds opening a view: its trigger is good for three seconds (docs.slack.dev/surfaces/modals).
const logTime = 3 * time.Second

// openOnce opens a view. A trigger opens one, and a second click on the way is no error.
func (b *Bot) openOnce(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	ctx, cancel := context.WithTimeout(ctx, logTime)
	defer cancel()
	_, err := b.api.OpenViewContext(ctx, trigger, v)
	if refused(err) == "exchanged_trigger_id" {
		return nil
	}
	return err
}

// turn shows another page in a view that is open. When a faster click has turned it already, that one counts.
func (b *Bot) turn(ctx context.Context, id, hash string, v slack.ModalViewRequest) error {
	err := call(ctx, func(ctx context.Context) error {
		_, err := b.api.UpdateViewContext(ctx, v, "", hash, id)
		return err
	})
	if name := refused(err); name == "hash_conflict" || name == "not_found" { // turned, or closed
		return nil
	}
	return err
}

// logInstead says how to see a log that Slack did not show.
func (b *Bot) logInstead(ctx context.Context, p logClick, value string) {
	at, ok := commands.ReadLogPlace(value)
	if !ok || p.ResponseURL == "" {
		return
	}
	b.respond(ctx, p.ResponseURL, webhookMessage{
		Type: "ephemeral", Text: fmt.Sprintf("Slack did not open the log in time. Press Log again, or type /playbook show %s", at.Run.Short()),
	})
}

// logView is the view of a page of a log, or of the reason why there is none.
func (b *Bot) logView(ctx context.Context, who engine.Actor, value string) slack.ModalViewRequest {
	at, ok := commands.ReadLogPlace(value)
	if !ok {
		return logProblem("This button is from another version of playbot; `/playbook history` lists the runs.")
	}
	l, err := b.opts.Commands.Log(ctx, who, at)
	if e, ours := errors.AsType[*engine.Error](err); ours {
		return logProblem(e.Message)
	}
	if err != nil {
		b.logger.ErrorContext(ctx, "log cannot be read", "run", at.Run, "error", err)
		return logProblem("The log cannot be read now; please try again.")
	}
	return logModal(l)
}

func logProblem(text string) slack.ModalViewRequest {
	d := newDrawing()
	d.literal(text, maxSection)
	return slack.ModalViewRequest{Type: slack.VTModal, Title: plainText("Log"), Close: plainText("Close"), Blocks: slack.Blocks{BlockSet: d.done("")}}
}

// logModal draws a page of a log. What was said stands in preformatted text, in which nothing is markup.
func logModal(l commands.Log) slack.ModalViewRequest {
	d := newDrawing()
	d.context(fmt.Sprintf("%s · page %d of %d", l.Title, l.At.Page, l.Pages))
	var chunk []string
	flush := func() {
		d.preformatted(strings.Join(chunk, "\n"))
		chunk = nil
	}
	size := 0
	for _, line := range l.Lines {
		if n := len([]rune(line)) + 1; size+n > maxSection {
			flush()
			size = n
		} else {
			size += n
		}
		chunk = append(chunk, line)
	}
	flush()
	if e := logControls(l); len(e) > 0 {
		d.add(slack.NewActionBlock("", e...))
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText("Log of " + l.At.Run.Short()), Close: plainText("Close"), Blocks: slack.Blocks{BlockSet: d.done(l.At.Run)},
	}
}

// logControls are what turns pages and chooses another step.
func logControls(l commands.Log) []slack.BlockElement {
	var out []slack.BlockElement
	turn := func(label, id string, page int) {
		to := l.At
		to.Page = page
		out = append(out, slack.NewButtonBlockElement(string(commands.ActionLog)+"/"+id, to.Value(), plainText(label)))
	}
	if l.At.Page > 1 {
		turn("‹ Earlier", "back", l.At.Page-1)
	}
	if l.At.Page < l.Pages {
		turn("Later ›", "on", l.At.Page+1)
	}
	if len(l.Steps) < 2 {
		return out
	}
	var options []*slack.OptionBlockObject
	var now *slack.OptionBlockObject
	for _, s := range around(l) {
		if len(s.Value) > maxOptionValue {
			continue
		}
		o := slack.NewOptionBlockObject(s.Value, plainText(cutTo(cleanText(oneLine(s.Label)), maxLabel)), nil)
		if options = append(options, o); s.Path == l.At.Step {
			now = o
		}
	}
	if len(options) == 0 {
		return out
	}
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("Another step"), string(commands.ActionLog)+"/step", options...)
	menu.InitialOption = now
	return append(out, menu)
}

// around are the steps of a log around the one that is shown, as many as a menu holds.
func around(l commands.Log) []commands.LogStep {
	if len(l.Steps) <= maxOptions {
		return l.Steps
	}
	from := 0
	for i, s := range l.Steps {
		if s.Path == l.At.Step {
			from = min(max(0, i-maxOptions/2), len(l.Steps)-maxOptions)
		}
	}
	return l.Steps[from : from+maxOptions]
}

package bot

import (
	"context"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// Callback ids of the shortcuts: see [NewManifest].
const (
	runShortcut     = "run_playbook"      // from anywhere
	runHereShortcut = "run_playbook_here" // from a message, which tells the channel
)

// formPayload is what comes of views and shortcuts.
type formPayload struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		TeamID   string `json:"team_id"`
	} `json:"user"`
	TriggerID    string      `json:"trigger_id"`
	CallbackID   string      `json:"callback_id"`
	ResponseURL  string      `json:"response_url"`
	View         viewPayload `json:"view"`
	ResponseURLs []struct {
		URL string `json:"response_url"`
	} `json:"response_urls"`
	BlockID string `json:"block_id"`
	Value   string `json:"value"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Message struct {
		TS       string `json:"ts"`
		ThreadTS string `json:"thread_ts"`
	} `json:"message"`
}

func (p formPayload) actor(channel string) engine.Actor {
	team := p.User.TeamID
	if team == "" {
		team = p.Team.ID
	}
	return engine.Actor{Team: team, User: p.User.ID, Name: p.User.Username, Channel: channel}
}

// viewing answers what people do in forms, and the shortcuts that open them; false when it is something else.
func (b *Bot) viewing(ctx context.Context, f frame, ack func(any)) bool {
	var p formPayload
	err := lenient(f.Payload, &p)
	switch p.Type {
	case "view_submission", "block_suggestion", "shortcut", "message_action":
		if err != nil || p.User.ID == "" {
			b.logger.WarnContext(ctx, "form cannot be read", "type", p.Type, "error", err)
			ack(unreadable(p.Type))
			return true
		}
	case "view_closed":
		ack(nil)
		return true
	default:
		return false
	}
	if p.TriggerID == "" {
		p.TriggerID = f.EnvelopeID
	}
	switch p.Type {
	case "view_submission":
		b.submission(ctx, p, f.age(), ack)
	case "block_suggestion":
		b.suggest(ctx, p, ack)
	default:
		b.shortcut(ctx, p, ack)
	}
	return true
}

// unreadable answers what could not be read, in the form where that is possible.
func unreadable(kind string) any {
	switch kind {
	case "view_submission":
		return viewAnswer("update", notice("playbot", message{text: "I could not read that form; nothing was done. Please close it and try again."}))
	case "block_suggestion":
		return suggestions(commands.Found{})
	}
	return nil
}

// viewAnswer is what an ack tells Slack to do with views.
func viewAnswer(action string, v slack.ModalViewRequest) any {
	return map[string]any{"response_action": action, "view": v}
}

// submission answers a form that was sent. What was asked is on disk before the ack closes it.
func (b *Bot) submission(ctx context.Context, p formPayload, age time.Duration, ack func(any)) {
	key := "submit/" + p.TriggerID
	first, again := b.seen.begin(key)
	if again {
		first.repeat(ctx, ack)
		return
	}
	defer first.end()
	ack = first.keep(ack)
	data, kind, ok := p.View.data()
	if !ok {
		ack(unreadable("view_submission"))
		return
	}
	s, where := p.View.filled()
	at := data.stand
	if where != "" {
		at = stand{Channel: where, Home: at.Home}
	}
	s.Key, s.Actor, s.Kind, s.State = "form/"+p.View.ID, p.actor(at.Channel), kind, data.State
	if kind == commands.FormRun && age > b.opts.StaleAfter { // what is decided about a run is judged as things are now
		reply := staleForm(age)
		ack(viewAnswer("update", notice("Not done", render(reply))))
		b.tell(ctx, p, at, reply) // the form may be closed by now
		return
	}
	reply, late := b.submit(ctx, s)
	if late {
		b.forget(key)
		return // without an ack Slack says that it did not work, and the form stays
	}
	ack(formAnswer(reply, kind, data, at))
	if reply.Run != "" && (reply.Code == engine.CodeConflict || reply.Code == engine.CodeNotFound) {
		b.thread.repair(reply.Run) // what opened the form was over
	}
	if reply.Form != nil {
		return
	}
	if reply.Code == "" {
		b.tell(ctx, p, at, reply)
	}
	if at.Home {
		b.home(ctx, s.Actor)
	}
}

// submit is say for a form.
func (b *Bot) submit(ctx context.Context, s commands.Submission) (reply commands.Reply, late bool) {
	boxed, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	reply = b.opts.Commands.Submit(boxed, s)
	return reply, b.dropped(boxed, s.Key, reply)
}

// formAnswer is what becomes of a form that was sent: it closes when it is done with, asks again, or says why
// it cannot be.
func formAnswer(reply commands.Reply, kind commands.FormKind, data formData, at stand) any {
	f := reply.Form
	switch {
	case f == nil && reply.Code == "":
		return map[string]any{"response_action": "clear"}
	case f == nil:
		return viewAnswer("update", notice("Not done", render(reply)))
	case f.Kind == kind && !data.Wrong:
		if wrong := complaints(f); wrong != nil {
			return map[string]any{"response_action": "errors", "errors": wrong}
		}
	}
	v, ok := modal(f, at)
	if !ok {
		return viewAnswer("update", notice("Not here", render(tooLong(reply))))
	}
	if f.Kind == kind {
		return viewAnswer("update", v)
	}
	return viewAnswer("push", v) // behind it lies the form that it follows
}

// tooLong says that a form does not fit into a view.
func tooLong(r commands.Reply) commands.Reply {
	words := commands.Text{Spans: []commands.Span{{Kind: commands.Plain, Text: "This asks for more than a form in Slack can hold. Type it as a command, or run it in a terminal."}}}
	r.Blocks = append([]commands.Block{words}, r.Blocks...)
	return r
}

// tell says something to whoever sent a form, where the form was opened: for them alone, if the bot may
// speak there, else in a direct message.
func (b *Bot) tell(ctx context.Context, p formPayload, at stand, reply commands.Reply) {
	if len(p.ResponseURLs) > 0 {
		b.respond(ctx, p.ResponseURLs[0].URL, hookMessage(reply))
		return
	}
	m := render(reply)
	if at.Channel != "" {
		err := call(ctx, func(ctx context.Context) error {
			_, err := b.api.PostEphemeralContext(ctx, at.Channel, p.User.ID, options(m, inThread(at.Thread)...)...)
			return err
		})
		if err == nil {
			return
		}
		b.logger.InfoContext(ctx, "answered directly", "channel", at.Channel, "error", err)
	}
	b.post(ctx, p.User.ID, "", m)
}

// suggest answers a menu from memory.
func (b *Bot) suggest(ctx context.Context, p formPayload, ack func(any)) {
	data, kind, ok := p.View.data()
	field := ""
	if len(p.BlockID) > len(openField) {
		field = p.BlockID[len(openField):]
	}
	if !ok {
		ack(suggestions(commands.Found{}))
		return
	}
	ack(suggestions(b.opts.Commands.Options(ctx, commands.OptionQuery{
		Actor: p.actor(data.Channel), Kind: kind, State: data.State, Field: field, Typed: p.Value,
	})))
}

// shortcut opens the form that asks what to run.
func (b *Bot) shortcut(ctx context.Context, p formPayload, ack func(any)) {
	key := "shortcut/" + p.TriggerID
	first, again := b.seen.begin(key)
	if again {
		first.repeat(ctx, ack)
		return
	}
	defer first.end()
	first.keep(ack)(nil)
	if p.CallbackID != runShortcut && p.CallbackID != runHereShortcut {
		b.logger.WarnContext(ctx, "unknown shortcut")
		if p.ResponseURL != "" {
			b.respond(ctx, p.ResponseURL, webhookMessage{Type: "ephemeral", Text: "I do not know this shortcut; nothing was done. `/playbook run` opens the form."})
		}
		return
	}
	at := stand{Channel: p.Channel.ID, Thread: p.Message.ThreadTS}
	reply, _ := b.say(ctx, commands.Request{Key: key, Actor: p.actor(at.Channel), Origin: engine.OriginButton, Text: "run"})
	if b.open(ctx, p.TriggerID, reply.Form, at) {
		return
	}
	if p.ResponseURL != "" {
		b.respond(ctx, p.ResponseURL, hookMessage(withButton(reply)))
		return
	}
	b.tell(ctx, p, at, withButton(reply))
}

// open opens a form for whoever has just done something; false when there is none, or Slack does not open it.
func (b *Bot) open(ctx context.Context, trigger string, f *commands.Form, at stand) bool {
	if f == nil {
		return false
	}
	v, ok := modal(f, at)
	if !ok {
		b.logger.WarnContext(ctx, "form does not fit into a view", "kind", f.Kind, "fields", len(f.Fields))
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, triggerTime)
	defer cancel()
	_, err := b.api.OpenViewContext(ctx, trigger, v) // once: a trigger opens one view, and only for three seconds
	if err != nil && refused(err) != "exchanged_trigger_id" {
		b.logger.WarnContext(ctx, "form not opened", "kind", f.Kind, "error", err)
		return false
	}
	return true
}

// triggerTime is how long a trigger_id opens a view: docs.slack.dev/surfaces/modals.
const triggerTime = 3 * time.Second

// withButton adds the button that opens the form of a reply, for where none could be opened.
func withButton(r commands.Reply) commands.Reply {
	if r.Form != nil && r.Form.Again.Action != "" {
		r.Blocks = append(slices.Clip(r.Blocks), commands.Buttons{Items: []commands.Button{r.Form.Again}})
	}
	return r
}

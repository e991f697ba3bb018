package bot

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// cardMessage draws the card of a run: one message that always shows how it stands. It has classic
// blocks only, because it has a button: what Slack sends back with a click must be readable by every
// version of the client library.
func (b *Bot) cardMessage(ctx context.Context, run *engine.Run, channel string) message {
	book, err := b.opts.Runs.Book(ctx, run.Requested.Playbook)
	if err != nil {
		b.logger.WarnContext(ctx, "card without its next steps", "run", run.ID, "error", err)
		book = &playbooks.Playbook{}
	}
	return card(run, book, cardFrame{approvers: b.askedPeople(run, run.Pending()), label: b.opts.Label, channel: channel})
}

// cardFrame is what a card shows besides its run.
type cardFrame struct {
	approvers string // mentions of who may approve
	label     string // of this installation
	channel   string // where the card stands
}

// card is a pure function of what it is given.
func card(run *engine.Run, book *playbooks.Playbook, f cardFrame) message {
	d := newDrawing()
	name := run.Requested.Playbook.Name
	d.header(fmt.Sprintf("%s %s — %s", runMark(run.Status), name, run.Status))
	d.naming("Asked by ", run.Requested.Actor, fmt.Sprintf(" · run `%s`%s", run.ID.Short(), parentage(run)))
	d.literal(inputsLine(run), 1500)
	lines, now := steps(run, book)
	d.lines(window(lines, now, maxSteps), maxSteps+200)
	if run.Message != "" {
		d.literal(run.Message, 1200)
	}
	if lost := commands.LostSecrets(run); lost != "" {
		d.literal("✋ "+lost, 600)
	}
	d.steering(run)
	if w := run.Awaits; w != nil {
		d.literal(fmt.Sprintf("⏳ Waiting for the lock %s, held by %s (%s) since %s", w.Lock, w.Holder.Run.Short(), w.Holder.Who, w.Holder.Since.UTC().Format("15:04:05 UTC")), 600)
	} else if w := run.AwaitsNodes; w != nil {
		d.literal(fmt.Sprintf("⏳ Waiting for %s since %s", commands.Waiting(w), w.Holder.Since.UTC().Format("15:04:05 UTC")), 600)
	} else if a := run.Pending(); a != nil {
		d.markup("✋ Waiting for " + f.approvers)
		if p := a.Progress(); p != "" {
			d.literal("Approved so far: "+p, 400)
		}
	} else if !run.Status.Final() && run.Unknown() != nil {
		d.markup("✋ Waiting for a person; see the thread")
	} else if text := commands.Lingering(run); text != "" {
		d.literal("⏳ "+text, 600)
	}
	d.buttons(commands.CardButtons(run))
	if from := run.Requested.Actor.Channel; from != f.channel && isID(from) {
		d.markup(elsewhere(from))
	}
	d.context(cardFoot(run, f.label))
	text := fmt.Sprintf("%s %s %s: %s", runMark(run.Status), name, run.ID.Short(), run.Status)
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// elsewhere says why a card does not stand where its run was asked for.
func elsewhere(channel string) string {
	if strings.HasPrefix(channel, "D") {
		return "Asked for in a direct conversation, where I may not post."
	}
	return "Asked for in <#" + channel + ">, where I may not post. Invite me there to see its runs there."
}

func cardFoot(run *engine.Run, label string) string {
	foot := []string{"requested " + stamp(run.At)}
	if v := run.Requested.Playbook.Version; v != "" {
		foot = append(foot, "version "+v)
	}
	if !run.Ended.IsZero() {
		foot = append(foot, "took "+commands.Took(run.Ended.Sub(run.At)))
	}
	if run.Cancel != nil && !strings.HasPrefix(run.Message, "cancelled by ") { // in the end the message says it, with the reason
		foot = append(foot, "being cancelled by "+cutTo(oneLine(run.Cancel.Actor.Label()), 80))
	}
	if label != "" {
		foot = append(foot, label)
	}
	return strings.Join(foot, " · ")
}

// markup adds a line in which only our own words and ids stand. It is never cut: half a mention is none.
func (d *drawing) markup(text string) {
	if n := utf8.RuneCountInString(text); n > min(maxSection, d.room) {
		d.cut = true
		return
	}
	d.add(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, d.fit(text, maxSection), false, true), nil, nil))
}

// namingAll adds a line of our own words that names several people; see [drawing.naming].
func (d *drawing) namingAll(before string, people []engine.Actor, after string) {
	names, mentions := make([]string, len(people)), make([]string, len(people))
	for i, a := range people {
		names[i], mentions[i] = cutTo(oneLine(a.Label()), 80), "<@"+a.User+">"
	}
	if slices.ContainsFunc(people, func(a engine.Actor) bool { return !mentionable(a) }) {
		d.literal(before+strings.Join(names, " and ")+after, maxSection)
		return
	}
	d.markup(before + strings.Join(mentions, " and ") + after)
}

// naming adds a line of our own words that names somebody: with a mention, or, when they are not in
// Slack, with a name that anybody may have chosen, in which nothing is markup.
func (d *drawing) naming(before string, a engine.Actor, after string) {
	if mentionable(a) {
		d.markup(before + "<@" + a.User + ">" + after)
		return
	}
	bare := strings.NewReplacer("*", "", "`", "")
	d.literal(bare.Replace(before)+cutTo(oneLine(a.Label()), 80)+bare.Replace(after), maxSection)
}

func mentionable(a engine.Actor) bool { return a.Team != "" && isID(a.User) }

// literal adds text in which nothing is markup, at most `most` characters.
func (d *drawing) literal(text string, most int) {
	if text = d.fit(strings.TrimSpace(cleanText(text)), min(most, maxSection)); text != "" {
		d.add(slack.NewSectionBlock(plainText(text), nil, nil))
	}
}

// lines adds lines in which nothing is markup, in as many blocks as they need, at most `most` characters.
func (d *drawing) lines(lines []string, most int) {
	text := []rune(strings.TrimSpace(cleanText(strings.Join(lines, "\n"))))
	if len(text) > most {
		text, d.cut = text[:most], true
	}
	for len(text) > 0 {
		n := len(text)
		if n > maxSection {
			n = maxSection
			if at := lastIndex(text[:n], '\n'); at > 0 {
				n = at
			}
		}
		d.literal(string(text[:n]), maxSection)
		text = text[n:]
	}
}

func lastIndex(text []rune, r rune) int {
	for i, have := range slices.Backward(text) {
		if have == r {
			return i
		}
	}
	return -1
}

// isID reports whether s may stand in a mention.
func isID(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func parentage(run *engine.Run) string {
	if p := run.Requested.Parent; p != nil {
		return fmt.Sprintf(" · started by run `%s`", p.Run.Short())
	}
	return ""
}

func inputsLine(run *engine.Run) string {
	parts := make([]string, 0, len(run.Requested.Inputs))
	for _, name := range slices.Sorted(maps.Keys(run.Requested.Inputs)) {
		parts = append(parts, fmt.Sprintf("%s=%s", name, cutTo(oneLine(fmt.Sprint(run.Requested.Inputs[name])), 120)))
	}
	return strings.Join(parts, "  ")
}

// steps are the steps that have begun, and the main tasks that are still to come. now is how many are over.
func steps(run *engine.Run, book *playbooks.Playbook) (out []string, now int) {
	for _, p := range run.Order {
		s := run.Steps[p]
		if !shownWave(run, s) {
			continue
		}
		line := taskMark(s.Status) + " " + stepName(s, 110) + wavesOf(run, s)
		if n := len(s.Attempts); n > 1 {
			line += fmt.Sprintf(" (attempt %d of %d)", n, s.Tries)
		}
		out = append(out, line)
		if !s.Ended.IsZero() {
			now = len(out)
		}
	}
	if run.Status.Final() || run.Cancel != nil || run.Failed != "" {
		return out, now
	}
	for i := range book.Tasks {
		path := engine.Path(fmt.Sprintf("tasks.%d", i+1))
		if run.Steps[path] == nil {
			out = append(out, taskMark(engine.TaskPending)+" "+cutTo(oneLine(preview(&book.Tasks[i], run)), 120))
		}
	}
	return out, now
}

// window keeps the lines around `now` that fit into so many characters, and counts the others.
func window(lines []string, now, most int) []string {
	from, to := now, now
	room := most
	for grown := true; grown; {
		grown = false
		if to < len(lines) && utf8.RuneCountInString(lines[to]) < room {
			room -= utf8.RuneCountInString(lines[to]) + 1
			to, grown = to+1, true
		}
		if from > 0 && utf8.RuneCountInString(lines[from-1]) < room {
			room -= utf8.RuneCountInString(lines[from-1]) + 1
			from, grown = from-1, true
		}
	}
	out := slices.Clone(lines[from:to])
	if from > 0 {
		out = append([]string{fmt.Sprintf("… %d earlier steps", from)}, out...)
	}
	if more := len(lines) - to; more > 0 {
		out = append(out, fmt.Sprintf("… %d more to come", more))
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// preview is the description of a task that has not begun, as far as it is known.
func preview(t *playbooks.Task, run *engine.Run) string {
	text := t.Description.Source()
	if text == "" {
		return t.Type + " task"
	}
	inputs := run.Requested.Inputs
	if run.Prepared != nil {
		inputs = run.Prepared.Inputs
	}
	for name, v := range inputs {
		text = strings.ReplaceAll(text, "{{ inputs."+name+" }}", fmt.Sprint(v))
	}
	return text
}

// askedPeople mentions those whose word counts at a gate of a run and was not given yet: the requester is
// one of them only when the policy lets people approve what they asked for.
func (b *Bot) askedPeople(run *engine.Run, a *engine.Approval) string {
	if a == nil {
		return ""
	}
	const most = 10
	var out []string
	for _, id := range b.opts.Approvers(run.Requested.Playbook.Name, a.Roles()...) {
		team, user, qualified := strings.Cut(id, "/")
		if !qualified {
			team, user = run.Requested.Actor.Team, id
		}
		own := user == run.Requested.Actor.User && !b.opts.OwnApproval
		given := slices.ContainsFunc(a.Given, func(g engine.ApprovalGiven) bool {
			return g.Actor.Is(engine.Actor{Team: team, User: user})
		})
		switch {
		case user == "*" && b.opts.OwnApproval:
			return "anybody"
		case user == "*":
			return othersThan(a)
		case own || given || team != run.Requested.Actor.Team || !isID(user):
		case len(out) < most:
			out = append(out, "<@"+user+">")
		}
	}
	if len(out) == 0 {
		return "somebody who may approve; nobody else is configured for this playbook"
	}
	return strings.Join(out, " ")
}

// othersThan is everybody whose word still counts at a gate that is open to all.
func othersThan(a *engine.Approval) string {
	if len(a.Given) > 0 {
		return "anybody but the requester and those who have approved"
	}
	return "anybody but the requester"
}

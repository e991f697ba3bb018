package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// homeFrame is what a Home tab shows besides what concerns its person.
type homeFrame struct {
	label  string // of this installation
	answer message
	link   func(engine.Place) string // to a message; "" where there is none
}

// homeView draws the Home tab of somebody. It has classic blocks only, because it has buttons.
func homeView(h commands.Home, f homeFrame) slack.HomeTabViewRequest {
	d := newViewDrawing()
	if f.answer.text != "" {
		d.literal(f.answer.plain(), maxSection)
		d.add(slack.NewDividerBlock())
	}
	d.buttons(h.Buttons)
	d.homeList("Waiting for you", "Nothing waits for you.", h.Waiting, h.More.Waiting, f)
	d.homeList("Running", "Nothing is under way.", h.Running, h.More.Running, f)
	d.homeList("Recent", "No run has ended yet.", h.Recent, 0, f)
	d.add(slack.NewDividerBlock())
	foot := "/playbook list shows the playbooks, /playbook help says what can be said."
	if h.Books == 0 {
		foot = "The policy of this playbot lets you run no playbook. /playbook whoami shows how it knows you; whoever keeps the policy can change that."
	}
	if f.label != "" {
		foot += " This playbot is called " + f.label + "."
	}
	d.context(foot)
	return homeOf(d)
}

func homeOf(d *drawing) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: d.done("")}}
}

// homeRefused is the Home tab of somebody whose word does not count here.
func homeRefused(why string) slack.HomeTabViewRequest {
	d := newViewDrawing()
	d.header("playbot")
	d.literal(why, maxSection)
	return homeOf(d)
}

// newViewDrawing collects blocks for a view, which holds more than a message.
func newViewDrawing() *drawing {
	d := newDrawing()
	d.room, d.most = maxViewCharacters, maxHomeBlocks
	return d
}

// homeList draws runs under a title. Each is a few lines and a row of buttons.
func (d *drawing) homeList(title, none string, runs []commands.HomeRun, more int, f homeFrame) {
	if n := len(runs) + more; n > 0 {
		title = fmt.Sprintf("%s (%d)", title, n)
	}
	d.header(title)
	if len(runs) == 0 {
		d.literal(none, maxSection)
	}
	for _, r := range runs {
		d.literal(homeLine(r.Run)+"\n"+strings.Join(r.Lines, "\n"), maxHomeRun)
		buttons := r.Buttons
		if at, ok := r.Run.Place(); ok {
			if url := f.link(at); url != "" {
				buttons = append([]commands.Button{{Label: "Open thread", Action: actionOpen, Value: string(r.Run.ID), URL: url}}, buttons...)
			}
		}
		d.buttons(buttons)
	}
	if more > 0 {
		d.literal(fmt.Sprintf("… and %d more", more), maxSection)
	}
}

// actionOpen is the action of a button that opens an address: Slack tells of the click all the same.
const actionOpen commands.Action = "open"

// homeLine is a run in one line.
func homeLine(run *engine.Run) string {
	text := fmt.Sprintf("%s %s %s: %s, asked for by %s at %s", runMark(run.Status), run.Requested.Playbook.Name, run.ID.Short(), run.Status,
		cutTo(oneLine(run.Requested.Actor.Label()), 60), run.At.UTC().Format("Jan 2 15:04 UTC"))
	if !run.Ended.IsZero() {
		text += ", took " + commands.Took(run.Ended.Sub(run.At))
	}
	return text
}

// homeFor is the Home tab of somebody as it is now.
func (b *Bot) homeFor(ctx context.Context, who engine.Actor, answer message) slack.HomeTabViewRequest {
	u, err := b.people.find(ctx, who.User, peopleAge) // nothing is decided here: who presses a button is looked up again
	switch {
	case err != nil:
		return homeRefused("Slack cannot say now who you are. Open this tab again in a minute.")
	case unfit(u, who.Team) != "":
		return homeRefused(fmt.Sprintf("Here stands what waits for members of this workspace who work with playbot. Your account %s, and only members of this workspace count. "+
			"Ask a member to run what you need, and to add you to the channel in which its card stands.", unfit(u, who.Team)))
	}
	who.Name = u.Name
	h, err := b.opts.Commands.Home(ctx, who)
	if e, ours := errors.AsType[*engine.Error](err); ours && e.Code == engine.CodeDenied {
		return homeRefused(e.Message)
	}
	if err != nil {
		b.logger.ErrorContext(ctx, "home cannot be drawn", "user", who.User, "error", err)
		return homeRefused("What concerns you cannot be looked up now. Open this tab again in a minute; /playbook status may say more.")
	}
	return homeView(h, homeFrame{label: b.opts.Label, answer: answer, link: func(p engine.Place) string { return b.homes.link(ctx, p) }})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/cmd/internal/app"
)

// play is the demo: people type and press in the workspace, and everything that they see is printed.
type play struct {
	local   *app.Local
	out     io.Writer
	failing bool // one node fails to upgrade

	shown map[string]string // what was printed of a message, by channel and ts
}

const (
	demoChannel  = "deploys"
	demoRevision = "abc"
	demoLine     = "/playbook run web_upgrade tier=bravo rev=" + demoRevision
)

// perform plays the deployment: ana asks, ana may not approve her own run, ben does, and it ends.
func (p *play) perform(ctx context.Context) error {
	p.shown = map[string]string{}
	ws := p.local.Workspace
	if err := p.until(ctx, "the bot to connect", func() bool { return ws.Connected() > 0 }); err != nil {
		return err
	}
	p.title("A team deploys from chat. Everything below went over Slack's protocol and Choria's.")
	if err := p.typeLine(ctx, "ana", demoLine); err != nil {
		return err
	}
	var gate workspace.Message
	err := p.until(ctx, "the approval", func() bool {
		var found bool
		gate, found = p.gate()
		return found
	})
	if err != nil {
		return err
	}
	for _, who := range []string{"ana", "ben"} {
		if err := p.press(ctx, who, gate); err != nil {
			return err
		}
	}
	if err := p.until(ctx, "the end", p.ended); err != nil {
		return err
	}
	if err := p.typeLine(ctx, "ana", "/playbook history"); err != nil {
		return err
	}
	p.print()
	return p.verdict()
}

// until waits for something and prints what people see meanwhile.
func (p *play) until(ctx context.Context, what string, ok func() bool) error {
	err := p.local.Workspace.Until(ctx, func() bool {
		p.print()
		return ok()
	})
	if err != nil {
		return fmt.Errorf("the demo waited for %s in vain: %w", what, err)
	}
	return nil
}

func (p *play) typeLine(ctx context.Context, who, line string) error {
	p.say(who, line)
	_, err := p.local.Workspace.Slash(ctx, who, demoChannel, line)
	return err
}

// press presses Approve and waits for what the bot answers, so that the next press comes after it.
func (p *play) press(ctx context.Context, who string, gate workspace.Message) error {
	ws := p.local.Workspace
	p.say(who, "presses [Approve]")
	before := p.told(who)
	if err := ws.Click(ctx, who, gate.Channel, gate.TS, "approve"); err != nil {
		return err
	}
	return p.until(ctx, "an answer to "+who, func() bool { return p.told(who) > before })
}

// told counts the answers that only one person sees.
func (p *play) told(who string) int {
	u, _ := p.local.Workspace.User(who)
	n := 0
	for _, m := range p.local.Workspace.Everything(demoChannel) {
		if m.Ephemeral == u.ID {
			n++
		}
	}
	return n
}

// gate is the message that asks for an approval.
func (p *play) gate() (workspace.Message, bool) {
	for _, m := range p.local.Workspace.Everything(demoChannel) {
		if strings.Contains(p.local.Workspace.PlainText(m), "[Approve]") {
			return m, true
		}
	}
	return workspace.Message{}, false
}

// ended reports whether every run of the demo has said its last word and its card shows it.
func (p *play) ended() bool {
	last := regexp.MustCompile(`^\S+ r-[0-9a-z]+ (success|failed): `) // as the text that the bot gives its last reply
	cards, finals, lasts := 0, 0, 0
	for _, m := range p.local.Workspace.Everything(demoChannel) {
		switch {
		case m.Metadata != nil:
			cards++
			if strings.HasSuffix(m.Text, ": success") || strings.HasSuffix(m.Text, ": failed") {
				finals++
			}
		case m.ThreadTS != "" && last.MatchString(m.Text):
			lasts++
		}
	}
	wanted := 1
	if p.failing {
		wanted = 2 // the failure handler is a run of its own
	}
	return cards == wanted && finals == wanted && lasts == wanted
}

// print shows what is new in the channels.
func (p *play) print() {
	for _, channel := range []string{demoChannel, "ops"} {
		for _, m := range p.local.Workspace.Everything(channel) {
			p.message(channel, m)
		}
	}
}

func (p *play) message(channel string, m workspace.Message) {
	ws := p.local.Workspace
	key := channel + m.TS
	text := ws.PlainText(m)
	before, known := p.shown[key]
	isCard := m.Metadata != nil
	final := isCard && !strings.Contains(text, "[Cancel]")
	if known && (before == text || isCard && !final) {
		return
	}
	p.shown[key] = text
	head, indent := "playbot", "  "
	if channel != demoChannel {
		head += " in #" + channel
	}
	switch {
	case m.Ephemeral != "":
		u, _ := ws.User(m.Ephemeral)
		head += " (only visible to " + u.Name + ")"
	case m.ThreadTS != "":
		head, indent = "↳ "+head, "      "
	}
	if known {
		head += " (edited)"
	}
	if m.ThreadTS != "" {
		head = "    " + head
	}
	fmt.Fprintf(p.out, "\n%s\n%s%s\n", head, indent, strings.ReplaceAll(text, "\n", "\n"+indent))
}

func (p *play) say(who, what string) {
	p.print()
	fmt.Fprintf(p.out, "\n%s in #%s\n  %s\n", who, demoChannel, what)
}

func (p *play) title(text string) { fmt.Fprintf(p.out, "%s\n", text) }

// verdict asks the fleet what really happened to it.
func (p *play) verdict() error {
	p.title("\nAsked afterwards, the simulated fleet says:")
	var wrong []string
	for _, n := range p.local.Fleet.Nodes() {
		s := p.local.Fleet.Node(n.Name)
		puppet := "enabled"
		if !s.PuppetEnabled {
			puppet = "disabled"
		}
		if tier, ok := n.Facts["tier"]; ok {
			fmt.Fprintf(p.out, "  %-18s tier %-5v  revision %-6s  puppet %s\n", n.Name, tier, s.Revision, puppet)
			upgraded := tier == "bravo"
			if (s.Revision == demoRevision) != upgraded || !s.PuppetEnabled {
				wrong = append(wrong, n.Name)
			}
			continue
		}
		fmt.Fprintf(p.out, "  %-18s keeps out of its backends: %s\n", n.Name, orNone(s.Drained))
		if len(s.Drained) > 0 {
			wrong = append(wrong, n.Name)
		}
	}
	for _, v := range p.local.Workspace.Violations() {
		return fmt.Errorf("the workspace refused a message as Slack would: %s %s %v", v.Method, v.Error, v.Details)
	}
	switch {
	case p.failing && len(wrong) == 0:
		return errors.New("an upgrade was to fail, and nothing did")
	case p.failing:
		p.title("\nThe failed tier stays out of haproxy until somebody has looked at it, as the playbook wants.")
	case len(wrong) > 0:
		return fmt.Errorf("these are not as they should be: %s", strings.Join(wrong, ", "))
	default:
		p.title("\nDone: every bravo node runs the new revision, is back in haproxy and under puppet; no alfa node was touched.")
	}
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

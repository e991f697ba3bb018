// Package stage plays people in a workspace on this machine for demonstrations: they type and press,
// and everything that they see is printed.
package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/playbot/playbot/bot/workspace"
)

// Stage is a channel and the people in it. Not safe for concurrent use.
type Stage struct {
	Workspace *workspace.Server
	Channel   string   // where people type
	Others    []string // channels that are shown too
	Out       io.Writer

	shown map[string]string // what was printed of a message, by channel and ts
}

// Connected waits until the bot is there.
func (s *Stage) Connected(ctx context.Context) error {
	return s.Until(ctx, "the bot to connect", func() bool { return s.Workspace.Connected() > 0 })
}

// Until waits for something and prints what people see meanwhile.
func (s *Stage) Until(ctx context.Context, what string, ok func() bool) error {
	err := s.Workspace.Until(ctx, func() bool {
		s.Print()
		return ok()
	})
	if err != nil {
		return fmt.Errorf("the demo waited for %s in vain: %w", what, err)
	}
	return nil
}

// Type has somebody type a line into the channel.
func (s *Stage) Type(ctx context.Context, who, line string) error {
	s.say(who, line)
	_, err := s.Workspace.Slash(ctx, who, s.Channel, line)
	return err
}

// Approve has somebody press Approve, and waits for what the bot answers, so that the next press comes
// after it.
func (s *Stage) Approve(ctx context.Context, who string, gate workspace.Message) error {
	s.say(who, "presses [Approve]")
	before := s.told(who)
	if err := s.Workspace.Click(ctx, who, gate.Channel, gate.TS, "approve"); err != nil {
		return err
	}
	return s.Until(ctx, "an answer to "+who, func() bool { return s.told(who) > before })
}

// told counts the answers that only one person sees.
func (s *Stage) told(who string) int {
	u, _ := s.Workspace.User(who)
	n := 0
	for _, m := range s.Workspace.Everything(s.Channel) {
		if m.Ephemeral == u.ID {
			n++
		}
	}
	return n
}

// Gate waits for a message that asks for an approval. It is an error when a run ends before.
func (s *Stage) Gate(ctx context.Context) (workspace.Message, error) {
	var gate workspace.Message
	ended := false
	err := s.Until(ctx, "the approval", func() bool {
		for _, m := range s.Workspace.Everything(s.Channel) {
			if strings.Contains(s.Workspace.PlainText(m), "[Approve]") {
				gate = m
				return true
			}
		}
		_, _, lasts := s.count()
		ended = lasts > 0
		return ended
	})
	if ended {
		err = errors.New("the run ended before it asked for an approval")
	}
	return gate, err
}

// Ended waits until so many runs have said their last word, their cards show it, and there is no other.
func (s *Stage) Ended(ctx context.Context, runs int) error {
	return s.Until(ctx, "the end", func() bool {
		cards, finals, lasts := s.count()
		return cards == runs && finals == runs && lasts == runs
	})
}

// count counts cards, those that are final, and last words.
func (s *Stage) count() (cards, finals, lasts int) {
	last := regexp.MustCompile(`^\S+ r-[0-9a-z]+ (success|failed): `) // as the text that the bot gives its last reply
	for _, m := range s.Workspace.Everything(s.Channel) {
		switch {
		case isCard(m):
			cards++
			if strings.HasSuffix(m.Text, ": success") || strings.HasSuffix(m.Text, ": failed") {
				finals++
			}
		case m.ThreadTS != "" && last.MatchString(m.Text):
			lasts++
		}
	}
	return cards, finals, lasts
}

// isCard reports whether a message is the card of a run, by the key that the bot gives each of its messages.
func isCard(m workspace.Message) bool {
	payload, _ := m.Metadata["event_payload"].(map[string]any)
	key, _ := payload["key"].(string)
	return strings.HasPrefix(key, "card/")
}

// Refused is an error when the bot sent something that Slack refuses whatever the state of the workspace.
func (s *Stage) Refused() error {
	for _, v := range s.Workspace.Violations() {
		return fmt.Errorf("the workspace refused a message as Slack would: %s %s %v", v.Method, v.Error, v.Details)
	}
	return nil
}

// Print shows what is new in the channels.
func (s *Stage) Print() {
	for _, channel := range append([]string{s.Channel}, s.Others...) {
		for _, m := range s.Workspace.Everything(channel) {
			s.message(channel, m)
		}
	}
}

func (s *Stage) message(channel string, m workspace.Message) {
	key := channel + m.TS
	text := s.Workspace.PlainText(m)
	before, known := s.shown[key]
	card := isCard(m)
	final := card && !strings.Contains(text, "[Cancel]")
	if known && (before == text || card && !final) {
		return
	}
	if s.shown == nil {
		s.shown = make(map[string]string)
	}
	s.shown[key] = text
	head, indent := "playbot", "  "
	if channel != s.Channel {
		head += " in #" + channel
	}
	switch {
	case m.Ephemeral != "":
		u, _ := s.Workspace.User(m.Ephemeral)
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
	fmt.Fprintf(s.Out, "\n%s\n%s%s\n", head, indent, strings.ReplaceAll(text, "\n", "\n"+indent))
}

func (s *Stage) say(who, what string) {
	s.Print()
	fmt.Fprintf(s.Out, "\n%s in #%s\n  %s\n", who, s.Channel, what)
}

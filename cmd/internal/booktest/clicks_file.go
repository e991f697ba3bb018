package booktest

import (
	"slices"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// click is something that a person does while the run goes on.
type click struct {
	pos     playbooks.Pos
	do      string // approve, deny or cancel
	step    string // a path or a part of the description; "all" for every gate
	by      string
	after   time.Duration // after the gate opened, or the step began
	reason  string
	rest    bool    // approve the later gates of the run too
	refused pattern // what the refusal says; empty: it is not refused
}

func verbs() []string { return []string{"approve", "deny", "cancel"} }

func readClicks(v value) []click {
	var out []click
	for _, item := range v.items() {
		m := item.object("a click", append([]string{"by", "after", "reason", "refused", "rest"}, verbs()...)...)
		c := click{
			pos: item.pos(), after: m["after"].duration("after", 0), reason: m["reason"].text("reason", ""),
			refused: m["refused"].pattern("refused"), rest: m["rest"].yes("rest"),
		}
		for _, verb := range verbs() {
			if step, ok := m[verb]; ok {
				if c.do != "" {
					item.problem("write a click for each", "a click cannot %s and %s", c.do, verb)
				}
				c.do, c.step = verb, step.text(verb, "")
			}
		}
		if c.do == "" || c.step == "" {
			item.problem(`write approve:, deny: or cancel: with the path or the description of a step`, "a click does not say what is clicked")
		}
		c.by = m["by"].text("by", c.usual())
		out = append(out, c)
	}
	return out
}

// usual is who clicks when nobody is named: gates are answered by somebody else than the requester.
func (c click) usual() string {
	if c.do == "cancel" {
		return "ana"
	}
	return "ben"
}

// all reports whether the click answers every gate.
func (c click) all() bool {
	return c.step == "all" && slices.Contains([]string{"approve", "deny"}, c.do)
}

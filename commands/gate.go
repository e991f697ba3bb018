package commands

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// Covered is what an approval lets happen, letter by letter, each part in a line of its own.
func Covered(step *engine.Step, a *engine.Approval) []string {
	var out []string
	if step != nil {
		out = append(out, "task: "+step.Type)
	}
	if len(a.Nodes) > 0 {
		out = append(out, fmt.Sprintf("touches %d: %s", len(a.Nodes), short(FirstNodes(a.Nodes), 1500)))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Sealed)) {
		out = append(out, key+": "+exact(a.Sealed[key]))
	}
	return out
}

// exact writes a value in one line, so that two different ones never look the same.
func exact(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Sprintf("%#v", v)
	}
	return shaped(strings.TrimSpace(b.String()))
}

// shaped writes what has no shape of its own as an escape: what changes the direction of text, what
// has no width, and what stands for characters that cannot be shown.
func shaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsGraphic(r) && r != unicode.ReplacementChar && (r == ' ' || !unicode.IsSpace(r)):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, "\\U%08x", r)
		default:
			fmt.Fprintf(&out, "\\u%04x", r)
		}
	}
	return out.String()
}

// FirstNodes names the first nodes of a list, in one line.
func FirstNodes(nodes []string) string {
	const most = 20
	text := strings.Join(nodes[:min(len(nodes), most)], ", ")
	if len(nodes) > most {
		text += fmt.Sprintf(" and %d more", len(nodes)-most)
	}
	return strings.Join(strings.Fields(text), " ")
}

const (
	// maxCovered bounds what one gate shows beside its buttons, in characters; nobody is to approve
	// what was cut.
	maxCovered = 1500
	// maxCoveredAll bounds that of all gates of an answer: a message of Slack holds about 12,000.
	maxCoveredAll = 3000
)

// deciding is what somebody who may decide the gate that a run waits at has to see, with the buttons;
// nothing for anybody else. room is for how many characters; took is how many it needed.
func (c *Commands) deciding(who engine.Actor, run *engine.Run, room int) (blocks []Block, took int) {
	a := run.Pending()
	if a == nil || !c.mayApprove(who, run) {
		return nil, 0
	}
	lines := Covered(run.Steps[a.Path], a)
	if len(a.Grown) > 0 {
		lines = append(lines, "not touched, since they appeared only now: "+FirstNodes(a.Grown))
	}
	text := strings.Join(lines, "\n")
	if took = utf8.RuneCountInString(text); took > min(room, maxCovered) {
		return []Block{paragraph(plain("What an approval covers does not fit here; the thread of the run shows it, with buttons."))}, 0
	}
	return []Block{Preformatted{Text: text}, Buttons{Items: ApprovalButtons(run.ID, a.Approval)}}, took
}

// mayApprove reports whether the word of somebody counts at the gates of a run.
func (c *Commands) mayApprove(who engine.Actor, run *engine.Run) bool {
	asked := run.Requested.Actor
	return c.engine.Policy().DecideApproval(
		policy.Subject{Team: who.Team, User: who.User}, policy.Subject{Team: asked.Team, User: asked.User}, run.Requested.Playbook.Name,
	).Allowed
}

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
	if _, one := a.Sealed["wave"]; len(a.Waves) > 0 && !one {
		out = append(out, "wave by wave: "+waveSizes(a))
	}
	if len(a.Nodes) > 0 {
		out = append(out, fmt.Sprintf("touches %d: %s", len(a.Nodes), short(FirstNodes(a.Nodes), 1500)))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Sealed)) {
		if a.Wave > 0 && key == "waves" {
			continue // said above, and by the order of the nodes
		}
		if waves := inEachWave(step, key, a.Sealed[key]); waves != nil {
			out = append(out, waves...)
			continue
		}
		out = append(out, key+": "+exact(a.Sealed[key]))
	}
	return out
}

// WhichWaves names the waves that a gate is about: ", wave 2,"; empty for one about a whole task.
func WhichWaves(a *engine.Approval) string {
	switch n := len(a.Waves); {
	case a.Wave == 0:
		return ""
	case n > 1:
		return fmt.Sprintf(", waves %d to %d,", a.Wave, a.Wave+n-1)
	}
	return fmt.Sprintf(", wave %d,", a.Wave)
}

// waveSizes says which waves a gate is about, and how many nodes each has: "1 (1 node), 2 (3 nodes)".
func waveSizes(a *engine.Approval) string {
	const most = 10
	var out []string
	for i, size := range a.Waves {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(a.Waves)-most))
			break
		}
		out = append(out, fmt.Sprintf("%d (%s)", max(a.Wave, 1)+i, plural(size, "node")))
	}
	return strings.Join(out, ", ")
}

// inEachWave writes the tasks of a rolling task, a line for each; nil for any other property.
func inEachWave(step *engine.Step, key string, v any) []string {
	tasks, isList := v.([]any)
	if step == nil || step.Type != "rolling" || key != "tasks" || !isList {
		return nil
	}
	out := []string{"in each wave:"}
	for i, t := range tasks {
		text, isText := t.(string)
		if !isText {
			return nil
		}
		out = append(out, fmt.Sprintf("  %d. %s", i+1, shaped(text)))
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

// Asks says in one line what a gate asks for beyond one person's yes; empty when it asks for no more.
func Asks(a *engine.Approval) string {
	var parts []string
	if a.Needs() > 1 || len(a.From) > 0 {
		who := "somebody"
		if a.Needs() > 1 {
			who = fmt.Sprintf("%d different people", a.Needs())
		}
		if from := a.Roles(); len(from) > 0 {
			who += " with the role " + policy.Either(from)
		}
		parts = append(parts, who)
	}
	switch {
	case a.WantsReason(true):
		parts = append(parts, "a reason from whoever decides")
	case a.WantsReason(false):
		parts = append(parts, "a reason from whoever denies")
	}
	if len(parts) == 0 {
		return ""
	}
	return "asks for " + strings.Join(parts, ", and ")
}

// Yeses are the reasons of those who said yes, as far as they gave one.
func Yeses(a *engine.Approval) string {
	var out []string
	for _, g := range a.Given {
		switch {
		case g.Reason == "":
		case len(a.Given) == 1:
			out = append(out, g.Reason)
		default:
			out = append(out, g.Actor.Label()+": "+g.Reason)
		}
	}
	return strings.Join(out, "; ")
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
	if a == nil || !c.mayApprove(who, run, a) {
		return nil, 0
	}
	lines := Covered(run.Steps[a.Path], a)
	if asks := Asks(a); asks != "" {
		lines = append(lines, asks)
	}
	if len(a.Grown) > 0 {
		lines = append(lines, "not touched, since they appeared only now: "+FirstNodes(a.Grown))
	}
	if text := Uncompared(a); text != "" {
		lines = append(lines, text)
	}
	text := strings.Join(lines, "\n")
	if took = utf8.RuneCountInString(text); took > min(room, maxCovered) {
		return []Block{paragraph(plain("What an approval covers does not fit here; the thread of the run shows it, with buttons."))}, 0
	}
	return []Block{Preformatted{Text: text}, Buttons{Items: ApprovalButtons(run.ID, a)}}, took
}

// mayApprove reports whether the yes of somebody counts at a gate of a run; it counts once.
func (c *Commands) mayApprove(who engine.Actor, run *engine.Run, a *engine.Approval) bool {
	return !slices.ContainsFunc(a.Given, func(g engine.ApprovalGiven) bool { return g.Actor.Is(who) }) &&
		c.engine.MayApprove(who, run, a, engine.Limit{}).Allowed
}

package commands

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine"
)

// ApprovalButtons are the buttons of a gate that waits. The last one says no.
func ApprovalButtons(run engine.RunID, a *engine.Approval) []Button {
	value := join(string(run), a.Button())
	confirm := func(c Confirm) *Confirm {
		if a.WantsReason(true) { // a form asks for it, and is question enough
			return nil
		}
		return &c
	}
	starts := "it starts at once"
	if a.Uncompared != "" {
		starts = "it starts as soon as the nodes could be compared"
	}
	if n := a.Missing(); n > 1 {
		starts = fmt.Sprintf("it starts when %d more have approved", n-1)
	}
	out := []Button{{Label: "Approve", Style: StylePrimary, Action: ActionApprove, Value: value, Confirm: confirm(Confirm{
		Title: "Approve this step?", Text: "Run " + run.Short() + ": " + starts + ", with exactly the properties shown.", Yes: "Approve", No: "Not yet",
	})}}
	if len(a.Waves) > 1 {
		out = append(out, Button{Label: fmt.Sprintf("Wave %d only", max(a.Wave, 1)), Action: ActionFirst, Value: value, Confirm: confirm(Confirm{
			Title: "Approve one wave?", Text: fmt.Sprintf("Run %s: %s, with one wave of %s, and then asks again for the rest.", run.Short(), starts, plural(a.Waves[0], "node")), Yes: "Approve it", No: "Not yet",
		})})
	}
	if a.MayRest() {
		out = append(out, Button{Label: "Approve the rest", Action: ActionRest, Value: value, Confirm: confirm(Confirm{
			Title: "Approve the rest?", Text: "Run " + run.Short() + ": " + starts + ", with exactly the properties shown. Later steps of this run that ask no more than this one are not asked about again, unless nodes appear.",
			Yes: "Approve the rest", No: "Not yet",
		})})
	}
	if len(a.Waves) > 0 && len(a.Nodes) > 1 {
		out = append(out, Button{Label: "Approve less…", Action: ActionLess, Value: value})
	}
	return append(out, Button{Label: "Deny", Style: StyleDanger, Action: ActionDeny, Value: value})
}

// ResolveButtons are the buttons of an attempt that was cut off and may not simply be repeated.
func ResolveButtons(run engine.RunID, path engine.Path, attempt int) []Button {
	value := join(string(run), string(path), strconv.Itoa(attempt))
	return []Button{
		{Label: "Retry", Style: StylePrimary, Action: ActionRetry, Value: value, Confirm: &Confirm{
			Title: "Start it again?", Text: "The step may have had its effect already; then it happens twice.", Yes: "Retry", No: "Not yet",
		}},
		{Label: "Mark done", Action: ActionMarkDone, Value: value},
		{Label: "Mark failed", Action: ActionMarkFailed, Value: value},
		{Label: "Abort", Style: StyleDanger, Action: ActionAbort, Value: value, Confirm: &Confirm{
			Title: "Abort the run?", Text: "The run ends here; only the tasks under always still run.", Yes: "Abort", No: "Not yet",
		}},
	}
}

// CardButtons are the buttons of the card of a run: those that change something only while it goes on.
func CardButtons(run *engine.Run) []Button {
	if run.Status.Final() || run.Cancel != nil || !run.Lingers().IsZero() {
		return []Button{LogButton(run.ID)}
	}
	return append(append(SecretsButtons(run), SteerButtons(run)...), LogButton(run.ID), CancelButton(run.ID))
}

// StartButton asks which playbook is to be run.
func StartButton() Button {
	return Button{Label: "Run a playbook", Style: StylePrimary, Action: ActionForm, Value: "run"}
}

// LogButton shows what was said in the steps of a run, to the person who pressed it only.
func LogButton(run engine.RunID) Button {
	return Button{Label: "Log", Action: ActionLog, Value: string(run)}
}

// SteerButtons are the buttons about how a run goes on: those that do something now.
func SteerButtons(run *engine.Run) []Button {
	var out []Button
	if run.Paused() != nil {
		out = append(out, Button{Label: "Resume", Style: StylePrimary, Action: ActionResume, Value: string(run.ID)})
	} else {
		out = append(out, Button{Label: "Pause", Action: ActionPause, Value: string(run.ID)})
	}
	wave, step := wavesToCome(run), run.Rolling()
	if wave == 0 {
		return out
	}
	roll := step.Rollout
	kept := run.Paused() != nil || roll.Pace != nil && roll.Pace.Every > 0
	if sent := roll.Sent != nil && roll.Sent.Wave == wave; kept && !sent {
		out = append(out, Button{Label: fmt.Sprintf("Start wave %d", wave), Action: ActionNext, Value: join(string(run.ID), string(step.Path), strconv.Itoa(wave))})
	}
	return append(out, Button{Label: "Stop the waves", Action: ActionStop, Value: join(string(run.ID), string(step.Path)), Confirm: &Confirm{
		Title: "Stop the waves?", Text: "The wave that is under way ends; the nodes of later waves are not touched, and the task counts as failed unless its playbook tolerates that.",
		Yes: "Stop the waves", No: "Let them go on",
	}})
}

// CancelButton is the button of a run that goes on.
func CancelButton(run engine.RunID) Button {
	return Button{Label: "Cancel", Style: StyleDanger, Action: ActionCancel, Value: string(run), Confirm: &Confirm{
		Title: "Cancel this run?", Text: "What is under way is cut off; then only the tasks under always run.", Yes: "Cancel the run", No: "Let it run",
	}}
}

// ShowButton answers with the run, to the person who pressed it only.
func ShowButton(run engine.RunID) Button {
	return Button{Label: "Show " + run.Short(), Action: ActionShow, Value: string(run)}
}

// maxButtonValue is the longest value that a button of Slack carries, in characters
// (https://docs.slack.dev/reference/block-kit/block-elements/button-element).
const maxButtonValue = 2000

// suggestButton answers with a line to copy; it never runs it.
func suggestButton(line string) Button {
	return Button{Label: "Use the suggestion", Action: ActionSuggest, Value: line}
}

// values in buttons are joined by a character that ids and paths do not contain.
const valueSeparator = "/"

func join(parts ...string) string { return strings.Join(parts, valueSeparator) }

// taken reads back a value of n parts; false when it was not made by this package.
func taken(value string, n int) ([]string, bool) {
	parts := strings.Split(value, valueSeparator)
	return parts, len(parts) == n && !slices.Contains(parts, "")
}

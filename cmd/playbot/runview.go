package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// runView shows the events of one run, and the question that it asks.
type runView struct {
	terminal *terminal
	id       engine.RunID
	run      *engine.Run
	choices  []commands.Button

	asked      string // which question is on the screen
	kept       string // until when it keeps its nodes, as told
	unanswered string // which question nobody was there to answer
}

// show folds an event and prints what it means to a person.
func (v *runView) show(e engine.Event) {
	v.run.Apply(e)
	switch p := e.Payload.(type) {
	case engine.Prepared:
		v.notes(p.Notes)
	case engine.PrepareFailed:
		v.notes(p.Notes)
	case engine.LockAwaited:
		v.terminal.say("  waiting for the lock %s, held by %s (%s)\n", commands.Clean(p.Lock), p.Holder.Run.Short(), commands.Clean(p.Holder.Who))
	case engine.NodesAwaited:
		v.terminal.say("  waiting for %s since %s\n", commands.Clean(commands.Waiting(&p)), commands.Took(time.Since(p.Holder.Since)))
	case engine.NodesUncompared:
		v.terminal.say("  %s.\n", commands.Clean(commands.FailedComparison(v.run, &p)))
	case engine.SecretsNeeded:
		v.terminal.say("  %s\n", commands.Clean(commands.LostSecrets(v.run)))
	case engine.TaskBegun:
		v.terminal.say("▸ %s\n", v.title(p.Path))
	case engine.AttemptEnded:
		v.attempt(p)
	case engine.TaskSkipped, engine.TaskEnded:
		v.ended(e.Payload)
		v.lingers()
	case engine.RunEnded:
		v.terminal.say("\n%s %s %s after %s: %s\nrun %s\n", commands.RunMark(p.Status), v.run.Requested.Playbook.Name, p.Status,
			commands.Took(v.run.Ended.Sub(v.run.At)), commands.Clean(p.Message), v.run.ID.Short())
	case engine.ApprovalAsked:
		if p.Rests != "" { // the answers are the next events
			v.terminal.say("  approved with the rest of the run: %s\n", v.title(p.Path))
			return
		}
	default: // the rest shows in the question or not at all
	}
	v.question()
}

// lingers says once that the run has nothing left to do and ends later.
func (v *runView) lingers() {
	if text := commands.Lingering(v.run); text != "" && text != v.kept {
		v.kept = text
		v.terminal.say("  %s.\n", text)
	}
}

func (v *runView) notes(lines []string) {
	for _, l := range lines {
		v.terminal.say("    %s\n", commands.Clean(l))
	}
}

// title is a step as people know it: hooks with the name of their list.
func (v *runView) title(p engine.Path) string {
	s := v.run.Steps[p]
	if list := p.List(); list != "tasks" {
		return list + ": " + commands.Clean(s.Description)
	}
	return commands.Clean(s.Description)
}

// attempt shows what an attempt brought when it is not the last word on its step.
func (v *runView) attempt(p engine.AttemptEnded) {
	v.notes(p.Notes)
	s := v.run.Steps[p.Path]
	if !p.OK && p.Attempt < s.Tries {
		v.terminal.say("    attempt %d of %d: %s\n", p.Attempt, s.Tries, commands.Clean(p.Result.Message))
	}
}

func (v *runView) ended(payload engine.Payload) {
	switch p := payload.(type) {
	case engine.TaskSkipped:
		v.terminal.say("%s %s: skipped, %s\n", commands.TaskMark(engine.TaskSkippedOver), v.title(p.Path), commands.Clean(p.Reason))
	case engine.TaskEnded:
		s := v.run.Steps[p.Path]
		line := fmt.Sprintf("%s %s — %s", commands.TaskMark(p.Status), v.title(p.Path), commands.Took(s.Ended.Sub(s.Began)))
		if p.Status != engine.TaskOK {
			line += ", " + string(p.Status)
		}
		if p.Message != "" {
			line += ": " + commands.Clean(p.Message)
		}
		v.terminal.say("%s\n", line)
	default: // show hands over nothing else
	}
}

// question prints what the run asks, once.
func (v *runView) question() {
	name, text := "", ""
	v.choices = nil
	if a := v.run.Pending(); a != nil {
		name = fmt.Sprintf("gate %s %d", a.Approval, len(a.Given)) // asked anew after every yes but the last
		text, v.choices = v.gate(a), slices.DeleteFunc(commands.ApprovalButtons(v.run.ID, a), func(b commands.Button) bool {
			return b.Action == commands.ActionLess // that is typed: approve RUN nodes=1
		})
	} else if s := v.run.Unknown(); s != nil {
		n := s.Last().Attempt
		name = fmt.Sprintf("unknown %s %d", s.Path, n)
		text = fmt.Sprintf("? Did this happen? playbot was stopped in the middle of %q. Look at the nodes, then choose.", commands.Clean(s.Description))
		v.choices = commands.ResolveButtons(v.run.ID, s.Path, n)
	}
	if name == v.asked {
		return
	}
	v.asked = name
	if name == "" {
		return
	}
	v.terminal.say("\n%s\n", text)
	v.prompt()
}

func (v *runView) prompt() {
	labels := make([]string, len(v.choices))
	for i, c := range v.choices {
		labels[i] = strings.ToLower(c.Label)
		if v.wantsReason(c) {
			labels[i] += " REASON"
		}
	}
	v.terminal.say("Type %s: ", strings.Join(labels, ", "))
}

// gate is exactly what an approval covers.
func (v *runView) gate(a *engine.Approval) string {
	var b strings.Builder
	fmt.Fprintf(&b, "? Approval needed until %s: %s", a.Deadline().Local().Format("15:04:05"), v.title(a.Path))
	if len(a.Nodes) > 0 {
		fmt.Fprintf(&b, "\n  touches %d: %s", len(a.Nodes), strings.Join(a.Nodes, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Sealed)) {
		value, err := json.Marshal(a.Sealed[key])
		if err != nil {
			value = fmt.Appendf(nil, "%#v", a.Sealed[key])
		}
		fmt.Fprintf(&b, "\n  %s: %s", key, commands.Clean(string(value)))
	}
	if asks := commands.Asks(a); asks != "" {
		fmt.Fprintf(&b, "\n  it %s", commands.Clean(asks))
	}
	if text := commands.Uncompared(a); text != "" {
		fmt.Fprintf(&b, "\n  %s", commands.Clean(text))
	}
	if len(a.Given) > 0 {
		fmt.Fprintf(&b, "\n  approved so far: %s", commands.Clean(a.Progress()))
	}
	return b.String()
}

// answer takes a line that the person typed.
func (v *runView) answer(ctx context.Context, line string, there bool) {
	if !there {
		v.nobody(ctx)
		return
	}
	if strings.TrimSpace(line) == "" {
		return
	}
	c, reason, ok := chosen(v.choices, strings.TrimSpace(line))
	switch {
	case !ok:
		v.terminal.say("%q is none of the choices; write the whole word.\n", commands.Clean(line))
	case reason == "" && v.wantsReason(c):
		v.terminal.say("This needs a reason; write it behind the word.\n")
	case reason != "" && !takesReason(c):
		v.terminal.say("%s takes no reason; write the word alone.\n", strings.ToLower(c.Label))
	default:
		v.press(ctx, c, reason)
		return
	}
	v.prompt()
}

// chosen is the choice that a line begins with, the longest if several do, and what stands behind it.
func chosen(choices []commands.Button, line string) (choice commands.Button, rest string, ok bool) {
	for _, c := range choices {
		n := len(c.Label)
		if len(line) < n || !strings.EqualFold(line[:n], c.Label) || ok && len(choice.Label) > n {
			continue
		}
		if behind := line[n:]; behind == "" || strings.HasPrefix(behind, " ") {
			choice, rest, ok = c, strings.TrimSpace(behind), true
		}
	}
	return choice, rest, ok
}

// takesReason reports whether a reason may stand behind a choice: at gates.
func takesReason(c commands.Button) bool {
	return c.Action == commands.ActionApprove || c.Action == commands.ActionRest || c.Action == commands.ActionDeny
}

// wantsReason reports whether a reason must stand behind a choice.
func (v *runView) wantsReason(c commands.Button) bool {
	a := v.run.Pending()
	return a != nil && takesReason(c) && a.WantsReason(c.Action != commands.ActionDeny)
}

// nobody answers in place of the person who is not there: with the end of the run, and with no, the
// last of the choices, when it is ending already and a task under always asks.
func (v *runView) nobody(ctx context.Context) {
	v.unanswered = v.asked
	v.terminal.say("\nNobody is at this terminal to answer. ")
	if v.run.Cancel == nil {
		v.cancel(ctx)
	} else {
		v.press(ctx, v.choices[len(v.choices)-1], "nobody is at the terminal to answer")
	}
	v.choices = nil
}

func (v *runView) press(ctx context.Context, c commands.Button, reason string) {
	reply := v.terminal.app.Commands.Press(ctx, commands.Press{
		Key: string(engine.NewRunID(time.Now())), Actor: v.terminal.who, Origin: engine.OriginTerminal, Action: c.Action, Value: c.Value, Reason: reason,
	})
	v.terminal.say("%s", reply.Text())
	if reply.Code == "" {
		v.choices = nil // the next event says what is asked then
	} else if len(v.choices) > 0 {
		v.prompt()
	}
}

// cancel asks for the end of the run; its `always` tasks still run.
func (v *runView) cancel(ctx context.Context) {
	if v.run.Cancel != nil {
		return
	}
	if len(v.choices) > 0 {
		v.terminal.say("\n") // ends the line with the question
	}
	v.press(ctx, commands.CancelButton(v.id), "")
}

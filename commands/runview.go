package commands

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// RunMark is the character that stands for how a run is.
func RunMark(s engine.RunStatus) string {
	switch s {
	case engine.RunSuccess:
		return "✓"
	case engine.RunFailed:
		return "✗"
	case engine.RunCancelled:
		return "⊘"
	case engine.RunWaiting:
		return "?"
	case engine.RunPreparing, engine.RunRunning:
		return "▸"
	}
	return "·"
}

// TaskMark is the character that stands for how a task is.
func TaskMark(s engine.TaskStatus) string {
	switch s {
	case engine.TaskOK:
		return "✓"
	case engine.TaskFailed:
		return "✗"
	case engine.TaskTolerated:
		return "!"
	case engine.TaskSkippedOver:
		return "–"
	case engine.TaskDenied, engine.TaskCancelled:
		return "⊘"
	case engine.TaskRunning:
		return "▸"
	case engine.TaskWaiting:
		return "?"
	case engine.TaskPending:
	}
	return "·"
}

// Took writes a duration as people say it: 850ms, 4.2s, 3m12s, 2h5m, 2h.
func Took(d time.Duration) string {
	switch {
	case d < time.Second:
		d = d.Round(time.Millisecond)
	case d < time.Minute:
		d = d.Round(100 * time.Millisecond)
	case d < time.Hour:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Minute)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Ago writes how long ago something was.
func Ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// inputSpans lists inputs in one line.
func inputSpans(inputs map[string]any) []Span {
	var out []Span
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if len(out) > 0 {
			out = append(out, plain("  "))
		}
		out = append(out, plain("%s=", name), outside(short(typed(inputs[name]), 80)))
	}
	return out
}

// typed is a value as it would be typed.
func typed(v any) string {
	switch t := v.(type) {
	case string:
		return Quote(t)
	case []any:
		if len(t) == 0 {
			return "[]"
		}
		items := make([]string, len(t))
		for i, item := range t {
			items[i] = typed(item)
		}
		return strings.Join(items, ",")
	case map[string]any:
		data, err := json.Marshal(t)
		if err != nil {
			return fmt.Sprint(t)
		}
		return string(data)
	}
	return fmt.Sprint(v)
}

// stepSpans is a step in one line.
func stepSpans(s *engine.Step) []Span {
	out := []Span{plain("%s ", TaskMark(s.Status)), outside(s.Description)}
	switch n := len(s.Attempts); {
	case n > s.Tries && n > 1: // those that were cut off do not count as tries
		out = append(out, plain(" (attempt %d)", n))
	case n > 1:
		out = append(out, plain(" (attempt %d of %d)", n, s.Tries))
	}
	if !s.Ended.IsZero() && len(s.Attempts) > 0 {
		out = append(out, plain(" — %s", Took(s.Ended.Sub(s.Began))))
	}
	if s.Message != "" && s.Status != engine.TaskOK {
		out = append(out, plain(": "), outside(short(s.Message, 200)))
	}
	return out
}

// Waiting says whom a run waits for, as in "web1, web2: run r-7k3f of ana holds them". What it waits for
// since when is for the caller to add: a message that stays shows a time, an answer an age.
func Waiting(w *engine.NodesAwaited) string {
	const most = 5
	names, more, them := w.Nodes, w.More, "them"
	if len(names) > most {
		names, more = names[:most], more+len(names)-most
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	} else if len(names) == 1 {
		them = "it"
	}
	if w.Queued {
		return fmt.Sprintf("%s: run %s of %s waits for %s", text, w.Holder.Run.Short(), w.Holder.Who, them)
	}
	return fmt.Sprintf("%s: run %s of %s holds %s", text, w.Holder.Run.Short(), w.Holder.Who, them)
}

// Lingering says that a run ends later, and why; empty when it does not.
func Lingering(r *engine.Run) string {
	until := r.Lingers()
	if until.IsZero() {
		return ""
	}
	return fmt.Sprintf("It keeps its nodes until %s: they may still act on what was cut off", until.UTC().Format("15:04:05 UTC"))
}

// waits says what a run waits for, and how to answer.
func waits(r *engine.Run) []Block {
	if r.Paused() != nil {
		return append(pausedBlocks(r), asked(r)...)
	}
	if w := r.Awaits; w != nil {
		return []Block{paragraph(plain("It waits for the lock "), outside(w.Lock), plain(", which "), runRef(w.Holder.Run),
			plain(" ("), outside(w.Holder.Who), plain(") holds since %s.", stamp(w.Holder.Since)))}
	}
	if w := r.AwaitsNodes; w != nil {
		return []Block{paragraph(plain("It waits for "), outside(Waiting(w)), plain(" since %s.", Took(time.Since(w.Holder.Since))))}
	}
	if text := Lingering(r); text != "" && time.Now().Before(r.Lingers()) {
		return []Block{paragraph(plain("%s.", text))}
	}
	if len(r.SecretsNeeded) > 0 {
		return append([]Block{paragraph(outside(LostSecrets(r)), plain(" "), code("/playbook cancel "+r.ID.Short()), plain(" stops it without."))}, asked(r)...)
	}
	return asked(r)
}

// asked is the gate or the attempt that a person is asked about.
func asked(r *engine.Run) []Block {
	if a := r.Pending(); a != nil {
		name := fmt.Sprintf("%s.%d", r.ID.Short(), a.Number)
		what := []Span{outside(r.Steps[a.Path].Description), plain("%s", WhichWaves(a))}
		if len(a.Nodes) > 0 {
			what = append(what, plain(" on %s, ", plural(len(a.Nodes), "node")), outside(short(strings.Join(a.Nodes, ", "), 200)), plain(","))
		}
		what = append(what, plain(" waits for an approval until %s", stamp(a.Deadline())))
		if asks := Asks(a); asks != "" {
			what = append(what, plain("; it "), outside(asks))
		}
		if len(a.Given) > 0 {
			what = append(what, plain(" (approved so far: "), outside(a.Progress()), plain(")"))
		}
		answer := func(verb string) Span {
			line := "/playbook " + verb + " " + name
			if a.WantsReason(verb == "approve") {
				line += " REASON"
			}
			return code(line)
		}
		return []Block{paragraph(append(what, plain(": "), answer("approve"), plain(" or "), answer("deny"))...)}
	}
	if s := r.Unknown(); s != nil {
		return []Block{
			paragraph(plain("Nobody knows whether "), outside(s.Description), plain(" had its effect: playbot was stopped in the middle of it. Look at the nodes, then choose:")),
			Buttons{Items: ResolveButtons(r.ID, s.Path, s.Last().Attempt)},
		}
	}
	return nil
}

// headFields are what is known about a run as a whole; linked is whether the run that started it is named.
func headFields(r *engine.Run, linked bool, now time.Time) Fields {
	f := Fields{Items: []Field{
		{Label: "Status", Value: []Span{plain("%s %s", RunMark(r.Status), r.Status)}},
		{Label: "Asked by", Value: []Span{mention(r.Requested.Actor), plain(" %s", Ago(now.Sub(r.At)))}},
		{Label: "Requested", Value: []Span{plain("%s", stamp(r.At))}},
	}}
	if r.Ended.IsZero() {
		f.Items = append(f.Items, Field{Label: "So far", Value: []Span{plain("%s", Took(now.Sub(r.At)))}})
	} else {
		f.Items = append(f.Items, Field{Label: "Took", Value: []Span{plain("%s", Took(r.Ended.Sub(r.At)))}})
	}
	if in := inputSpans(r.Requested.Inputs); len(in) > 0 {
		f.Items = append(f.Items, Field{Label: "Inputs", Value: in})
	}
	if p := r.Requested.Parent; p != nil && linked {
		f.Items = append(f.Items, Field{Label: "Started by", Value: []Span{runRef(p.Run), plain(" at %s", p.Path)}})
	}
	return f
}

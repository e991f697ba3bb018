package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// Fields of the forms of a gate.
const (
	reasonField = "reason"
	wavesField  = "waves"
	nodesField  = "nodes"
	untilField  = "until"
)

// denyForm asks why somebody says no.
func denyForm(run *engine.Run, a *engine.Approval) *Form {
	value := join(string(run.ID), a.Button())
	return &Form{
		Kind: FormDeny, State: value, Title: "Deny", Submit: "Deny",
		Above:  []Block{gateLine(run, a)},
		Fields: []FormField{{ID: reasonField, Label: "Why", Kind: FieldLong, Required: true, Hint: "Everybody in the thread reads it, and it is kept."}},
		Again:  Button{Label: "Deny", Style: StyleDanger, Action: ActionDeny, Value: value},
	}
}

// gateLine says which gate a form is about.
func gateLine(run *engine.Run, a *engine.Approval) Text {
	spans := []Span{plain("Gate %s.%d of ", run.ID.Short(), a.Number), bold(run.Requested.Playbook.Name)}
	if s := run.Steps[a.Path]; s != nil {
		spans = append(spans, plain(": "), outside(short(s.Description, 200)))
	}
	spans = append(spans, plain("%s", strings.TrimSuffix(WhichWaves(a), ",")))
	if len(a.Nodes) > 0 {
		spans = append(spans, plain(" on %s, ", plural(len(a.Nodes), "node")), outside(short(strings.Join(a.Nodes, ", "), 200)))
	}
	return paragraph(append(spans, plain("."))...)
}

// approveForm asks what a yes needs beside the press of a button: a reason, or for how much it is.
func approveForm(run *engine.Run, a *engine.Approval, action Action) *Form {
	f := &Form{
		Kind: FormApprove, State: join(string(run.ID), a.Button(), string(action)), Title: "Approve", Submit: "Approve",
		Above: []Block{gateLine(run, a)},
		Again: Button{Label: "Approve", Style: StylePrimary, Action: action, Value: join(string(run.ID), a.Button())},
	}
	switch action { //nolint:exhaustive // the others are not about gates
	case ActionRest:
		f.Title = "Approve the rest"
	case ActionFirst:
		f.Title = "Approve one wave"
	case ActionLess:
		f.Title = "Approve with less"
		f.Above = append(f.Above, say("Give at least one of these. The run asks again for the rest."))
		f.Fields = lessFields(a)
	}
	reason := FormField{ID: reasonField, Label: "Why", Kind: FieldLong, Required: a.WantsReason(true), Hint: "Everybody in the thread reads it, and it is kept."}
	f.Fields = append(f.Fields, reason)
	return f
}

// lessFields are the ways in which a yes can be for less than a gate asks for.
func lessFields(a *engine.Approval) []FormField {
	var out []FormField
	if len(a.Waves) > 1 {
		out = append(out, FormField{ID: wavesField, Label: "Waves", Kind: FieldWhole, Hint: fmt.Sprintf("So many and no more; it asks for %d.", len(a.Waves))})
	}
	if len(a.Waves) > 0 && len(a.Nodes) > 1 {
		out = append(out, FormField{ID: nodesField, Label: "Nodes", Kind: FieldWhole, Hint: fmt.Sprintf("So many and no more; it asks for %d.", len(a.Nodes))})
	}
	return append(out, FormField{ID: untilField, Label: "Until", Kind: FieldMoment, Hint: "Nothing begins from then on."})
}

// pressNeedsForm is the form that a press at a gate opens before it counts; nil when it counts as it is.
func pressNeedsForm(run *engine.Run, a *engine.Approval, p Press) *Form {
	switch {
	case p.Action == ActionLess:
		return approveForm(run, a, p.Action)
	case strings.TrimSpace(p.Reason) != "", p.Origin == engine.OriginTerminal:
		return nil
	case p.Action == ActionDeny:
		return denyForm(run, a)
	case a.WantsReason(true):
		return approveForm(run, a, p.Action)
	}
	return nil
}

// askWhy asks for what a decision lacks, unless it would not count anyway.
func (c *Commands) askWhy(ctx context.Context, who engine.Actor, run *engine.Run, a *engine.Approval, f *Form) (Reply, error) {
	err := c.engine.MayDecide(ctx, engine.Decision{Run: run.ID, Approval: a.Approval, Actor: who}, f.Kind == FormApprove)
	if err != nil {
		return Reply{}, &runError{run: run.ID, err: err}
	}
	return sayWhy(run, a, f), nil
}

// sayWhy answers a decision that lacks something, where no form can be opened.
func sayWhy(run *engine.Run, a *engine.Approval, f *Form) Reply {
	verb := "approve"
	if f.Kind == FormDeny {
		verb = "deny"
	}
	line := fmt.Sprintf("/playbook %s %s.%d", verb, run.ID.Short(), a.Number)
	if strings.HasSuffix(f.State, valueSeparator+string(ActionRest)) {
		line += " --rest"
	}
	words := []Span{plain("Nothing was decided yet: say why. "), code(line + " REASON"), plain(" does that.")}
	if strings.HasSuffix(f.State, valueSeparator+string(ActionLess)) {
		words = []Span{plain("Nothing was decided yet: say for how much. "), code(line + " first-wave"), plain(", "), code("nodes=1"), plain(" or "), code("until=15:00"), plain(" do that.")}
	}
	return asking(Reply{Private: true, Code: engine.CodeInvalid, Run: run.ID, Blocks: []Block{paragraph(words...)}}, f)
}

// gateIn is the gate that a form is about, while it waits.
func (c *Commands) gateIn(ctx context.Context, s Submission, n int) (*engine.Run, *engine.Approval, []string, error) {
	parts, ok := taken(s.State, n)
	if !ok {
		return nil, nil, nil, staleForm()
	}
	run, err := c.loadVisible(ctx, s.Actor, engine.RunID(parts[0]))
	if err != nil {
		return nil, nil, nil, err
	}
	a, counts := run.Pressed(parts[1])
	if a == nil {
		return nil, nil, nil, staleForm()
	}
	if err := pending(run, a); err != nil || counts {
		return run, a, parts, err
	}
	return run, a, parts, reissued(run, a)
}

func (c *Commands) submitDeny(ctx context.Context, s Submission) (Reply, error) {
	run, a, _, err := c.gateIn(ctx, s, 2)
	if err != nil {
		return Reply{Run: runOf(run)}, err
	}
	f := denyForm(run, a)
	reason := strings.TrimSpace(s.first(reasonField))
	if reason == "" {
		f.Fields[0].Error = "Say why."
		return sayWhy(run, a, f), nil
	}
	f.Fields[0].Initial = cutText(reason)
	r, err := c.denied(ctx, engine.Decision{Run: run.ID, Approval: a.Approval, Actor: s.Actor, Reason: reason})
	return c.orAskAgain(ctx, s.Key, r, err, f)
}

func (c *Commands) submitApprove(ctx context.Context, s Submission) (Reply, error) {
	run, a, parts, err := c.gateIn(ctx, s, 3)
	if err != nil {
		return Reply{Run: runOf(run)}, err
	}
	action := Action(parts[2])
	f := approveForm(run, a, action)
	d := engine.Decision{Run: run.ID, Approval: a.Approval, Actor: s.Actor, Reason: strings.TrimSpace(s.first(reasonField))}
	switch action {
	case ActionApprove:
	case ActionRest:
		d.Rest = true
	case ActionFirst:
		d.Limit.Waves = 1
	case ActionLess:
		d.Limit = f.limit(s, a)
	default:
		return Reply{}, staleForm()
	}
	if f.refill(s); f.wrong() {
		return sayWhy(run, a, f), nil
	}
	r, err := c.approved(ctx, d)
	return c.orAskAgain(ctx, s.Key, r, err, f)
}

// limit reads for how much a yes is, and notes beside the fields what is wrong with it.
func (f *Form) limit(s Submission, a *engine.Approval) engine.Limit {
	var l engine.Limit
	for i := range f.Fields {
		field := &f.Fields[i]
		text := s.first(field.ID)
		if text == "" {
			continue
		}
		var err error
		switch field.ID {
		case wavesField:
			l.Waves, err = countUpTo(text, "waves", len(a.Waves))
		case nodesField:
			l.Nodes, err = countUpTo(text, "nodes", len(a.Nodes))
		case untilField:
			l.Until, err = laterThan(text, time.Now())
		}
		if err != nil {
			field.Error = upperFirst(err.Error()) + "."
		}
	}
	if l.IsZero() && !f.wrong() {
		f.Fields[0].Error = "Say for how much you approve; “Approve” approves all that is asked."
	}
	return l
}

func countUpTo(text, what string, most int) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("give 1 to %d %s", most, what)
	}
	return n, nil
}

func laterThan(text string, now time.Time) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time", Clean(short(text, 40)))
	}
	if !t.After(now) {
		return time.Time{}, fmt.Errorf("%s is over already; give a later time", t.UTC().Format("Jan 2 15:04 UTC"))
	}
	return t.UTC(), nil
}

// wrong reports whether something is wrong with a field.
func (f *Form) wrong() bool {
	for _, one := range f.Fields {
		if one.Error != "" {
			return true
		}
	}
	return false
}

// refill keeps what was given, for a form that is shown again.
func (f *Form) refill(s Submission) {
	for i := range f.Fields {
		field := &f.Fields[i]
		if field.Kind == FieldPrivate {
			continue
		}
		if field.Initial = cutText(s.first(field.ID)); field.Required && strings.TrimSpace(field.Initial) == "" {
			field.Error = "It is missing."
		}
	}
}

func cutText(s string) string {
	if in := []rune(s); len(in) > maxInitial {
		return string(in[:maxInitial])
	}
	return s
}

// orAskAgain shows a form again when what was given in it was no good, or could not be written down.
// What is too late, or not for this person, is said instead.
func (c *Commands) orAskAgain(ctx context.Context, key string, r Reply, err error, f *Form) (Reply, error) {
	code := engine.CodeOf(err)
	if err == nil || code != engine.CodeInvalid && code != engine.CodeBusy {
		return r, err
	}
	r = c.refuse(ctx, key, err)
	f.Problem = strings.TrimSpace(r.Text())
	return asking(r, f), nil
}

func runOf(run *engine.Run) engine.RunID {
	if run == nil {
		return ""
	}
	return run.ID
}

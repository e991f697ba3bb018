package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// OptionQuery asks for the options of a field that are looked up.
type OptionQuery struct {
	Actor engine.Actor
	Kind  FormKind
	State string // of the form
	Field string
	Typed string // what somebody has typed so far; may be empty
}

// Found are options, with a word on them, such as how old they are; it may be empty.
type Found struct {
	Options []Option
	Note    string
}

const (
	// maxOptions is how many options a menu shows
	// (https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element).
	maxOptions = 100
	// nothingFound is the value of an option that only says something; choosing it gives nothing.
	nothingFound = "#?"
	// staleAfter is the age at which a menu says how old its values are.
	staleAfter = 2 * time.Minute
)

// Options answers from memory. Only who asks may be looked up, for a second at most.
func (c *Commands) Options(ctx context.Context, q OptionQuery) Found {
	if err := c.admit(ctx, q.Actor, "choose"); err != nil {
		return told(err.Error())
	}
	switch q.Kind {
	case FormChoose:
		return c.bookOptions(q)
	case FormRun:
		return c.inputOptions(q)
	case FormDeny, FormApprove, FormSecrets:
	}
	return oldMenu()
}

func oldMenu() Found {
	return told("this form is from another version of playbot; close it, and open it again")
}

// told says something where options would be.
func told(text string) Found {
	return Found{Options: []Option{{Text: short(text, 75), Value: nothingFound}}}
}

// bookOptions are the playbooks that somebody may run.
func (c *Commands) bookOptions(q OptionQuery) Found {
	var all []Option
	for _, b := range c.runnable(q.Actor) {
		o := Option{Text: b.Name, Value: b.Name}
		if b.Description != "" {
			o.Text = Clean(short(b.Name+" — "+b.Description, 75))
		}
		if matches(b.Name+" "+b.Description+" "+strings.Join(b.Tags, " "), q.Typed) {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b Option) int { return rank(a.Value, q.Typed) - rank(b.Value, q.Typed) })
	if len(all) == 0 {
		return told("no playbook that you may run matches")
	}
	return first(all, len(all))
}

// matches reports whether a text holds what was typed.
func matches(text, typed string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(typed)))
}

// rank puts what begins with what was typed in front.
func rank(value, typed string) int {
	if typed = strings.ToLower(strings.TrimSpace(typed)); typed == "" || strings.HasPrefix(strings.ToLower(value), typed) {
		return 0
	}
	return 1
}

// first are the options that fit into a menu.
func first(all []Option, total int) Found {
	if total <= maxOptions {
		return Found{Options: all}
	}
	shown := all[:min(len(all), maxOptions)]
	return Found{Options: shown, Note: fmt.Sprintf("the first %d of %d; type to narrow them down", len(shown), total)}
}

// inputOptions are the values that an input may have, or that its source offers.
func (c *Commands) inputOptions(q OptionQuery) Found {
	state, _ := carried(q.State)
	parts, ok := taken(state, 2)
	if !ok {
		return oldMenu()
	}
	book, err := c.book(q.Actor, parts[0])
	if err != nil {
		return told("this playbook is not there any more")
	}
	if !c.engine.May(q.Actor, policy.Run, book.Name).Allowed {
		return told("you may not run this playbook")
	}
	i := slices.IndexFunc(book.Inputs, func(in playbooks.Input) bool { return fieldID(in.Name) == q.Field })
	if i < 0 {
		return told("the playbook has changed; close this form, and open it again")
	}
	in := book.Inputs[i]
	if values := allowed(in); values != nil {
		found := matching(values, q.Typed, false)
		if len(found) == 0 {
			return told("none of the values that are allowed matches")
		}
		return first(found, len(found))
	}
	if in.Choices == nil { // as one of a playbook that has changed
		return told("there is nothing to choose from; close this form, and open it again")
	}
	known := c.engine.Choices(book, in.Name)
	return offered(known, q.Typed, time.Now())
}

// offered are the values that a source offers. They limit nothing, so that what was typed is offered too.
func offered(known engine.Choices, typed string, now time.Time) Found {
	found := matching(known.Values, typed, true)
	typed = strings.TrimSpace(typed)
	out := first(found, len(found)+known.More)
	if o := optionOf(typed); typed != "" && o.Value == typed && !slices.Contains(known.Values, typed) {
		o.Text = Clean(short(typed, 60)) + " (as typed)" // the last one, so that nobody takes it for one that is offered
		out.Options = append(slices.Clip(out.Options[:min(len(out.Options), maxOptions-1)]), o)
	}
	if why := hedge(known, now); why != "" {
		out.Note = why
	}
	if len(out.Options) > 0 {
		return out
	}
	switch {
	case known.At.IsZero() && known.Err == "" && known.Asking:
		return told("being looked up; look again in a moment, or type a value")
	case out.Note != "":
		return told(out.Note + "; type a value")
	case known.At.IsZero():
		return told("not known yet; type a value, or look again in a moment")
	}
	return told("nothing matches; type a value")
}

// hedge says why the values of a source may not be what it offers now; empty when they are.
func hedge(known engine.Choices, now time.Time) string {
	switch age := now.Sub(known.At); {
	case known.At.IsZero() && known.Err != "":
		return short("cannot be looked up: "+known.Err, 60)
	case known.At.IsZero() && known.Asking:
		return "being looked up"
	case !known.At.IsZero() && age >= staleAfter && known.Err != "":
		return short("as of "+Ago(age)+"; the source does not answer: "+known.Err, 75)
	case !known.At.IsZero() && age >= staleAfter:
		return "as of " + Ago(age) + "; being looked up again"
	}
	return ""
}

// matching are the options among values, those that begin with what was typed in front. selfSaid leaves
// out what an option cannot carry itself.
func matching(values []string, typed string, selfSaid bool) []Option {
	var out []Option
	for _, v := range values {
		if o := optionOf(v); matches(v, typed) && (!selfSaid || o.Value == v) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Option) int { return rank(a.Text, typed) - rank(b.Text, typed) })
	return out
}

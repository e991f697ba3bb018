package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
)

// FormKind says what a form is for.
type FormKind string

// The kinds of forms.
const (
	FormChoose  FormKind = "choose"  // which playbook to run; what it answers is a form of kind run
	FormRun     FormKind = "run"     // the inputs of a playbook
	FormDeny    FormKind = "deny"    // why somebody says no
	FormApprove FormKind = "approve" // why somebody says yes, or to how much
	FormSecrets FormKind = "secrets" // secrets that a restart has lost
)

// Form asks for values. Like a [Reply] it says what to show and not how. What is filled in comes back
// in a [Submission].
type Form struct {
	Kind   FormKind
	State  string // opaque to whoever draws it; comes back as it is
	Title  string // one short line of our own words
	Submit string // what the button says that sends it
	Above  []Block
	Fields []FormField
	// Problem is what is wrong with the whole; empty when nothing is. What is wrong with one field stands there.
	Problem string
	// Place: what comes of it is shown in a channel, so that one is asked for where none is known.
	Place bool
	// Again is the button that opens the form later; without an action there is none.
	Again Button
}

// FieldKind says what a field takes.
type FieldKind string

// The kinds of fields.
const (
	FieldText    FieldKind = "text"    // one line
	FieldLong    FieldKind = "long"    // several lines
	FieldWhole   FieldKind = "whole"   // a whole number
	FieldNumber  FieldKind = "number"  // any number
	FieldPick    FieldKind = "pick"    // one of a few options, all of which are to be seen
	FieldOne     FieldKind = "one"     // one from a menu
	FieldMany    FieldKind = "many"    // any number from a menu
	FieldMoment  FieldKind = "moment"  // a day and a time, in the zone of the person; its value is as in RFC 3339
	FieldPrivate FieldKind = "private" // a secret: nothing that was given for it is ever shown or kept
)

// FormField is one field of a form.
type FormField struct {
	ID       string // at most 200 bytes; unique in the form
	Label    string
	Hint     string // may be empty
	Kind     FieldKind
	Options  []Option // of a pick or a menu
	Lookup   bool     // the options of the menu are asked for while somebody types: see [Commands.Options]
	Initial  string   // of what is typed
	Chosen   []Option // of a pick or a menu
	Required bool
	Error    string // what is wrong with what was given; empty when nothing is
}

// Option is one that can be chosen. Value has 1 to 150 characters.
type Option struct{ Text, Value string }

// Submission is a form that somebody filled in. What was left empty is missing.
type Submission struct {
	Key     string // the identity of the form that was opened: sent twice, it counts once
	Actor   engine.Actor
	Kind    FormKind
	State   string
	Values  map[string][]string // by field
	Private map[string]string   // of the private fields
}

// first is the value of a field; "" when there is none.
func (s Submission) first(field string) string {
	if v := s.Values[field]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Submit answers a form that was filled in. A reply with a form asks again: for what is wrong, which
// stands in the form, or for what comes next. It never fails: what went wrong is in the reply.
func (c *Commands) Submit(ctx context.Context, s Submission) Reply {
	r, err := c.submit(ctx, s)
	if err != nil {
		r = c.refuse(ctx, s.Key, err)
	}
	return r
}

func (c *Commands) submit(ctx context.Context, s Submission) (Reply, error) {
	if err := c.admit(ctx, s.Actor, string(s.Kind)); err != nil {
		return Reply{}, err
	}
	switch s.Kind {
	case FormChoose:
		return c.submitChoice(ctx, s)
	case FormRun:
		return c.submitRun(ctx, s)
	case FormDeny:
		return c.submitDeny(ctx, s)
	case FormApprove:
		return c.submitApprove(ctx, s)
	case FormSecrets:
		return c.submitSecrets(ctx, s)
	}
	return Reply{}, staleForm()
}

// staleForm answers a form that this version of playbot does not know.
func staleForm() error {
	return engine.Errorf(engine.CodeInvalid, "this form is from another version of playbot, and nothing was done; close it, and open it again")
}

// fieldID names the field of something that has a name of any length.
func fieldID(name string) string {
	const most = 200
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "#" + hex.EncodeToString(sum[:])
}

const (
	// maxOptionValue is the longest value of an option, in characters
	// (https://docs.slack.dev/reference/block-kit/composition-objects/option-object).
	maxOptionValue = 150
	// maxInitial is the longest text that a field can begin with, in characters
	// (https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element).
	maxInitial = 3000
)

// optionOf offers a value. One that an option cannot carry is named by its digest.
func optionOf(value string) Option {
	o := Option{Text: Clean(short(value, 75)), Value: value}
	if o.Text == "" {
		o.Text = "(empty)"
	}
	if value == "" || utf8.RuneCountInString(value) > maxOptionValue {
		sum := sha256.Sum256([]byte(value))
		o.Value = "#" + hex.EncodeToString(sum[:])
	}
	return o
}

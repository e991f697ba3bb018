package commands

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// asksFor reports whether a form has a field for an input.
func asksFor(in playbooks.Input) bool { return !in.Dynamic }

// fieldOf is the field of an input, filled in with the first of some values that it can show.
func fieldOf(in playbooks.Input, values ...any) FormField {
	f := FormField{
		ID: fieldID(in.Name), Label: Clean(short(in.Name, 150)), Hint: hintOf(in),
		Required: in.Required && !in.HasDefault && in.Data == "",
	}
	list := in.Type == "Array"
	switch {
	case in.Secret():
		f.Kind = FieldPrivate
		return f
	case in.Type == "Boolean":
		f.Kind, f.Options = FieldPick, yesOrNo(f.Required || in.HasDefault)
	case in.Validation.Choices() != nil || in.Choices != nil:
		f.Kind, f.Lookup = FieldOne, in.Validation.Choices() == nil
		if list {
			f.Kind = FieldMany
		}
		for _, v := range allowed(in) {
			f.Options = append(f.Options, optionOf(v))
		}
	case list:
		f.Kind = FieldLong
	case in.Type == "Integer":
		f.Kind = FieldWhole
	case in.Type == "Float", in.Type == "Numeric":
		f.Kind = FieldNumber
	default:
		f.Kind = FieldText
	}
	for _, v := range values {
		if v != nil && f.begin(in, v) {
			return f
		}
	}
	if n := len(f.Options); f.Kind == FieldPick && f.Options[n-1].Value == notGiven {
		f.Chosen = f.Options[n-1:]
	}
	return f
}

// notGiven is the option of an optional yes or no that gives neither.
const notGiven = "-"

// yesOrNo are the options of a boolean. One that may be left out needs an option for that: what was
// picked once cannot be unpicked.
func yesOrNo(must bool) []Option {
	out := []Option{{Text: "Yes", Value: "true"}, {Text: "No", Value: "false"}}
	if must {
		return out
	}
	return append(out, Option{Text: "Not given", Value: notGiven})
}

// allowed are the values that an input is limited to, as text; nil when it is limited to none.
func allowed(in playbooks.Input) []string {
	var out []string
	for _, v := range in.Validation.Choices() {
		out = append(out, scalar(v))
	}
	return out
}

// scalar writes a value as the raw text that binds to it.
func scalar(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// begin fills a field in with a value, and reports whether the field can show it as it is.
func (f *FormField) begin(in playbooks.Input, v any) bool {
	texts, ok := textsOf(in, v)
	if !ok {
		return false
	}
	switch f.Kind {
	case FieldPick, FieldOne, FieldMany:
		var chosen []Option
		for _, text := range texts {
			o := optionOf(text)
			if f.Kind == FieldPick {
				o = Option{Value: strings.ToLower(text)}
			}
			i := slices.IndexFunc(f.Options, func(have Option) bool { return have.Value == o.Value })
			switch {
			case i >= 0:
				o = f.Options[i]
			case !f.Lookup || o.Value != text: // what is looked up must carry its value itself
				return false
			}
			chosen = append(chosen, o)
		}
		f.Chosen = chosen
		return true
	case FieldText, FieldLong, FieldWhole, FieldNumber, FieldMoment, FieldPrivate:
	}
	text := strings.Join(texts, "\n")
	if utf8.RuneCountInString(text) > maxInitial || Clean(text) != text || !f.numeric(text) {
		return false
	}
	if strings.ContainsRune(text, '\n') && f.Kind == FieldText {
		f.Kind = FieldLong
	}
	f.Initial = text
	return true
}

// numeric reports whether a text may stand in a field: one for numbers begins with no other text.
func (f *FormField) numeric(text string) bool {
	var err error
	switch f.Kind { //nolint:exhaustive // the others take any text
	case FieldWhole:
		_, err = strconv.Atoi(text)
	case FieldNumber:
		var n float64
		if n, err = strconv.ParseFloat(text, 64); math.IsNaN(n) || math.IsInf(n, 0) {
			return false
		}
	}
	return err == nil
}

// textsOf are the texts that bind to a value: one, or one for each item of a list; false when text
// cannot give it, as a list that holds numbers.
func textsOf(in playbooks.Input, v any) ([]string, bool) {
	items, isList := v.([]any)
	if !isList {
		switch v.(type) {
		case string, int, float64, bool:
			return []string{scalar(v)}, true
		}
		return nil, false
	}
	if in.Type != "Array" {
		return nil, false
	}
	menu := in.Validation.Choices() != nil || in.Choices != nil
	var out []string
	for _, item := range items {
		s, isText := item.(string)
		switch {
		case !isText && in.Validation.Choices() != nil:
			s = scalar(item)
		case !isText, !menu && (strings.ContainsAny(s, "\r\n") || strings.TrimSpace(s) != s || s == ""):
			return nil, false
		}
		out = append(out, s)
	}
	return out, len(out) > 0
}

// hintOf says what a field takes, and what it means to leave it empty.
func hintOf(in playbooks.Input) string {
	var parts []string
	if about := strings.Trim(in.Description, ". \n\t"); about != "" {
		parts = append(parts, about)
	}
	if in.Secret() {
		return Clean(short(strings.Join(append(parts,
			"a secret: whoever sees your screen can read it here; playbot uses it and keeps it nowhere"), "; "), 500)) + "."
	}
	if d := in.Validation.Describe(); d != "" && in.Validation.Choices() == nil {
		parts = append(parts, d)
	}
	if in.Type == "Array" && in.Validation.Choices() == nil && in.Choices == nil {
		parts = append(parts, "one in each line")
	}
	switch {
	case in.Data != "":
		parts = append(parts, "empty: read from "+in.Data)
	case in.HasDefault && in.Type != "Boolean" && typed(in.Default) != "[]":
		parts = append(parts, "empty: "+typed(in.Default))
	}
	if len(parts) == 0 {
		return ""
	}
	return upperFirst(Clean(short(strings.Join(parts, "; "), 500))) + "."
}

// value is what was given in the field of an input; false when that is nothing.
func (s Submission) value(in playbooks.Input) (any, bool) {
	given := s.Values[fieldID(in.Name)]
	if len(given) == 0 {
		return nil, false
	}
	if choices := allowed(in); choices != nil {
		given = slices.Clone(given)
		for i, v := range given {
			if at := slices.IndexFunc(choices, func(c string) bool { return optionOf(c).Value == v }); at >= 0 {
				given[i] = choices[at]
			}
		}
	}
	menu := in.Validation.Choices() != nil || in.Choices != nil
	switch {
	case in.Type == "Array" && menu:
		return listOf(given), true
	case in.Type == "Array":
		var items []string
		for line := range strings.Lines(given[0]) {
			if line = strings.TrimSpace(line); line != "" {
				items = append(items, line)
			}
		}
		return listOf(items), len(items) > 0
	case given[0] == nothingFound && in.Choices != nil, given[0] == notGiven && in.Type == "Boolean":
		return nil, false
	}
	return given[0], true
}

func listOf(items []string) []any {
	out := []any{}
	for _, s := range items {
		if s != nothingFound {
			out = append(out, s)
		}
	}
	return out
}

// lastValues are the inputs of a run as far as they may be filled in again: no secret, and nothing that
// a secret was taken out of.
func lastValues(book *playbooks.Playbook, run *engine.Run) map[string]any {
	out := map[string]any{}
	for name, v := range run.Requested.Inputs {
		in, ok := book.Input(name)
		if !ok || in.Secret() || in.Data != "" || in.Dynamic || in.Check(v) != nil {
			continue
		}
		if text, err := json.Marshal(v); err != nil || strings.Contains(string(text), engine.Masked) {
			continue
		}
		out[name] = v
	}
	return out
}

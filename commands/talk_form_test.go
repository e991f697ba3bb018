package commands_test

import (
	"fmt"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// form draws a form, and keeps it to be filled in. One that asks again is the one that was opened.
func (k *talk) form(f *commands.Form) string {
	if f == nil {
		return ""
	}
	if k.anew || k.asks.Kind != f.Kind {
		k.forms++
	}
	k.asks, k.anew = f, false
	var b strings.Builder
	fmt.Fprintf(&b, "    == %s\n", f.Title)
	if f.Problem != "" {
		fmt.Fprintf(&b, "    !! %s\n", strings.ReplaceAll(f.Problem, "\n", "\n    !! "))
	}
	if len(f.Above) > 0 {
		b.WriteString(indent(commands.Reply{Blocks: f.Above}.Text()))
	}
	for _, one := range f.Fields {
		b.WriteString("    " + one.Label + " (" + string(one.Kind))
		if one.Required {
			b.WriteString(", required")
		}
		b.WriteString(")")
		if v := initial(one); v != "" {
			b.WriteString(" = " + strings.ReplaceAll(v, "\n", " ⏎ "))
		}
		if !one.Lookup && len(one.Options) > 0 {
			b.WriteString(" of " + texts(one.Options))
		}
		if one.Hint != "" {
			b.WriteString("  -- " + one.Hint)
		}
		b.WriteString("\n")
		if one.Error != "" {
			b.WriteString("      ^ " + one.Error + "\n")
		}
	}
	fmt.Fprintf(&b, "    == [%s]\n", f.Submit)
	return b.String()
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + strings.TrimRight(line, " \n") + "\n")
	}
	return b.String()
}

func initial(f commands.FormField) string {
	if f.Initial != "" {
		return f.Initial
	}
	return texts(f.Chosen)
}

func texts(options []commands.Option) string {
	out := make([]string, len(options))
	for i, o := range options {
		out[i] = o.Text
	}
	return strings.Join(out, ", ")
}

// fill sends the latest form. NAME= empties a field, and NAME given twice gives both.
func (k *talk) fill(who engine.Actor, text string) string {
	k.t.Helper()
	f := k.asks
	s := commands.Submission{
		Key: fmt.Sprintf("form/%d", k.forms), Actor: who, Kind: f.Kind, State: f.State,
		Values: map[string][]string{}, Private: map[string]string{},
	}
	private := map[string]bool{}
	for _, one := range f.Fields {
		private[one.ID] = one.Kind == commands.FieldPrivate
		if one.Initial != "" {
			s.Values[one.ID] = []string{one.Initial}
		}
		for _, o := range one.Chosen {
			s.Values[one.ID] = append(s.Values[one.ID], o.Value)
		}
	}
	if text == "again" {
		return k.answer(k.commands.Submit(k.t.Context(), k.sent))
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, " | ") {
		name, value, ok := strings.Cut(part, "=")
		value = strings.ReplaceAll(value, "⏎", "\n")
		switch {
		case !ok:
		case private[name]:
			s.Private[name] = value
		case value == "":
			delete(s.Values, name)
		case seen[name]:
			s.Values[name] = append(s.Values[name], value)
		default:
			s.Values[name] = []string{value}
		}
		seen[name] = true
	}
	k.sent = s
	return k.answer(k.commands.Submit(k.t.Context(), s))
}

func (k *talk) lookUp(who engine.Actor, field, typed string) string {
	k.t.Helper()
	found := k.commands.Options(k.t.Context(), commands.OptionQuery{Actor: who, Kind: k.asks.Kind, State: k.asks.State, Field: field, Typed: typed})
	out := "    "
	if found.Note != "" {
		out += "(" + found.Note + ") "
	}
	return out + texts(found.Options) + "\n"
}

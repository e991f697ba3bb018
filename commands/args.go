package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// args is what follows a verb.
type args struct {
	words []word          // bare ones
	sets  []word          // name=value
	flags map[string]word // by name
}

// readArgs sorts the words behind a verb. A flag that takes a value takes the next word when it has none of its own.
func readArgs(in []word, v verb) (args, error) {
	out := args{flags: map[string]word{}}
	for i := 0; i < len(in); i++ {
		w := in[i]
		switch w.kind {
		case bareWord:
			out.words = append(out.words, w)
			continue
		case assignment:
			out.sets = append(out.sets, w)
			continue
		case flagWord:
		}
		f, ok := v.flag(w.name)
		if !ok {
			return out, wrong(w.col, "%s", unknownFlag(w.name, v))
		}
		if _, twice := out.flags[w.name]; twice {
			return out, wrong(w.col, "--%s is given twice; give it once", w.name)
		}
		if f.value != "" && !w.given {
			if i+1 >= len(in) || in[i+1].kind == flagWord {
				return out, wrong(w.col, "--%s needs a value; write --%s %s", w.name, w.name, f.value)
			}
			i++
			w.value, w.given = in[i].value, true
			if in[i].kind == assignment {
				w.value.text = in[i].String()
			}
		}
		if f.value == "" && w.given {
			return out, wrong(w.col, "--%s takes no value; leave the value out", w.name)
		}
		out.flags[w.name] = w
	}
	return out, nil
}

// flagged are the flags in the order of their names.
func (a args) flagged() []word {
	out := make([]word, 0, len(a.flags))
	for _, name := range slices.Sorted(maps.Keys(a.flags)) {
		out = append(out, a.flags[name])
	}
	return out
}

func unknownFlag(name string, v verb) string {
	known := make([]string, 0, len(v.flags))
	for _, f := range v.flags {
		known = append(known, f.name)
	}
	if near := playbooks.Nearest(name, known); near != "" {
		return fmt.Sprintf("%s has no flag --%s; did you mean --%s?", v.name, name, near)
	}
	if len(known) == 0 {
		return fmt.Sprintf("%s takes no flags; leave --%s out", v.name, name)
	}
	return fmt.Sprintf("%s has no flag --%s; it has --%s", v.name, name, strings.Join(known, ", --"))
}

// flag returns the text of a flag, and whether it was given.
func (a args) flag(name string) (string, bool) {
	w, ok := a.flags[name]
	return w.value.text, ok
}

// only refuses what a verb has no use for: assignments, and words beyond n.
func (a args) only(n int, v verb) error {
	if len(a.sets) > 0 {
		return wrong(a.sets[0].col, "%s takes no %s=…; it is written: %s", v.name, a.sets[0].name, v.form)
	}
	if len(a.words) > n {
		return wrong(a.words[n].col, "%q is one word too many; it is written: %s", a.words[n].value.text, v.form)
	}
	return nil
}

// name is the first word, which names something; empty when there is none.
func (a args) name() (string, error) {
	if len(a.words) == 0 {
		return "", nil
	}
	return a.words[0].called()
}

// rest joins the words from n on, for reasons that people write without quotes.
func (a args) rest(n int) string {
	var out []string
	for _, w := range a.words[min(n, len(a.words)):] {
		out = append(out, w.value.text)
	}
	return strings.Join(out, " ")
}

// inputs are the assignments as values for a playbook, which decides whether a comma makes a list.
func (a args) inputs(book *playbooks.Playbook) (map[string]any, error) {
	given := map[string]any{}
	for _, w := range a.sets {
		in, _ := book.Input(w.name)
		v, err := w.input(in.Type == "Array")
		if err != nil {
			return nil, err
		}
		before, twice := given[w.name]
		switch {
		case twice && in.Type != "Array":
			return nil, wrong(w.col, "input %q is given twice; give it once", w.name)
		case twice:
			v = append(slices.Clip(before.([]any)), v.([]any)...) //nolint:forcetypeassert // both are of an Array input: see word.input
		}
		given[w.name] = v
	}
	return given, nil
}

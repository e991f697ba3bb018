package ddl

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// Flaw is what is wrong with what an action is given.
type Flaw struct {
	Input   string // the input, as it was written
	Message string
	Remedy  string
}

// Bind checks what an action is given, converts it, and adds defaults. Nothing, as an input without a
// value gives, counts as left out. Later names inputs whose values are not known yet: they are neither
// missing nor checked. The flaws come in the order of their names; with any, values are not to be sent.
func (a *Action) Bind(given map[string]any, later ...string) (values map[string]any, flaws []Flaw) {
	values = make(map[string]any, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		in, known := a.Inputs[name]
		if !known {
			flaws = append(flaws, a.unknown(name))
			continue
		}
		if given[name] == nil {
			continue
		}
		v, err := in.convert(given[name])
		if err != nil {
			message, remedy, _ := strings.Cut(err.Error(), "; ")
			flaws = append(flaws, Flaw{name, fmt.Sprintf("input %s of %s.%s: %s", name, a.Agent, a.Name, message), remedy})
			continue
		}
		values[name] = v
	}
	for _, name := range later {
		if a.Inputs[name] == nil {
			flaws = append(flaws, a.unknown(name))
		}
	}
	return values, append(flaws, a.rest(given, values, later)...)
}

// rest adds defaults for what was left out, and says what must not be.
func (a *Action) rest(given, values map[string]any, later []string) (flaws []Flaw) {
	for _, name := range a.InputNames() {
		in := a.Inputs[name]
		switch {
		case given[name] != nil || slices.Contains(later, name):
		case in.Default != nil:
			values[name] = in.Default
		case !in.Optional:
			remedy := "add " + name + ": …"
			if in.Description != "" {
				remedy += " (" + in.Description + ")"
			}
			flaws = append(flaws, Flaw{name, fmt.Sprintf("input %s of %s.%s is missing", name, a.Agent, a.Name), remedy})
		}
	}
	return flaws
}

func (a *Action) unknown(name string) Flaw {
	f := Flaw{Input: name, Message: fmt.Sprintf("%s.%s has no input %s", a.Agent, a.Name, quote(name))}
	switch names := a.InputNames(); {
	case len(names) == 0:
		f.Remedy = "leave it out: the action takes none"
	case playbooks.Nearest(name, names) != "":
		f.Remedy = fmt.Sprintf("did you mean %q?", playbooks.Nearest(name, names))
	default:
		f.Remedy = "it has: " + strings.Join(names, ", ")
	}
	return f
}

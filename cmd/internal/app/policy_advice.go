package app

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// PolicyAdvice says what nobody can have meant in a policy that can be read: bounds that let nobody do what
// their role is for. Books are those of the configuration.
func (c *Config) PolicyAdvice(books []*playbooks.Playbook) []*playbooks.Problem {
	var out []*playbooks.Problem
	for _, name := range sortedKeys(c.Policy.Roles) {
		role := c.Policy.Roles[name]
		note := func(at playbooks.Pos, remedy, format string, args ...any) {
			out = append(out, &playbooks.Problem{File: c.file, Pos: at, Message: fmt.Sprintf("role %q: ", name) + fmt.Sprintf(format, args...), Remedy: remedy, Warning: true})
		}
		mine := matching(books, role.Playbooks)
		if len(books) > 0 && len(role.Playbooks) > 0 && len(mine) == 0 {
			note(role.Pos, "correct the patterns", "%s matches no playbook", strings.Join(role.Playbooks, ", "))
		}
		if len(role.Members)+len(role.Groups) == 0 {
			note(role.Pos, "add ids to its members, or remove it", "nobody has it")
		}
		for _, input := range sortedKeys(role.Inputs) {
			for _, b := range mine {
				if why := unmet(b, input, role.Inputs[input]); why != "" {
					note(role.inputs[input], "give the playbook a role without that bound, or correct the bound", "of %s it allows nothing but to view: %s", b.Name, why)
				}
			}
		}
	}
	return out
}

// unmet says why no run of a playbook can be within a bound; empty when one can.
func unmet(b *playbooks.Playbook, input string, allowed policy.Values) string {
	in, ok := b.Input(input)
	switch {
	case !ok:
		var names []string
		for _, in := range b.Inputs {
			names = append(names, in.Name)
		}
		if near := playbooks.Nearest(input, names); near != "" {
			return fmt.Sprintf("it has no input %q, but %q", input, near)
		}
		return fmt.Sprintf("it has no input %q", input)
	case in.Secret():
		return fmt.Sprintf("its input %q is a secret, of which no rule is told", input)
	case in.Dynamic:
		return fmt.Sprintf("its input %q is read when it is used, and not known before", input)
	}
	choices := in.Validation.Choices()
	if len(choices) > 0 && !slices.ContainsFunc(choices, allowed.Allow) {
		return fmt.Sprintf("its input %q is never %s", input, allowed)
	}
	return ""
}

func matching(books []*playbooks.Playbook, patterns []string) []*playbooks.Playbook {
	return slices.DeleteFunc(slices.Clone(books), func(b *playbooks.Playbook) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool {
			ok, err := path.Match(p, b.Name)
			return ok && err == nil
		})
	})
}

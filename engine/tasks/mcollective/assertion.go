package mcollective

import (
	"github.com/playbot/playbot/engine/tasks/mcollective/jgrep"
	"github.com/playbot/playbot/playbooks"
)

// assertion reads the property `assert`; nil when there is none. Somebody who types a value must not
// change what is compared: with values in it, an assertion compares the same as with a plain word in
// the place of each. One that is a template and nothing else is what its value says.
func assertion(p *playbooks.Properties) *jgrep.Expression {
	text := p.Text("assert", "")
	if text == "" {
		return nil
	}
	e, err := jgrep.Parse(text)
	if err != nil {
		p.Problem("assert", "the assertion cannot be read: %v", err)
		return nil
	}
	plain, mixed := p.Source("assert").Filled("x")
	if !mixed {
		return e
	}
	if written, err := jgrep.Parse(plain); err != nil || written.Shape() != e.Shape() {
		p.Remedy("assert", `give values only, and put those with blanks in quotes, as in name="{{ … }}"`,
			"the value of a template would become a part of the comparison in %q", text)
		return nil
	}
	return e
}

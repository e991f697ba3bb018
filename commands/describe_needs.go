package commands

import (
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// inputFields are what a person gives, and what is read from elsewhere.
func inputFields(book *playbooks.Playbook) Fields {
	var out Fields
	for _, in := range book.Inputs {
		about := "(" + strings.Join(inputFacts(in), ", ") + ")"
		out.Items = append(out.Items, Field{Label: in.Name, Value: []Span{outside(strings.TrimSpace(in.Description + " " + about))}})
	}
	return out
}

func inputFacts(in playbooks.Input) []string {
	about := []string{in.Type}
	if in.Secret() {
		about[0] = "secret, asked for"
	}
	switch {
	case in.Dynamic && in.Data != "":
		about = append(about, "always read from "+in.Data)
	case in.Data != "":
		about = append(about, "read from "+in.Data+" unless given")
	case in.Required && !in.HasDefault:
		about = append(about, "required")
	}
	if in.Save {
		about = append(about, "kept there when given")
	}
	if in.Secret() {
		about = append(about, "used and never kept")
	}
	if d := in.Validation.Describe(); d != "" {
		about = append(about, d)
	}
	if c := in.Choices; c != nil {
		switch {
		case c.Store != "":
			about = append(about, "choices from "+c.Store)
		case c.Nodes != "":
			about = append(about, "choices: the nodes "+c.Nodes)
		default:
			about = append(about, "choices from a command")
		}
	}
	if in.HasDefault {
		about = append(about, "default "+typed(in.Default))
	}
	return about
}

// nodeFields are the node sets, with how many nodes each must and may have.
func nodeFields(book *playbooks.Playbook) Fields {
	var out Fields
	for i := range book.NodeSets {
		n := &book.NodeSets[i]
		text := n.Type
		switch least := n.AtLeast.Source(); {
		case least != "" && least != "0":
			text += ", at least " + least
		case least == "" && !n.EmptyOK:
			text += ", at least 1"
		default:
			text += ", may be empty"
		}
		if n.AtMost.Source() != "" {
			text += ", at most " + n.AtMost.Source()
		}
		if n.Limit.Source() != "" {
			text += ", the first " + n.Limit.Source()
		}
		switch test := n.Test.Source(); test {
		case "true", "yes", "Yes", "YES", "on", "On", "ON":
			text += ", all must answer first"
		case "", "false", "no", "No", "NO", "off", "Off", "OFF":
		default:
			text += ", all must answer first if " + test
		}
		if len(n.Uses) > 0 {
			text += ", uses " + strings.Join(n.Uses, ", ")
		}
		out.Items = append(out.Items, Field{Label: n.Name, Value: []Span{outside(text)}})
	}
	return out
}

// sources are values as they were written, in one line.
func sources(list []playbooks.Value) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = v.Source()
	}
	return strings.Join(texts, ", ")
}

// duration is a duration as people say it, or the template that gives one; empty when there is none.
func duration(v playbooks.Value) string {
	source := v.Source()
	if d, err := playbooks.ParseDuration(source); err == nil {
		return Took(d)
	}
	return source
}

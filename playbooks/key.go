package playbooks

// Key describes one property that a task type, node set or data store reads. The JSON Schema, the
// reference pages and suggestions are made from it; a test holds it against what Decode reads.
type Key struct {
	Name     string
	Kind     Kind
	Required bool
	Default  string   // as written in a playbook; empty: none
	Doc      string   // what it does and in which unit: one sentence or two, Markdown
	Choices  []string // the only values, when there are few
}

// Kind is the form of a property's value; a template that renders to it is always accepted too.
type Kind string

// The kinds.
const (
	KindText       Kind = "text"
	KindBool       Kind = "true or false"
	KindInt        Kind = "whole number"
	KindNumber     Kind = "number"
	KindShare      Kind = "number or percentage"
	KindDuration   Kind = "duration"
	KindTexts      Kind = "list of text"
	KindList       Kind = "list"
	KindMap        Kind = "mapping"
	KindTextMap    Kind = "mapping of text"
	KindExpression Kind = "expression"
	KindCommand    Kind = "command" // text for a shell, or a list that no shell sees
	KindTasks      Kind = "list of tasks"
	KindAny        Kind = "any value"
)

package commands

import (
	"strings"

	"github.com/playbot/playbot/engine"
)

type wordKind int

const (
	bareWord wordKind = iota
	assignment
	flagWord
)

// word is a word of a line: a bare one, name=value, or --name[=value].
type word struct {
	kind  wordKind
	col   int
	name  string // of an assignment or flag
	value value
	given bool // the flag was written with a value
}

// value is what was written, still without a type: whether a comma makes a list depends on who asks.
type value struct {
	text   string
	items  []string // text at its unquoted commas
	quoted bool     // somewhere in it
	hidden int      // column of the first invisible character; zero when there is none
	refs   []ref
	isJSON bool
	data   any // of JSON
}

// String is the word as text, without its quotes.
func (w word) String() string {
	switch {
	case w.kind == flagWord && w.given:
		return "--" + w.name + "=" + w.value.text
	case w.kind == flagWord:
		return "--" + w.name
	case w.kind == assignment && w.value.isJSON:
		return w.name + ":=" + w.value.text
	case w.kind == assignment:
		return w.name + "=" + w.value.text
	default:
		return w.value.text
	}
}

// addresses reports whether a word at the beginning only says whom the line is for.
func (w word) addresses() bool {
	mentioned := len(w.value.refs) == 1 && w.value.refs[0].kind == refUser && w.value.refs[0].id == w.value.text
	return w.kind == bareWord && (mentioned || w.value.text == "/playbook")
}

// called is the word as the name of something. Two names that look the same must be the same.
func (w word) called() (string, error) {
	if w.value.hidden > 0 {
		return w.value.text, wrong(w.value.hidden, "there is an invisible character in the name; type the name again")
	}
	return w.value.text, nil
}

// input is the value of an assignment.
func (w word) input(list bool) (any, error) {
	v := w.value
	if v.hidden > 0 && !v.quoted {
		return nil, wrong(v.hidden, "there is an invisible character in the value of %q; type it again, or put it into quotes if it is meant", w.name)
	}
	if !list {
		if v.isJSON {
			return v.data, nil
		}
		return v.text, nil
	}
	if v.isJSON {
		if items, ok := v.data.([]any); ok {
			return items, nil
		}
		return []any{v.data}, nil
	}
	items := make([]any, len(v.items))
	for i, s := range v.items {
		items[i] = s
	}
	return items, nil
}

// person is who a word names: a mention, "me", or an id.
func (w word) person(asker engine.Actor) string {
	if len(w.value.refs) > 0 && w.value.refs[0].kind == refUser {
		return w.value.refs[0].id
	}
	if strings.EqualFold(w.value.text, "me") {
		return asker.User
	}
	return strings.TrimPrefix(w.value.text, "@")
}

// quoted is the word as it can be typed again.
func (w word) quoted() string {
	switch {
	case w.value.isJSON:
		return w.String()
	case w.kind == assignment && len(w.value.items) > 1:
		items := make([]string, len(w.value.items))
		for i, s := range w.value.items {
			items[i] = Quote(s)
		}
		return w.name + "=" + strings.Join(items, ",")
	case w.kind == assignment:
		return w.name + "=" + Quote(w.value.text)
	case w.kind == flagWord && w.given:
		return "--" + w.name + "=" + Quote(w.value.text)
	case w.kind == flagWord:
		return "--" + w.name
	}
	return Quote(w.value.text)
}

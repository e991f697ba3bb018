package commands

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text draws the reply for a terminal. It is never empty and ends with a line end. Buttons are left
// out: a terminal has nothing to press. They have commands, all but those of an attempt that was
// cut off, which whoever has a terminal asks about by itself.
func (r Reply) Text() string {
	var b strings.Builder
	if r.Title != "" {
		b.WriteString(r.Title + "\n")
	}
	for _, block := range r.Blocks {
		switch t := block.(type) {
		case Text:
			b.WriteString(line(t.Spans) + "\n")
		case Context:
			b.WriteString(line(t.Spans) + "\n")
		case Fields:
			writeFields(&b, t)
		case List:
			writeList(&b, t)
		case Preformatted:
			b.WriteString("    " + strings.ReplaceAll(strings.TrimRight(Clean(t.Text), "\n"), "\n", "\n    ") + "\n")
		case Buttons:
		}
	}
	if b.Len() == 0 {
		return "Nothing to show.\n"
	}
	return b.String()
}

func writeFields(b *strings.Builder, f Fields) {
	width := 0
	for _, i := range f.Items {
		width = max(width, utf8.RuneCountInString(i.Label))
	}
	for _, i := range f.Items {
		fmt.Fprintf(b, "  %-*s  %s\n", width, i.Label, line(i.Value))
	}
}

func writeList(b *strings.Builder, l List) {
	for i, item := range l.Items {
		mark := "•"
		if l.Ordered {
			mark = fmt.Sprintf("%d.", i+1)
		}
		fmt.Fprintf(b, "  %s %s\n", mark, line(item))
	}
}

func line(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Kind {
		case Mention:
			b.WriteString("@" + s.Text)
		case Code:
			b.WriteString(typedInto(s.Text, len(spans) > 1))
		case Plain, Bold, Outside, RunRef:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// typedInto sets what can be typed off from the words around it: a terminal has no other face for it. A
// whole command needs no marks.
func typedInto(text string, inSentence bool) string {
	command := strings.HasPrefix(text, "/playbook ") || strings.HasPrefix(text, "playbot ")
	if !inSentence || command || strings.Contains(text, "`") {
		return text
	}
	return "`" + text + "`"
}

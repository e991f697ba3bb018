package commands

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/playbot/playbot/engine"
)

func plain(format string, args ...any) Span {
	return Span{Kind: Plain, Text: fmt.Sprintf(format, args...)}
}

func bold(text string) Span { return Span{Kind: Bold, Text: text} }

// code shows something that people type.
func code(text string) Span { return Span{Kind: Code, Text: Clean(text)} }

// outside shows text that nobody here wrote.
func outside(text string) Span { return Span{Kind: Outside, Text: Clean(text)} }

func mention(a engine.Actor) Span { return Span{Kind: Mention, Text: Clean(a.Label()), Actor: a} }

func runRef(id engine.RunID) Span { return Span{Kind: RunRef, Text: id.Short(), Run: id} }

func paragraph(spans ...Span) Text { return Text{Spans: spans} }

// say is a paragraph of our own words.
func say(format string, args ...any) Text { return paragraph(plain(format, args...)) }

// Clean makes text fit to be shown: control characters and those that change the direction of what
// follows become visible, so that nothing hides or reorders its neighbours. Line ends and tabs stay.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// short cuts text to n characters and one line.
func short(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if in := []rune(text); len(in) > n {
		return string(in[:n-1]) + "…"
	}
	return text
}

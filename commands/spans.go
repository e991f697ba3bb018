package commands

import (
	"fmt"
	"regexp"
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

// sentence shows an error sentence of ours, in which what people can type stands in backticks. Text from
// outside may be quoted in it: both kinds of spans show that letter by letter, whichever it gets into.
func sentence(text string) []Span {
	var out []Span
	rest := 0
	for _, at := range inBackticks().FindAllStringIndex(text, -1) {
		if at[0] > rest {
			out = append(out, outside(text[rest:at[0]]))
		}
		out = append(out, code(text[at[0]+1:at[1]-1]))
		rest = at[1]
	}
	if rest < len(text) || len(out) == 0 {
		out = append(out, outside(text[rest:]))
	}
	return out
}

// inBackticks matches a command or a name in backticks, and not what stands between two backticks of a
// list of forbidden characters.
func inBackticks() *regexp.Regexp {
	return regexp.MustCompile("`[a-zA-Z](?:[^`\\n]{0,200}[^`\\s])?`")
}

func mention(a engine.Actor) Span { return Span{Kind: Mention, Text: Clean(a.Label()), Actor: a} }

func runRef(id engine.RunID) Span { return Span{Kind: RunRef, Text: id.Short(), Run: id} }

func paragraph(spans ...Span) Text { return Text{Spans: spans} }

// say is a paragraph of our own words.
func say(format string, args ...any) Text { return paragraph(plain(format, args...)) }

// Clean makes text fit to be shown: control characters, those that nobody sees and those that change the
// direction of what follows become visible, so that nothing hides, reorders or breaks off its neighbours.
// Line ends and tabs stay, and so do the joiners of scripts and emoji.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == zeroWidthJoiner || r == zeroWidthNonJoiner:
			return r
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// short cuts text to n characters and one line.
func short(text string, n int) string {
	text = strings.Join(strings.Fields(text), " ")
	if in := []rune(text); len(in) > n {
		return string(in[:n-1]) + "…"
	}
	return text
}

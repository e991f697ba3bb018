package commands

import (
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/playbot/playbot/engine"
)

// FuzzParse reads anything: it never panics, and what it read can be written so that it is read
// back as the same, at a terminal and in a chat client, which escapes what people type.
func FuzzParse(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.line, true)
	}
	f.Add("`a`\"b\u201c,c` `d", false)
	f.Fuzz(func(t *testing.T, line string, chat bool) {
		origin := engine.OriginTerminal
		if chat {
			origin = engine.OriginTyped
		}
		words, err := parse(line, origin)
		if err != nil {
			if text := err.Error(); text == "" || strings.ContainsRune(text, '\x1b') {
				t.Fatalf("%q is refused with %q", line, text)
			}
			return
		}
		said := again("run", words)
		if len([]rune(said)) > maxLine {
			return
		}
		want := meaning(words)
		for _, back := range []struct {
			line   string
			origin engine.Origin
		}{{said, engine.OriginTerminal}, {escaper().Replace(said), engine.OriginTyped}} {
			if len([]rune(back.line)) > maxLine {
				continue
			}
			got, err := parse(back.line, back.origin)
			if err != nil {
				t.Fatalf("%q was read as %v and written as %q, which is refused: %v", line, want, back.line, err)
			}
			if got := meaning(got[1:]); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q was read as %q and written as %q, which is read as %q", line, want, back.line, got)
			}
		}
	})
}

// escaper is what chat clients do to what people type.
func escaper() *strings.Replacer { return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;") }

// meaning is what matters of words: their kinds, names, texts, and the items of an assignment.
func meaning(words []word) []any {
	out := []any{}
	for _, w := range words {
		one := []any{w.kind, w.name, w.value.text}
		switch {
		case w.value.isJSON:
			one[2] = w.value.data
		case w.kind == assignment:
			one = append(one, w.value.items)
		}
		out = append(out, one)
	}
	return out
}

// FuzzQuote writes any value so that it is read back as it is.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a b", `"`, `\`, `\"`, "'", "`", "\u201ca\u201d", "\u2014x", "-", "a,b", "a=b", "<@U1>", "&lt;", "\n", "\u200b", "#x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		strange := func(r rune) bool {
			return r != '\n' && r != '\t' && r != '\r' && r != ' ' && (unicode.IsControl(r) || unicode.IsSpace(r)) || r == unicode.ReplacementChar
		}
		if len(s) > maxLine/4 || strings.ContainsFunc(s, strange) {
			return // refused or made a blank when it arrives
		}
		for text, origin := range map[string]engine.Origin{
			"k=" + Quote(s):                    engine.OriginTerminal,
			"k=" + escaper().Replace(Quote(s)): engine.OriginTyped,
		} {
			words, err := parse(text, origin)
			if err != nil || len(words) != 1 || words[0].name != "k" || words[0].value.text != s {
				t.Fatalf("%q was written as %q, which is read as %s, %v", s, text, spell(words), err)
			}
		}
	})
}

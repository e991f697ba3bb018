package commands

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
)

// maxLine is the longest line that is read, in characters. Slack cuts longer ones in places that
// nobody would notice (reference: message text of 4,000 characters).
const maxLine = 4000

// refKind says what a chat token stands for.
type refKind string

const (
	refUser    refKind = "user"
	refChannel refKind = "channel"
	refGroup   refKind = "group"
)

// ref is somebody or something that a chat client named by its id.
type ref struct {
	kind refKind
	id   string
	name string // as the client showed it; may be empty
}

// glyph is one character that the person meant, and where it stood in what was typed. A reference
// is one glyph.
type glyph struct {
	r   rune
	col int // counts from one
	ref *ref
}

// lineError is what is wrong with a line, and where.
type lineError struct {
	col     int // counts from one; zero when the whole line is meant
	message string
}

// Error implements error.
func (e *lineError) Error() string {
	if e.col == 0 {
		return e.message
	}
	return fmt.Sprintf("column %d: %s", e.col, e.message)
}

func wrong(col int, format string, args ...any) error {
	return &lineError{col: col, message: fmt.Sprintf(format, args...)}
}

// decode makes of the characters that arrived those that were meant. Chat clients write &lt; for <
// and <@U1|bob> for a person; a terminal does not.
func decode(text string, origin engine.Origin) ([]glyph, error) {
	if !utf8.ValidString(text) {
		return nil, wrong(0, "the line is not valid UTF-8; type it again")
	}
	runes := []rune(text)
	if len(runes) > maxLine {
		return nil, wrong(0, "the line has %d characters; at most %d are read", len(runes), maxLine)
	}
	chat := origin != engine.OriginTerminal
	out := make([]glyph, 0, len(runes))
	for i := 0; i < len(runes); {
		r, width, token := runes[i], 1, []glyph(nil)
		switch {
		case chat && r == '&':
			r, width = entity(runes[i:])
		case chat && r == '<':
			token, width = chatToken(runes[i:], i+1)
		}
		switch {
		case token != nil:
			out = append(out, token...)
		case r == '\n' || r == '\t' || r == '\r':
			out = append(out, glyph{r: r, col: i + 1})
		case unicode.IsControl(r):
			return nil, wrong(i+1, "there is a control character (%U); type the line again", r)
		case unicode.IsSpace(r):
			out = append(out, glyph{r: ' ', col: i + 1})
		default:
			out = append(out, glyph{r: r, col: i + 1})
		}
		i += width
	}
	return out, nil
}

// entity reads one of the three entities that Slack writes, and how many characters it takes.
func entity(in []rune) (rune, int) {
	for _, e := range []struct {
		name string
		r    rune
	}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}} {
		if len(in) >= len(e.name) && string(in[:len(e.name)]) == e.name {
			return e.r, len(e.name)
		}
	}
	return in[0], 1
}

// chatToken reads <@U1|bob>, <#C1|ops>, <!subteam^S1|@sre>, <!here> and links. It returns nil when
// there is no token; a bare < is an ordinary character.
func chatToken(in []rune, col int) ([]glyph, int) {
	end := -1
	for i := 1; i < len(in) && in[i] != '<' && in[i] != '\n'; i++ {
		if in[i] == '>' {
			end = i
			break
		}
	}
	if end < 2 {
		return nil, 1
	}
	target, shown, named := strings.Cut(string(in[1:end]), "|")
	width := end + 1
	one := func(kind refKind, id string) ([]glyph, int) {
		if !isID(id) {
			return nil, 1
		}
		return []glyph{{col: col, ref: &ref{kind: kind, id: id, name: strings.TrimLeft(shown, "@#")}}}, width
	}
	switch {
	case strings.HasPrefix(target, "@"):
		return one(refUser, target[1:])
	case strings.HasPrefix(target, "#"):
		return one(refChannel, target[1:])
	case strings.HasPrefix(target, "!subteam^"):
		return one(refGroup, strings.TrimPrefix(target, "!subteam^"))
	case strings.HasPrefix(target, "!"):
		if !named {
			shown = "@" + target[1:]
		}
	case strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:"):
		if !named {
			shown = target
		}
	default:
		return nil, 1
	}
	return visible(shown, col), width
}

// visible is the text of a token, at the place of the token.
func visible(text string, col int) []glyph {
	out := []glyph{}
	in := []rune(text)
	for i := 0; i < len(in); {
		r, width := entity(in[i:])
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			r = ' '
		}
		out = append(out, glyph{r: r, col: col})
		i += width
	}
	return out
}

// isID reports whether s looks like an id of Slack: capital letters and digits.
func isID(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

// hidden reports whether a character cannot be seen or changes the direction of what follows:
// two names that look the same must be the same.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || unicode.Is(unicode.Variation_Selector, r)
}

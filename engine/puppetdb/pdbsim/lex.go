package pdbsim

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// token is a word, a string, a number or a sign.
type token struct {
	kind string // word, string, number, sign, end
	text string
	at   int
}

func lex(s string) ([]token, error) {
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case unicode.IsSpace(rune(c)):
			i++
		case c == '"' || c == '\'':
			text, n, err := lexString(s[i:])
			if err != nil {
				return nil, parseError(s, i, err.Error())
			}
			out = append(out, token{"string", text, i})
			i += n
		case unicode.IsDigit(rune(c)):
			j := i
			for j < len(s) && (unicode.IsDigit(rune(s[j])) || s[j] == '.') {
				j++
			}
			out = append(out, token{"number", s[i:j], i})
			i = j
		case isWord(c):
			j := i
			for j < len(s) && (isWord(s[j]) || s[j] == '.' || unicode.IsDigit(rune(s[j])) || s[j] == '-') {
				j++
			}
			out = append(out, token{"word", s[i:j], i})
			i = j
		default:
			n := 1
			if i+1 < len(s) && slices.Contains([]string{"!=", ">=", "<="}, s[i:i+2]) {
				n = 2
			}
			out = append(out, token{"sign", s[i : i+n], i})
			i += n
		}
	}
	return append(out, token{"end", "", len(s)}), nil
}

func isWord(c byte) bool { return c == '_' || unicode.IsLetter(rune(c)) }

func lexString(s string) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == s[0]:
			return b.String(), i + 1, nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, fmt.Errorf("the string is not closed")
}

// parseError is shaped as PuppetDB's: the place, the query and a caret.
func parseError(query string, at int, what string) error {
	return fmt.Errorf("PQL parse error at line 1, column %d:\n\n%s\n%s^\n\n%s", at+1, query, strings.Repeat(" ", at), what)
}

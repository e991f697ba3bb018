package filter

import (
	"regexp"
	"strings"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// sign is an operator as servers find them inside with("…").
var sign = regexp.MustCompile(`<=|>=|=>|=<|<|>|!=|=~|={1,2}`)

// split divides the comparison inside with("…") at its last operator, as servers do; ok is false for
// what is a class or an agent.
func split(s string) (name, operator, value string, ok bool) {
	all := sign.FindAllStringIndex(s, -1)
	if len(all) == 0 {
		return "", "", "", false
	}
	at := all[len(all)-1]
	name, operator, value = strings.TrimSpace(s[:at[0]]), s[at[0]:at[1]], strings.TrimSpace(s[at[1]:])
	ok = name != "" && value != "" && !isSign(name[0]) && !isSign(value[len(value)-1])
	return name, operator, value, ok
}

func isSign(c byte) bool { return c == '<' || c == '>' || c == '=' }

// parseQuery reads the comparison inside with("…"). Servers make a match of whatever operator stands
// before /…/.
func parseQuery(s string) (wire.Fact, bool) {
	name, operator, value, ok := split(s)
	if !ok {
		return wire.Fact{}, false
	}
	switch {
	case isPattern(value):
		operator = "=~"
	case operator == "=":
		operator = "=="
	case operator == "=<":
		operator = "<="
	case operator == "=>":
		operator = ">="
	}
	return wire.Fact{Fact: name, Operator: operator, Value: value}, true
}

func isPattern(word string) bool { return strings.HasPrefix(word, "/") && strings.HasSuffix(word, "/") }

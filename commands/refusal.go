package commands

import (
	"fmt"

	"github.com/playbot/playbot/engine"
)

// Refusal is the answer of a door that has refused a request before it came to a verb, for one person alone.
func Refusal(code engine.Code, format string, args ...any) Reply {
	return Reply{Private: true, Code: code, Blocks: []Block{paragraph(sentence(fmt.Sprintf(format, args...))...)}}
}

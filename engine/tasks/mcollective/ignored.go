package mcollective

import (
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine/choria"
)

// ignored says in a line what came and was no answer; nothing when all that came was one.
func ignored(res choria.Result) string {
	var parts []string
	for _, row := range []struct {
		n    int
		text string
	}{
		{res.Duplicate, "second answers of a node"},
		{res.Late, "answers after the time was up"},
		{res.Stranger, "answers of nodes that were not asked"},
		{res.Other, "answers to another request"},
		{res.Malformed, "answers that could not be read"},
		{res.Untrusted, "answers that no known server has signed"},
		{res.Dropped, "answers that came too fast"},
	} {
		if row.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", row.n, row.text))
		}
	}
	if res.Trimmed > 0 {
		parts = append(parts, fmt.Sprintf("and not kept: the data of %d large answers", res.Trimmed))
	}
	if len(parts) == 0 {
		return ""
	}
	return "not counted: " + strings.Join(parts, ", ")
}

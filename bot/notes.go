package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// telling are the notes of an attempt that say more than the line and the message of its step. A task that
// acts on nodes notes a line about each: nodes that say the same share one, and a bare "ok", what the message
// quotes and how far the asking had come are left out. The terminal has all of it.
func telling(o *engine.AttemptEnded, message string) []string {
	nodes := slices.Concat(o.Result.OKNodes, o.Result.FailedNodes, o.Result.SilentNodes)
	var out []string
	said := make(map[string][]string) // nodes by what they say
	at := make(map[string]int)        // where that stands in out
	for _, note := range o.Notes {
		node, text, _ := strings.Cut(note, ": ")
		switch {
		case len(nodes) > 0 && progress().MatchString(note):
		case !slices.Contains(nodes, node):
			out = append(out, note)
		case text == "ok" || quoted(message, node, text):
		default:
			if _, known := at[text]; !known {
				at[text] = len(out)
				out = append(out, "")
			}
			said[text] = append(said[text], node)
		}
	}
	for text, some := range said {
		who := someOf(some)
		if len(some) == len(nodes) && len(some) > 3 {
			who = fmt.Sprintf("all %d", len(some))
		}
		if out[at[text]] = who + ": " + text; strings.Contains(message, fmt.Sprintf("%d × %s", len(some), text)) {
			out[at[text]] = "" // a summary says it
		}
	}
	return slices.DeleteFunc(out, func(l string) bool { return l == "" || len(o.Notes) == 1 && strings.Contains(message, l) })
}

// quoted reports whether a message says of a node what a note says of it.
func quoted(message, node, text string) bool {
	if !namesAll(message, []string{node}) {
		return false
	}
	parts := strings.Split(text, ": ")
	last := parts[len(parts)-1] // behind "failed" or the rule that does not hold
	return last == "no answer" || len(parts) > 1 && strings.Contains(message, last)
}

// progress matches what a task notes while it asks its nodes, and its message sums up.
func progress() *regexp.Regexp {
	return regexp.MustCompile(`^(asking \d+ (?:of \d+ )?nodes?\b|\d+ of \d+ nodes were ok in an earlier try|the other \d+ nodes are not asked)`)
}

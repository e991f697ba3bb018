package bot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// telling are the notes of an attempt that say more than the line and the message of its step. What a task
// notes about single nodes, which is grouped elsewhere, and how far the asking had come are left out. Log
// on the card has all of it.
func telling(o *engine.AttemptEnded, message string) []string {
	nodes := slices.Concat(o.Result.OKNodes, o.Result.FailedNodes, o.Result.SilentNodes)
	return slices.DeleteFunc(slices.Clone(o.Notes), func(note string) bool {
		node, _, _ := strings.Cut(note, ": ")
		return len(nodes) > 0 && (progress().MatchString(note) || slices.Contains(nodes, node)) ||
			len(o.Notes) == 1 && strings.Contains(message, note)
	})
}

// progress matches what a task notes while it asks its nodes, and its message sums up.
func progress() *regexp.Regexp {
	return regexp.MustCompile(`^(asking \d+ (?:of \d+ )?nodes?\b|\d+ of \d+ nodes were ok in an earlier try|the other \d+ nodes are not asked)`)
}

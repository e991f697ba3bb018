package commands

import (
	"fmt"

	"github.com/playbot/playbot/engine"
)

// Uncompared says that a gate asks although the nodes could not be compared, and what a yes does then; empty
// when they were.
func Uncompared(a *engine.Approval) string {
	if a.Uncompared == "" {
		return ""
	}
	return fmt.Sprintf("the nodes could not be compared with those of the run: %s; a yes has them compared again, and nothing begins before", short(a.Uncompared, 300))
}

// Comparing says what a run waits for that could not compare its nodes; empty when it does not.
func Comparing(run *engine.Run) string {
	u := run.Comparing()
	if u == nil {
		return ""
	}
	return FailedComparison(run, u)
}

// FailedComparison says of what the nodes could not be compared, why, and when that is tried again.
func FailedComparison(run *engine.Run, u *engine.NodesUncompared) string {
	what := string(u.Path)
	if s := run.Steps[u.Path]; s != nil {
		what = fmt.Sprintf("%q", short(s.Description, 80))
	}
	if u.Wave > 0 {
		what = fmt.Sprintf("wave %d of %s", u.Wave, what)
	}
	return fmt.Sprintf("The nodes could not be compared before %s: %s. Nothing begins before they are; it tries again at %s",
		what, short(u.Message, 300), u.Again.UTC().Format("15:04:05 UTC"))
}

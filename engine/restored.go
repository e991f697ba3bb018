package engine

import (
	"context"
	"fmt"
)

// Restored voids every approval in a log that is not used up, because the log was brought back from a copy: what
// happened after the copy was made is not in it, and may be what was approved. Gates that wait ask again, under
// new ids, so that buttons of before open nothing, and a yes for the rest of a run covers nothing further. No
// engine may work on the log meanwhile. It returns how many approvals it has voided.
func Restored(ctx context.Context, log Log, why string) (int, error) {
	ids, err := log.Unfinished(ctx)
	if err != nil {
		return 0, fmt.Errorf("list unfinished runs: %w", err)
	}
	n := 0
	for _, id := range ids {
		run, err := LoadRun(ctx, log, id)
		if err != nil {
			return n, err
		}
		facts := run.forgets(why)
		if len(facts) == 0 {
			continue
		}
		if _, err := log.Append(ctx, id.Stream(), run.Seq, facts...); err != nil {
			return n, fmt.Errorf("void approvals of run %s: %w", id.Short(), err)
		}
		n += len(facts)
	}
	return n, nil
}

// forgets are the facts that make the approvals of a run count no more.
func (r *Run) forgets(why string) []Payload {
	var out []Payload
	for _, a := range r.Approvals {
		switch a.State {
		case ApprovalPending, ApprovalGranted:
			out = append(out, ApprovalVoided{Approval: a.Approval, Reason: why})
		case ApprovalUsed:
			for _, g := range a.Given {
				if g.Rest && a.Rests == "" {
					out = append(out, ApprovalTakenBack{Approval: a.Approval, Actor: g.Actor, Reason: why, Rest: true})
				}
			}
		case ApprovalRefused, ApprovalTimedOut, ApprovalWithdrawn: // over already
		}
	}
	return out
}

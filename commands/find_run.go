package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

func (c *Commands) mayView(who engine.Actor, playbook string) bool {
	return c.engine.May(who, policy.View, playbook).Allowed
}

// findRun resolves the run that a line names first, or the one in whose thread it was said. used is
// how many words that took.
func (c *Commands) findRun(ctx context.Context, q Request, a args, v verb) (run *engine.Run, gate, used int, err error) {
	typed, odd := a.name()
	named := looksLikeRun(typed)
	switch {
	case q.RunHint != "" && (typed == "" || !named && !v.reads): // a reason may begin with any word
		run, err = c.loadVisible(ctx, q.Actor, q.RunHint)
		return run, 0, 0, err
	case typed == "":
		return nil, 0, 0, engine.Errorf(engine.CodeInvalid, "say which run: %s; `status` lists what is under way", v.form)
	}
	if odd != nil {
		return nil, 0, 0, odd
	}
	name, number, found := strings.Cut(typed, ".")
	if found {
		if gate, err = strconv.Atoi(number); err != nil || gate < 1 {
			return nil, 0, 0, engine.Errorf(engine.CodeInvalid, "%q is not a gate of a run; write it as in r-7k3f9m.2", Clean(short(typed, 40)))
		}
	}
	ids, err := c.history.Lookup(ctx, name)
	if err != nil {
		return nil, 0, 0, err
	}
	runs, err := c.loadAll(ctx, q.Actor, ids)
	if err != nil {
		return nil, 0, 0, err
	}
	switch len(runs) {
	case 0:
		return nil, 0, 0, engine.Errorf(engine.CodeNotFound, "there is no run %q; `history` lists them", Clean(short(typed, 40)))
	case 1:
		return runs[0], gate, 1, nil
	}
	return nil, 0, 0, &severalError{typed: Clean(short(typed, 40)), runs: runs}
}

// looksLikeRun tells the name of a run from the first word of a reason.
func looksLikeRun(s string) bool {
	return strings.HasPrefix(strings.ToLower(s), "r-") || len(s) == idLength && strings.ToUpper(s) == s
}

// idLength is the length of a whole run id.
const idLength = 26

// severalError says that what was typed begins the ids of several runs.
type severalError struct {
	typed string
	runs  []*engine.Run
}

// Error implements error.
func (e *severalError) Error() string {
	return fmt.Sprintf("%q may be any of %d runs; give more of the id", e.typed, len(e.runs))
}

// blocks list the runs by their whole ids: their short forms may be equal.
func (e *severalError) blocks() []Block {
	list := List{}
	for _, r := range e.runs {
		list.Items = append(list.Items, []Span{bold(r.Requested.Playbook.Name), plain(" %s, asked by ", r.Status), mention(r.Requested.Actor), plain(" — "), {Kind: RunRef, Text: string(r.ID), Run: r.ID}})
	}
	return []Block{paragraph(outside(e.Error()), plain(":")), list}
}

func (c *Commands) loadAll(ctx context.Context, who engine.Actor, ids []engine.RunID) ([]*engine.Run, error) {
	var runs []*engine.Run
	for _, id := range ids {
		run, err := c.loadVisible(ctx, who, id)
		switch {
		case err == nil:
			runs = append(runs, run)
		case engine.CodeOf(err) != engine.CodeNotFound:
			return nil, err
		}
	}
	return runs, nil
}

// loadVisible loads a run, or says that there is none when somebody may not view it.
func (c *Commands) loadVisible(ctx context.Context, who engine.Actor, id engine.RunID) (*engine.Run, error) {
	run, err := c.engine.Load(ctx, id)
	if err == nil && !c.mayView(who, run.Requested.Playbook.Name) {
		err = engine.Errorf(engine.CodeNotFound, "there is no run %s", id.Short())
	}
	if engine.CodeOf(err) == engine.CodeNotFound && err != nil {
		return nil, engine.Errorf(engine.CodeNotFound, "there is no run %s; `history` lists them", id.Short())
	}
	return run, err
}

// gateOf returns the gate with a number, or the one that the run waits at. One that was decided is
// an error that says by whom.
func gateOf(run *engine.Run, number int) (*engine.Approval, error) {
	if number == 0 {
		if a := run.Pending(); a != nil {
			return a, nil
		}
		return nil, &runError{run: run.ID, err: engine.Errorf(engine.CodeConflict, "%s", noGate(run))}
	}
	for _, a := range run.Approvals {
		if a.Number == number {
			return a, pending(run, a)
		}
	}
	return nil, &runError{run: run.ID, err: engine.Errorf(engine.CodeNotFound, "run %s has no gate %d yet", run.ID.Short(), number)}
}

// noGate says what a run does instead of waiting for an approval, and how its last gate went.
func noGate(run *engine.Run) string {
	text := fmt.Sprintf("run %s waits for no approval", run.ID.Short())
	p, unknown := run.Paused(), run.Unknown()
	if unknown != nil {
		text += fmt.Sprintf(", but for somebody to say what became of %q", short(unknown.Description, 80))
	}
	switch {
	case p != nil && takenBack(run):
		text += fmt.Sprintf("; it is paused by %s, and asks again when `resume %s` lets it go on", p.By.Label(), run.ID.Short())
	case p != nil:
		text += fmt.Sprintf("; it is paused by %s, and `resume %s` lets it go on", p.By.Label(), run.ID.Short())
	case unknown == nil:
		text += fmt.Sprintf("; it is %s%s", run.Status, inWave(run))
	}
	if n := len(run.Approvals); n > 0 {
		text += fmt.Sprintf("; its gate %d: %s", run.Approvals[n-1].Number, run.Approvals[n-1].Outcome())
	}
	return text
}

// takenBack reports whether a paused run stands before what it had asked about.
func takenBack(run *engine.Run) bool {
	n, h := len(run.Approvals), run.Held()
	return h != nil && n > 0 && run.Approvals[n-1].State == engine.ApprovalWithdrawn && run.Approvals[n-1].Path == h.Before
}

// inWave says in which wave a run is.
func inWave(run *engine.Run) string {
	s := run.Rolling()
	if s == nil || len(s.Rollout.Begun) == 0 {
		return ""
	}
	return fmt.Sprintf(", in wave %d of %d", len(s.Rollout.Begun), len(s.Waves()))
}

// pending is an error when a gate was decided. The engine would say only that the run has ended.
func pending(run *engine.Run, a *engine.Approval) error {
	if a.State == engine.ApprovalPending {
		return nil
	}
	return &runError{run: run.ID, err: engine.Errorf(engine.CodeConflict, "too late: %s", a.Outcome())}
}

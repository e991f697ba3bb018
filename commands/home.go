package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// Home is what concerns one person.
type Home struct {
	Waiting []HomeRun // for a word of theirs, what has waited longest first
	Running []HomeRun // under way, the newest first; those that wait for somebody else too
	Recent  []HomeRun // over, the newest first
	More    HomeMore
	Books   int      // playbooks that they may run
	Buttons []Button // about no run; those that they may press
}

// HomeMore counts what is not listed.
type HomeMore struct{ Waiting, Running int }

// HomeRun is a run in such a list.
type HomeRun struct {
	Run     *engine.Run
	Lines   []string // what it waits for, and what a yes would cover; from outside
	Buttons []Button // those that they may press
}

const (
	maxHomeWaiting = 8
	maxHomeRunning = 10
	maxHomeRecent  = 5
	// maxHomeLooked is how many waiting runs are looked at to find those that wait for one person.
	maxHomeLooked = 200
	maxHomeLines  = 700 // characters that one run says beside its buttons
)

// Home looks up what concerns somebody, as far as they may view it. It is an error with [engine.CodeDenied] when
// their word counts for nothing.
func (c *Commands) Home(ctx context.Context, who engine.Actor) (Home, error) {
	if err := c.look(ctx, who); err != nil {
		return Home{}, err
	}
	h := Home{Books: len(c.runnable(who))}
	if h.Books > 0 {
		h.Buttons = []Button{StartButton()}
	}
	found, err := c.history.Find(ctx, engine.HistoryQuery{Status: engine.RunWaiting, Limit: maxHomeLooked})
	if err != nil {
		return h, err
	}
	mine := map[engine.RunID]bool{}
	waiting := c.viewable(ctx, who, found)
	for _, s := range slices.Backward(waiting) {
		run, err := c.engine.Load(ctx, s.Run)
		if err != nil {
			return h, err
		}
		one, ok := c.waitsFor(who, run)
		if !ok {
			continue
		}
		mine[run.ID] = true
		if len(h.Waiting) == maxHomeWaiting {
			h.More.Waiting++
			continue
		}
		h.Waiting = append(h.Waiting, one)
	}
	return h, c.homeRest(ctx, who, mine, &h)
}

// homeRest adds what is under way, and what was.
func (c *Commands) homeRest(ctx context.Context, who engine.Actor, mine map[engine.RunID]bool, h *Home) error {
	open, err := c.open(ctx, who)
	if err != nil {
		return err
	}
	slices.SortFunc(open, func(a, b engine.Summary) int { return strings.Compare(string(b.Run), string(a.Run)) })
	for _, s := range open {
		if mine[s.Run] {
			continue
		}
		if len(h.Running) == maxHomeRunning {
			h.More.Running++
			continue
		}
		run, err := c.engine.Load(ctx, s.Run)
		if err != nil {
			return err
		}
		one := HomeRun{Run: run, Lines: []string{stands(run)}, Buttons: []Button{LogButton(run.ID)}}
		if run.Cancel == nil && !run.Status.Final() && c.engine.May(who, policy.Cancel, run.Requested.Playbook.Name).Allowed {
			one.Buttons = append(one.Buttons, CancelButton(run.ID))
		}
		h.Running = append(h.Running, one)
	}
	past, err := c.findViewable(ctx, who, engine.HistoryQuery{Limit: maxHomeRecent}, func(s engine.Summary) bool { return s.Status.Final() })
	if err != nil {
		return err
	}
	for _, s := range past {
		run, err := c.engine.Load(ctx, s.Run)
		if err != nil {
			return err
		}
		h.Recent = append(h.Recent, HomeRun{Run: run, Lines: []string{short(run.Message, 200)}, Buttons: []Button{LogButton(run.ID)}})
	}
	return nil
}

// waitsFor is a run that waits for a word of somebody, with the buttons that say it; false when it does not.
func (c *Commands) waitsFor(who engine.Actor, run *engine.Run) (HomeRun, bool) {
	one, name := HomeRun{Run: run}, run.Requested.Playbook.Name
	may := func(v policy.Verb) bool { return c.engine.May(who, v, name).Allowed }
	paused, gate, cut := run.Paused(), run.Pending(), run.Unknown()
	switch {
	case run.Cancel != nil || run.Status != engine.RunWaiting:
		return one, false
	case len(run.SecretsNeeded) > 0:
		one.Lines = []string{LostSecrets(run)}
		return one, run.Requested.Actor.Is(who)
	case gate != nil:
		if !c.mayApprove(who, run, gate) {
			return one, false
		}
		one.Lines, one.Buttons = c.gateLines(run, gate)
		return one, true
	case cut != nil:
		one.Lines = []string{fmt.Sprintf("%q was cut off, and may not simply be repeated. Look at the nodes, then choose.", short(cut.Description, 200))}
		one.Buttons = ResolveButtons(run.ID, cut.Path, cut.Last().Attempt)
		return one, may(policy.Run)
	case paused != nil:
		one.Lines = []string{"Paused by " + paused.By.Label() + "; it is " + Standing(run)}
		one.Buttons = SteerButtons(run)
		return one, may(policy.Steer)
	}
	return one, false
}

// gateLines is what an approval would cover, with the buttons; without them when it is too long to be
// shown in a list, for nobody is to approve what was cut.
func (c *Commands) gateLines(run *engine.Run, a *engine.Approval) ([]string, []Button) {
	lines := []string{fmt.Sprintf("Approve %q?", short(stepAt(run, a.Path).Description, 200))}
	lines = append(lines, Covered(run.Steps[a.Path], a)...)
	if asks := Asks(a); asks != "" {
		lines = append(lines, "This gate "+asks)
	}
	if len(a.Grown) > 0 {
		lines = append(lines, "Not touched, since they appeared only now: "+FirstNodes(a.Grown))
	}
	if text := Uncompared(a); text != "" {
		lines = append(lines, text)
	}
	if p := a.Progress(); p != "" {
		lines = append(lines, "Approved so far: "+p)
	}
	lines = append(lines, "Expires "+stamp(a.Deadline()))
	if utf8.RuneCountInString(strings.Join(lines, "\n")) > maxHomeLines {
		return []string{lines[0], "What an approval covers is too long for this list; the thread shows it, with buttons.", lines[len(lines)-1]}, nil
	}
	return lines, ApprovalButtons(run.ID, a)
}

// stands says in one line where a run is.
func stands(run *engine.Run) string {
	switch {
	case run.Cancel != nil:
		return "being cancelled by " + run.Cancel.Actor.Label()
	case run.Pending() != nil:
		return fmt.Sprintf("waits for somebody else to approve %q", short(StepName(stepAt(run, run.Pending().Path)), 120))
	case run.Unknown() != nil:
		return fmt.Sprintf("waits for somebody to say what became of %q", short(StepName(run.Unknown()), 120))
	case run.Awaits != nil:
		return "waits for the lock " + run.Awaits.Lock
	case run.AwaitsNodes != nil:
		return "waits for " + Waiting(run.AwaitsNodes)
	}
	for _, p := range slices.Backward(run.Order) {
		if s := run.Steps[p]; s.Ended.IsZero() {
			return "at " + short(StepName(s), 120)
		}
	}
	return string(run.Status)
}

// stepAt is a step; one without a name when the log of the run does not have it.
func stepAt(run *engine.Run, p engine.Path) *engine.Step {
	if s := run.Steps[p]; s != nil {
		return s
	}
	return &engine.Step{Path: p}
}

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// performer carries out one action on a copy of the run; it is the only place with side effects.
// record writes facts before it returns. What perform returns is recorded when it is done.
type performer struct {
	engine  *Engine
	run     *Run
	book    *playbooks.Playbook
	path    Path // of the task that the action is about; empty when it is about the run
	session *session
	record  func(facts ...Payload) error
	leased  []Payload              // that the preparation reserved nodes; to be recorded with its end
	started *AttemptStarted        // set once the intent is on disk
	scope   func() playbooks.Scope // view, made once: the copy of the run does not change
}

func (p *performer) perform(ctx context.Context, a action) []Payload {
	switch a.do {
	case doPrepare:
		return p.prepare(ctx)
	case doBegin:
		return []Payload{p.begin(ctx, a.path, a.task)}
	case doAsk:
		return p.ask(ctx, a)
	case doWave:
		return p.startWave(ctx, a)
	case doAttempt:
		return p.attempt(ctx, a)
	case doLock:
		return p.lockTask(ctx, a)
	case doUnlock:
		return []Payload{TaskLocksReleased{Path: a.path, Problems: p.unlock(ctx, p.run.Steps[a.path].Locks)}}
	case doRelease:
		return []Payload{p.release(ctx)}
	case doRelock:
		p.relock(ctx)
		return nil
	case doEndChildren:
		p.endChildren(ctx)
		return nil
	default:
		return nil
	}
}

// afterPanic turns a panic into facts that let the run go on to its end.
func (p *performer) afterPanic(a action, what string) []Payload {
	message := "the program panicked: " + p.redact().text(what) + "; this is a bug, the trace is in the log"
	switch a.do { //nolint:exhaustive // the rest is about an attempt
	case doPrepare:
		return []Payload{PrepareFailed{Message: message}}
	case doRelease:
		return []Payload{LocksReleased{Problems: []string{message}}}
	case doUnlock:
		return []Payload{TaskLocksReleased{Path: a.path, Problems: []string{message}}}
	case doBegin:
		return p.failBegin(a.path, a.task, message)
	case doAsk:
		return p.cannotAsk(a, message)
	case doRelock, doEndChildren:
		return nil
	case doWave:
		return []Payload{ApprovalVoided{Approval: a.approval.Approval, Reason: message}}
	}
	if s := p.started; s != nil {
		return []Payload{AttemptEnded{Path: s.Path, Attempt: s.Attempt, Code: string(CodeInternal), Result: Result{Message: message}}}
	}
	return p.failAttempt(a.path, message)
}

// attempt starts and ends one attempt. The intent is on disk before the task runs.
func (p *performer) attempt(ctx context.Context, a action) []Payload {
	step := p.run.Steps[a.path]
	if step.Broken != "" {
		return p.failAttempt(a.path, step.Broken)
	}
	if late := p.tooLate(a); late != nil {
		return late
	}
	props, err := p.properties(ctx, a)
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	task, err := p.decode(a.task, props)
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	if step.Gated == "" { // what it does may have changed since it began
		if rule := p.policyGate(a.task.Type, task, props.Text("action", "")); rule != "" {
			return p.failAttempt(a.path, "not started: "+rule+", and nobody was asked, for it was not so when the task began; start the run again")
		}
	}
	task = narrowed(task, step)
	if err := p.withinNodes(ctx, targets(task, props)); err != nil {
		return p.failAttempt(a.path, "not started: "+err.Error())
	}
	leased, again, err := p.reserveTargets(ctx, a, task, props)
	switch {
	case errors.Is(err, errStopping), again, errors.Is(context.Cause(ctx), errCancelled): // a cancelled run begins nothing
		return nil
	case err != nil:
		return p.failAttempt(a.path, err.Error())
	}
	if a.approval != nil && a.approval.State == ApprovalGranted {
		if facts, ok := p.recheck(ctx, a); !ok {
			return facts
		}
		if a.approval.spent(time.Now()) { // while it was looked up; it is void then
			return nil
		}
	}
	timeout, err := duration(ctx, "timeout", a.task.Timeout, 0, p.scope())
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	started := p.intent(a, step, task, props)
	if err := p.record(slices.Concat(leased, p.startFacts(step, started))...); err != nil {
		return nil // nothing was begun; the log has the error
	}
	p.started = &started
	if !a.limit.at.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, a.limit.at, Errorf(CodeTimeout, "timed out: %s", a.limit.why))
		defer cancel()
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, Errorf(CodeTimeout, "timed out after %s", timeout))
		defer cancel()
	}
	return p.outcome(ctx, started, task, step.firstStart())
}

// properties are the sealed ones of the approval, else rendered now.
func (p *performer) properties(ctx context.Context, a action) (*playbooks.Properties, error) {
	if a.approval == nil {
		return p.render(ctx, a.task)
	}
	if !masks(a.approval.Sealed) {
		return playbooks.FromMap(a.approval.Sealed), nil
	}
	// A secret is not in the log, so that it is rendered again; the rest must be what was approved.
	props, err := p.render(ctx, a.task)
	if err == nil && !reflect.DeepEqual(p.redact().tree(props.Values()), a.approval.Sealed) {
		err = Errorf(CodeInvalid, "what was approved cannot be rendered again without its secret; keep what changes apart from secrets")
	}
	return props, err
}

func (p *performer) render(ctx context.Context, t *playbooks.Task) (*playbooks.Properties, error) {
	tt, _ := p.engine.opts.Types.task(t.Type) // an unknown type is found when it is decoded
	props, err := playbooks.Rendered(t.Properties, ctx, p.scope(), playbooks.Special{Shell: tt.ShellText, Conditions: tt.Conditions})
	if err == nil && t.Rolling != nil {
		props = outlined(props, t.Rolling.Tasks)
	}
	return props, p.book.InFile(err)
}

// decode makes a task of its properties, and refuses one that would write a secret down as the name of a node.
func (p *performer) decode(t *playbooks.Task, props *playbooks.Properties) (Task, error) {
	task, err := p.decoded(t, props)
	if err != nil {
		return nil, p.book.InFile(err)
	}
	if n, ok := task.(Targeted); ok && slices.ContainsFunc(n.Targets(), func(name string) bool { return p.redact().hides(name) }) {
		return nil, Errorf(CodeInvalid, "the name of a node would hold a secret, and names of nodes are shown; leave the secret out of nodes")
	}
	return task, nil
}

func (p *performer) decoded(t *playbooks.Task, props *playbooks.Properties) (Task, error) {
	if t.Rolling != nil {
		return decodeRolling(props)
	}
	tt, ok := p.engine.opts.Types.task(t.Type)
	if !ok {
		return nil, Errorf(CodeInvalid, "there is no task type %q", t.Type)
	}
	task, err := tt.Decode(props)
	if err != nil {
		return nil, err
	}
	if err := props.Err(); err != nil {
		return nil, err
	}
	return task, nil
}

func (p *performer) intent(a action, step *Step, task Task, props *playbooks.Properties) AttemptStarted {
	effect := task.Effect()
	if a.task.Idempotent != nil && effect != ReadOnly {
		effect = Once
		if *a.task.Idempotent {
			effect = Idempotent
		}
	}
	s := AttemptStarted{
		Path: a.path, Attempt: len(step.Attempts) + 1, Effect: effect,
		Properties: p.redact().tree(props.Values()), Key: idempotencyKey(p.run.ID, a.path, step.series()),
	}
	if t, ok := task.(Targeted); ok {
		s.Nodes = t.Targets()
	}
	if l, ok := task.(Lasting); ok {
		s.Lasts = l.Lasts()
	}
	if a.approval != nil {
		s.Approval = a.approval.Approval
	}
	return s
}

// startFacts says, when an attempt that was cut off goes again, that it does.
func (p *performer) startFacts(step *Step, started AttemptStarted) []Payload {
	if last := step.Last(); last != nil && last.Open() {
		return []Payload{AttemptRepeated{Path: started.Path, Attempt: last.Attempt}, started}
	}
	return []Payload{started}
}

// idempotencyKey names an attempt for the outside world; it is equal over the repeats of one that was cut off.
func idempotencyKey(run RunID, path Path, series int) string {
	sum := sha256.Sum256([]byte(string(run) + "\x00" + string(path) + "\x00" + strconv.Itoa(series)))
	return hex.EncodeToString(sum[:16])
}

// series counts the attempts whose fate is known; repeats of one that was cut off share a number.
func (s *Step) series() int {
	n := 0
	for i := range s.Attempts {
		if s.Attempts[i].Outcome != nil || s.Attempts[i].Resolved != nil {
			n++
		}
	}
	return n
}

// firstStart is when the present attempt was first started, before any repeat; zero when it is new.
func (s *Step) firstStart() time.Time {
	var first time.Time
	for i := len(s.Attempts) - 1; i >= 0 && s.Attempts[i].Outcome == nil && s.Attempts[i].Resolved == nil; i-- {
		first = s.Attempts[i].At
	}
	return first
}

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// performer carries out one action on a copy of the run; it is the only place with side effects.
// record writes facts before it returns. What perform returns is recorded when it is done.
type performer struct {
	engine  *Engine
	run     *Run
	book    *playbooks.Playbook
	session *session
	record  func(facts ...Payload) error
	started *AttemptStarted // set once the intent is on disk
}

func (p *performer) perform(ctx context.Context, a action) []Payload {
	switch a.do {
	case doPrepare:
		return p.prepare(ctx)
	case doBegin:
		return []Payload{p.begin(ctx, a.path, a.task)}
	case doAsk:
		return p.ask(ctx, a.path, a.task)
	case doAttempt:
		return p.attempt(ctx, a)
	case doRelease:
		return []Payload{p.release(ctx)}
	default:
		return nil
	}
}

// afterPanic turns a panic into facts that let the run go on to its end.
func (p *performer) afterPanic(a action, what string) []Payload {
	message := "the program panicked: " + p.engine.redact.text(what) + "; this is a bug, the trace is in the log"
	switch a.do {
	case doPrepare:
		return []Payload{PrepareFailed{Message: message}}
	case doRelease:
		return []Payload{LocksReleased{Problems: []string{message}}}
	case doBegin:
		return p.failBegin(a.path, a.task, message)
	}
	if s := p.started; s != nil {
		return []Payload{AttemptEnded{Path: s.Path, Attempt: s.Attempt, Code: string(CodeInternal), Result: Result{Message: message}}}
	}
	return p.failAttempt(a.path, message)
}

// begin evaluates the condition and renders what describes the task.
func (p *performer) begin(ctx context.Context, path Path, t *playbooks.Task) Payload {
	scope := p.scope()
	name := p.describe(ctx, t, scope)
	if t.When != nil {
		ok, err := t.When.Bool(ctx, scope)
		if err != nil {
			return p.begun(path, t, name, fmt.Errorf("when: %w", err))
		}
		if !ok {
			return TaskSkipped{Path: path, Type: t.Type, As: t.As, Description: name, Reason: "when: " + t.When.Source()}
		}
	}
	b := TaskBegun{Path: path, Type: t.Type, As: t.As, Description: name}
	var err error
	b.Gated, err = p.gated(ctx, t, scope)
	if err != nil {
		return p.begun(path, t, name, err)
	}
	for _, field := range []struct {
		key      string
		value    playbooks.Value
		fallback time.Duration
		into     *time.Duration
	}{{"try_sleep", t.TrySleep, defaultTrySleep, &b.TrySleep}, {"pre_sleep", t.PreSleep, 0, &b.PreSleep}} {
		if *field.into, err = duration(ctx, field.key, field.value, field.fallback, scope); err != nil {
			return p.begun(path, t, name, err)
		}
	}
	if b.Tries, err = tries(ctx, t.Tries, scope); err != nil {
		return p.begun(path, t, name, err)
	}
	return b
}

// defaultTrySleep is 2017's.
const defaultTrySleep = 10 * time.Second

// begun begins a task that cannot be carried out: its first attempt will find the same error.
func (p *performer) begun(path Path, t *playbooks.Task, name string, err error) Payload {
	p.engine.logger.Warn("task cannot begin", "run", p.run.ID, "task", path, "error", err)
	return TaskBegun{Path: path, Type: t.Type, As: t.As, Description: name, Tries: 1, Broken: p.engine.redact.text(err.Error())}
}

func (p *performer) failBegin(path Path, t *playbooks.Task, message string) []Payload {
	return []Payload{TaskBegun{Path: path, Type: t.Type, As: t.As, Description: t.Type + " task", Tries: 1, Broken: message}}
}

func (p *performer) describe(ctx context.Context, t *playbooks.Task, scope playbooks.Scope) string {
	if !t.Description.IsZero() {
		if v, err := t.Description.Render(ctx, scope); err == nil {
			return p.engine.redact.text(fmt.Sprint(v))
		}
	}
	return t.Type + " task"
}

// gated says why a task asks before it starts; empty when it does not.
func (p *performer) gated(ctx context.Context, t *playbooks.Task, scope playbooks.Scope) (string, error) {
	if t.Destructive {
		return "destructive", nil
	}
	name := ""
	for _, entry := range t.Properties.Entries() {
		if entry.Key == "action" {
			v, err := entry.Value.Render(ctx, scope)
			if err != nil {
				return "", err
			}
			name = fmt.Sprint(v)
		}
	}
	rule, _ := p.engine.opts.Policy.Gate(t.Type, name)
	return rule, nil
}

// attempt starts and ends one attempt. The intent is on disk before the task runs.
func (p *performer) attempt(ctx context.Context, a action) []Payload {
	step := p.run.Steps[a.path]
	if step.Broken != "" {
		return p.failAttempt(a.path, step.Broken)
	}
	props, err := p.properties(ctx, a)
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	task, err := p.decode(a.task, props)
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	if a.approval != nil && a.approval.State == ApprovalGranted {
		if why := p.outdated(ctx, a.approval); why != "" {
			return []Payload{ApprovalVoided{Approval: a.approval.Approval, Reason: why}}
		}
	}
	timeout, err := duration(ctx, "timeout", a.task.Timeout, 0, p.scope())
	if err != nil {
		return p.failAttempt(a.path, err.Error())
	}
	started := p.intent(a, step, task, props)
	if err := p.record(p.startFacts(step, started)...); err != nil {
		return nil // nothing was begun; the log has the error
	}
	p.started = &started
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, Errorf(CodeTimeout, "timed out after %s", timeout))
		defer cancel()
	}
	return p.outcome(ctx, started, task, step.firstStart())
}

// properties are the sealed ones of the approval, else rendered now.
func (p *performer) properties(ctx context.Context, a action) (*playbooks.Properties, error) {
	if a.approval != nil {
		return playbooks.FromMap(a.approval.Sealed), nil
	}
	return p.render(ctx, a.task)
}

func (p *performer) render(ctx context.Context, t *playbooks.Task) (*playbooks.Properties, error) {
	tt, _ := p.engine.opts.Types.task(t.Type) // an unknown type is found when it is decoded
	return playbooks.Rendered(t.Properties, ctx, p.scope(), tt.ShellText...)
}

func (p *performer) decode(t *playbooks.Task, props *playbooks.Properties) (Task, error) {
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
		Properties: p.engine.redact.tree(props.Values()), Key: idempotencyKey(p.run.ID, a.path, step.series()),
	}
	if t, ok := task.(Targeted); ok {
		s.Nodes = t.Targets()
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

// outcome runs the task and describes what came of it.
func (p *performer) outcome(ctx context.Context, s AttemptStarted, task Task, first time.Time) []Payload {
	notes := &notebook{}
	began := time.Now()
	if first.IsZero() {
		first = began
	}
	result, err := task.Run(ctx, p.call(s, first, notes))
	if err != nil && errors.Is(context.Cause(ctx), errStopping) {
		return nil // the process ends; the next one finds the intent and decides
	}
	ended := AttemptEnded{
		Path: s.Path, Attempt: s.Attempt, OK: err == nil, Result: p.engine.redact.result(result),
		Notes: p.engine.redact.lines(notes.lines()), Runtime: time.Since(began),
	}
	if err != nil {
		ended.Code = string(failureCode(ctx, err))
		ended.Result.Message = p.engine.redact.text(failureMessage(ctx, err, result))
	}
	return []Payload{ended}
}

func failureCode(ctx context.Context, err error) Code {
	if errors.Is(context.Cause(ctx), errCancelled) {
		return CodeCanceled
	}
	if c := CodeOf(context.Cause(ctx)); ctx.Err() != nil && c == CodeTimeout {
		return c
	}
	if c := CodeOf(err); c != CodeInternal {
		return c
	}
	return CodeFailed
}

func failureMessage(ctx context.Context, err error, result Result) string {
	message := err.Error()
	if result.Message != "" {
		message = result.Message
	}
	if ctx.Err() != nil {
		return fmt.Sprintf("%v: %s", context.Cause(ctx), message)
	}
	return message
}

// failAttempt is an attempt that could not even be started; it counts as a try.
func (p *performer) failAttempt(path Path, message string) []Payload {
	n := 1
	if step := p.run.Steps[path]; step != nil {
		n = len(step.Attempts) + 1
	}
	message = p.engine.redact.text(message)
	return []Payload{
		AttemptStarted{Path: path, Attempt: n, Effect: ReadOnly},
		AttemptEnded{Path: path, Attempt: n, Code: string(CodeInvalid), Result: Result{Message: message}},
	}
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

// duration renders a duration: a bare number is seconds.
func duration(ctx context.Context, key string, v playbooks.Value, fallback time.Duration, scope playbooks.Scope) (time.Duration, error) {
	if v.IsZero() {
		return fallback, nil
	}
	raw, err := v.Render(ctx, scope)
	if err != nil {
		return 0, err
	}
	props := playbooks.FromMap(map[string]any{key: raw})
	d := props.Duration(key, fallback)
	return d, props.Err()
}

func tries(ctx context.Context, v playbooks.Value, scope playbooks.Scope) (int, error) {
	if v.IsZero() {
		return 1, nil
	}
	raw, err := v.Render(ctx, scope)
	if err != nil {
		return 0, err
	}
	props := playbooks.FromMap(map[string]any{"tries": raw})
	n := props.Int("tries", 1)
	if err := props.Err(); err != nil {
		return 0, err
	}
	if n < 1 {
		return 0, Errorf(CodeInvalid, "tries is %d; it must be at least 1", n)
	}
	return n, nil
}

// notebook collects notes, bounded by [MaxNotes].
type notebook struct {
	mu      sync.Mutex // guards what follows
	kept    []string
	dropped int
}

func (n *notebook) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kept) == MaxNotes {
		n.kept = n.kept[1:]
		n.dropped++
	}
	n.kept = append(n.kept, line)
}

func (n *notebook) lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dropped == 0 {
		return n.kept
	}
	return append([]string{fmt.Sprintf("… %d earlier lines are left out", n.dropped)}, n.kept...)
}

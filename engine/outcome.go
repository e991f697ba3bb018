package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// outcome runs the task and describes what came of it.
func (p *performer) outcome(ctx context.Context, s AttemptStarted, task Task, first time.Time) []Payload {
	notes := &notebook{}
	began := time.Now()
	if first.IsZero() {
		first = began
	}
	result, err := task.Run(ctx, p.call(ctx, s, first, notes))
	if err != nil && (errors.Is(err, errStopping) || errors.Is(context.Cause(ctx), errStopping)) {
		return nil // the process ends; the next one finds the intent and decides
	}
	ended := AttemptEnded{
		Path: s.Path, Attempt: s.Attempt, OK: err == nil, Result: p.redact().result(result),
		Notes: p.redact().lines(notes.lines()), Runtime: time.Since(began),
	}
	if err != nil {
		ended.Code = string(failureCode(ctx, err))
		ended.Result.Message = p.redact().text(failureMessage(ctx, err, result))
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
	if ctx.Err() != nil && message != context.Cause(ctx).Error() {
		return fmt.Sprintf("%v: %s", context.Cause(ctx), message)
	}
	return message
}

// failAttempt is an attempt that could not even be started; it counts as a try.
func (p *performer) failAttempt(path Path, message string) []Payload {
	step := p.run.Steps[path]
	started := AttemptStarted{Path: path, Attempt: len(step.Attempts) + 1, Effect: ReadOnly}
	return append(p.startFacts(step, started), AttemptEnded{
		Path: path, Attempt: started.Attempt, Code: string(CodeInvalid), Result: Result{Message: p.redact().text(message)},
	})
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

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/playbot/playbot/playbooks"
)

const (
	inboxSize = 64
	// flushAfter bounds how long an outcome may wait to share a commit with the next intent.
	flushAfter = 5 * time.Millisecond
	// retryWrite is the pause between attempts to write while the disk refuses.
	retryWrite = time.Second
)

// mail asks a run to decide something on its present state. The zero mail only wakes it.
type mail struct {
	decide func(*Run) ([]Payload, error)
	reply  chan error // buffered
	note   bool       // a runner takes it also while the engine stops
}

// runner owns one run while it is doing something: it alone appends to the run's stream.
// Facts are applied to the fold at once and written with the next flush; nothing is done and
// nobody is answered before that.
type runner struct {
	engine *Engine
	id     RunID
	inbox  chan mail

	run     *Run
	book    *playbooks.Playbook
	session *session
	pending []Payload
	written Seq
	work    *work
	// locksKnown says that what the log calls held is held by this process.
	locksKnown bool
	lost       error // the stream moved on by another hand: the fold is not the run's any more
}

// loop is the life of a runner.
func (r *runner) loop() {
	ctx := context.WithoutCancel(r.engine.base)
	if err := r.load(ctx); err != nil {
		r.unreadable(ctx, err)
		return
	}
	r.session = r.engine.session(r.id, r.book)
	r.weigh()
	for {
		if r.work != nil {
			r.attend(ctx)
			continue
		}
		if r.lost != nil {
			r.giveUp(r.lost)
			return
		}
		if r.drain(ctx) && r.stopped() {
			_ = r.flush(ctx) // logged there; the next process finds what is written
			r.giveUp(errNotTaken)
			return
		}
		a := r.next(time.Now())
		r.engine.logger.DebugContext(ctx, "decided", "run", r.id, "do", a.do, "task", a.path, "reason", a.reason)
		if r.act(ctx, a) {
			return
		}
	}
}

// drain answers the mail that has arrived and reports whether the inbox was emptied.
func (r *runner) drain(ctx context.Context) bool {
	for {
		select {
		case m := <-r.inbox:
			r.answer(ctx, m)
		default:
			return true
		}
	}
}

func (r *runner) stopped() bool {
	select {
	case <-r.engine.stop:
		return true
	default:
		return false
	}
}

// giveUp refuses what is in the inbox and retires.
func (r *runner) giveUp(err error) { r.refuse(err, time.Time{}, true) }

// refuse answers what is in the inbox with err, and retires; see [Engine.retire].
func (r *runner) refuse(err error, wake time.Time, ended bool) {
	for !r.engine.retire(r, wake, ended) {
		select {
		case m := <-r.inbox:
			if m.reply != nil {
				m.reply <- err
			}
		default:
		}
	}
}

// answer lets mail decide, and replies when what it decided is on disk.
func (r *runner) answer(ctx context.Context, m mail) {
	if m.decide == nil {
		return
	}
	wasCancelled := r.run.Cancel != nil
	facts, err := m.decide(r.run)
	if err == nil {
		r.record(facts...)
	}
	if unwritten := r.flush(ctx); unwritten != nil { // a refusal may rest on what is not on disk either
		err = unwritten
	}
	if !wasCancelled && r.run.Cancel != nil && r.work != nil && !r.work.last {
		r.work.cancelled = true
		r.work.cancel(errCancelled)
	}
	r.weigh() //nolint:contextcheck // a look-up lives as long as the engine lets it
	m.reply <- err
}

// record applies facts to the fold and keeps them for the next flush.
func (r *runner) record(facts ...Payload) {
	for _, f := range facts {
		r.pending = append(r.pending, f)
		r.run.Apply(Event{Stream: r.id.Stream(), Seq: r.run.Seq + 1, Time: time.Now(), Payload: f})
	}
}

// flush writes what is pending. While the disk refuses, it tries again: what happened must not be
// lost, and nothing new may begin. It gives up only when the engine is killed.
func (r *runner) flush(ctx context.Context) error {
	if r.lost != nil {
		r.pending = nil
		return r.lost
	}
	for len(r.pending) > 0 {
		seq, err := r.engine.opts.Log.Append(ctx, r.id.Stream(), r.written, r.pending...)
		if err == nil {
			r.written, r.pending = seq, nil
			break
		}
		r.engine.logger.ErrorContext(ctx, "events cannot be written", "run", r.id, "error", err)
		if errors.Is(err, ErrConflict) {
			r.pending, r.lost = nil, fmt.Errorf("run %s: %w", r.id.Short(), err)
			if r.work != nil {
				r.work.cancel(errStopping)
			}
			return r.lost
		}
		select {
		case <-time.After(retryWrite):
		case <-r.engine.base.Done():
			return fmt.Errorf("write events of run %s: %w", r.id.Short(), err)
		}
	}
	if !r.run.Ended.IsZero() {
		r.engine.leases.free(r.id) // not before the end is on disk: nobody may have the nodes beside this run there
		r.engine.families.end(r.id, r.run.Requested.Parent)
		r.engine.active.end(r.id)
		r.engine.announceEnd(r.id)
	}
	return nil
}

// act carries an action out, or starts a worker that does. It reports whether the runner has retired.
func (r *runner) act(ctx context.Context, a action) bool {
	switch a.do {
	case doNothing, doWait:
		if err := r.flush(ctx); err != nil {
			r.giveUp(err)
			return true
		}
		return r.engine.retire(r, a.until, a.do == doNothing)
	case doExpire:
		r.record(ApprovalExpired{Approval: a.approval.Approval})
	case doRemind:
		r.record(a.approval.reminder())
	case doSecrets:
		r.record(SecretsNeeded{Names: r.lacks()})
	case doVoid:
		r.record(ApprovalVoided{Approval: a.approval.Approval, Reason: a.message})
	case doHold:
		r.record(RunHeld{Before: a.path, Wave: a.wave})
	case doLinger:
		r.record(RunLingers{Status: a.end})
	case doWave:
		if a.approval != nil && a.approval.State != ApprovalUsed { // what it covers is looked at once more
			r.start(a) //nolint:contextcheck // a worker lives as long as the engine lets it
			break
		}
		if w := r.run.Steps[a.path].nextWave(a.wave, a.approval, time.Now()); len(w.Nodes) > 0 {
			r.record(w)
		} // else its time has run out meanwhile: what is next is decided again
	case doUnknown:
		r.record(AttemptUnknown{Path: a.path, Attempt: r.run.Steps[a.path].Last().Attempt})
	case doEndTask:
		r.record(TaskEnded{Path: a.path, Status: a.status, Message: r.redact().text(a.message), Result: a.result})
	case doEnd:
		r.record(RunEnded{Status: a.end, Message: r.redact().text(a.message)})
	default:
		r.start(a) //nolint:contextcheck // a worker lives as long as the engine lets it
	}
	return false
}

// start gives an action that may block to a worker.
func (r *runner) start(a action) {
	workCtx, cancel := context.WithCancelCause(r.engine.base)
	w := &work{
		last: a.do == doRelease || a.do == doUnlock || a.do == doEndChildren || a.path.Root() == "always", cancel: cancel,
		begins: a.begins(), words: r.run.words(),
		record: make(chan recordRequest), done: make(chan []Payload, 1),
	}
	p := &performer{
		engine: r.engine, run: r.run.Clone(), book: r.book, path: a.path, session: r.session,
		record: func(facts ...Payload) error {
			reply := make(chan error, 1)
			w.record <- recordRequest{facts: facts, reply: reply}
			return <-reply
		},
	}
	if a.approval != nil { // of the copy: a yes may be taken back while the worker looks at it
		a.approval, _ = p.run.Approval(a.approval.Approval)
	}
	p.scope = sync.OnceValue(p.view)
	r.work = w
	r.engine.wg.Go(func() {
		defer cancel(nil)
		w.done <- r.guarded(workCtx, p, a)
	})
}

// guarded is the one place where a panic is caught: it fails one attempt, not the bot.
func (r *runner) guarded(ctx context.Context, p *performer, a action) (facts []Payload) {
	defer func() {
		if v := recover(); v != nil {
			r.engine.logger.ErrorContext(ctx, "panic", "run", r.id, "task", a.path, "panic", r.redact().text(fmt.Sprint(v)), "stack", string(debug.Stack()))
			facts = p.afterPanic(a, fmt.Sprint(v))
		}
	}()
	facts = p.perform(ctx, a)
	if p.started == nil && errors.Is(context.Cause(ctx), errStopping) {
		return nil // the process ends; whatever failed may have failed for that, and the next one does it again
	}
	return facts
}

// attend serves the worker and the inbox until the worker is done.
func (r *runner) attend(ctx context.Context) {
	flush := time.NewTimer(flushAfter)
	defer flush.Stop()
	for r.work != nil {
		select {
		case m := <-r.inbox:
			r.answer(ctx, m)
		case q := <-r.work.record:
			switch {
			case r.work.cancelled: // a cancelled run begins nothing, however far its worker has come
				q.reply <- errCancelled
			case q.begins() && r.work.outdated(r.run):
				q.reply <- errSteered
			default:
				r.work.begun = r.work.begun || q.begins()
				r.record(q.facts...)
				q.reply <- r.flush(ctx)
			}
		case <-flush.C:
			_ = r.flush(ctx) // logged there; the worker's next record tries again
		case facts := <-r.work.done:
			if r.work.outdated(r.run) {
				facts = nil // it was decided before: nothing was begun, and what is next is decided again
			}
			r.work = nil
			r.record(facts...)
		}
	}
}

package bot

import (
	"context"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// watch has the reply of a step that takes long posted while it goes on, and edited now and then. It only
// says when: posting is for the lane of the run's channel, so that a step never has two replies, and
// editing for the painter.
type watch struct {
	thread *thread
	wake   chan struct{}

	mu    sync.Mutex // guards what follows
	steps map[stepAt]*watched
}

type stepAt struct {
	run  engine.RunID
	path engine.Path
}

type watched struct {
	since   time.Time
	due     time.Time
	channel string // whose lane posts it
	shown   string // what the reply said of nodes, when it was edited last
}

const (
	// longStep is from when on a step has a reply before it ends: a little more than the 20 s for which nodes
	// are usually waited, or every step with a silent one would have a bar for a moment.
	longStep = 23 * time.Second
	// Such a reply is edited after a sixth of the time that it stands, so that a step of an hour has no more
	// than some twenty edits; never sooner than barEvery, and never later than barAtLeast.
	barEvery   = 15 * time.Second
	barAtLeast = 5 * time.Minute
	barShare   = 6
	// barSpared is what that leaves of the budget for cards and decisions.
	barSpared = 5
)

func newWatch(t *thread) *watch {
	return &watch{thread: t, wake: make(chan struct{}, 1), steps: map[stepAt]*watched{}}
}

// note sees what happens in a run: a step is watched from its first attempt to its end.
func (w *watch) note(run engine.RunID, channel string, ev engine.Event) {
	switch p := ev.Payload.(type) {
	case engine.AttemptStarted:
		w.begin(run, channel, p.Path, ev.Time)
	case engine.TaskEnded:
		w.end(func(at stepAt) bool { return at.run == run && at.path == p.Path })
	case engine.RunEnded:
		w.end(func(at stepAt) bool { return at.run == run })
	default: // nothing begins or ends
	}
}

func (w *watch) begin(run engine.RunID, channel string, path engine.Path, since time.Time) {
	if owner, _, ok := path.InWave(); ok { // a rolling task has the reply of its waves
		path = owner
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := stepAt{run, path}
	if w.steps[at] == nil {
		w.steps[at] = &watched{since: since, due: since.Add(longStep), channel: channel}
		poke(w.wake)
	}
}

func (w *watch) end(over func(stepAt) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at := range w.steps {
		if over(at) {
			delete(w.steps, at)
		}
	}
}

// again watches the steps of a run that were under way when the last process ended.
func (w *watch) again(run *engine.Run) {
	for _, p := range run.Order {
		if s := run.Steps[p]; s.Ended.IsZero() && len(s.Attempts) > 0 {
			w.begin(run.ID, run.Requested.Actor.Channel, p, s.Attempts[0].At)
		}
	}
}

// run works until stop is closed or ctx ends.
func (w *watch) run(ctx context.Context, stop <-chan struct{}) {
	for {
		at, channel, wait := w.next(time.Now())
		if at.run != "" {
			if err := guard(func() error { w.visit(ctx, at, channel); return nil }); err != nil {
				w.thread.bot.logger.ErrorContext(ctx, "a step under way cannot be shown", "run", at.run, "error", err, "stack", stackOf(err))
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-w.wake:
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// next is the step that is due first, or how long none is.
func (w *watch) next(now time.Time) (at stepAt, channel string, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wait = idleWait
	var first *watched
	for one, s := range w.steps {
		if s.due.After(now) {
			wait = min(wait, s.due.Sub(now))
		} else if first == nil || s.due.Before(first.due) {
			at, channel, first = one, s.channel, s
		}
	}
	if first != nil {
		first.due = now.Add(min(max(now.Sub(first.since)/barShare, barEvery), barAtLeast))
	}
	return at, channel, wait
}

// visit has the reply of a step posted that has none, or edited when it says something new and the budget
// has room for that.
func (w *watch) visit(ctx context.Context, at stepAt, channel string) {
	b := w.thread.bot
	run, err := b.opts.Runs.Load(ctx, at.run)
	if err != nil {
		return // drawing it says so
	}
	s := run.Steps[at.path]
	if s == nil || !s.Ended.IsZero() {
		w.end(func(one stepAt) bool { return one == at })
		return
	}
	if _, posted := run.Posts[stepRef(at.path)]; !posted {
		if cutOffNow(s) { // what people see of it is the question what became of it
			return
		}
		w.thread.lane(ctx, channel).push(ctx, job{run: at.run, long: at.path})
		return
	}
	st, ok := standingOf(run, s, b.progress(at.run), time.Now())
	if !ok || w.same(at, runMarkOf(s)+st.counts()) {
		return
	}
	if w.thread.painter.budget.try(barSpared) == 0 {
		w.thread.painter.spent(at.run, stepRef(at.path))
	} else {
		w.same(at, "") // it is said the next time
	}
}

// same reports whether a reply says that already, and notes that it does.
func (w *watch) same(at stepAt, text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.steps[at]
	if s == nil || s.shown == text {
		return true
	}
	s.shown = text
	return false
}

// progress is what the attempt tells that is under way in a run; nil when none tells anything.
func (b *Bot) progress(run engine.RunID) *engine.Progress {
	if b.opts.Progress == nil {
		return nil
	}
	if p, ok := b.opts.Progress(run); ok {
		return &p
	}
	return nil
}

// long posts the reply of a step that takes long, once.
func (t *thread) long(ctx context.Context, l *lane, run *engine.Run, path engine.Path) error {
	ref, s := stepRef(path), run.Steps[path]
	if _, posted := run.Posts[ref]; posted || s == nil || !s.Ended.IsZero() || cutOffNow(s) {
		return nil
	}
	now := time.Now()
	m := runningMessage(run, s, t.bot.progress(run.ID), now)
	place, err := t.say(ctx, l, run, tag{Key: askKey(run, ref)}, m)
	if err != nil {
		return err
	}
	t.painter.says(run, ref, m)
	if st, ok := standingOf(run, s, t.bot.progress(run.ID), now); ok {
		t.watch.same(stepAt{run.ID, path}, runMarkOf(s)+st.counts())
	}
	return t.bot.opts.Runs.Posted(context.WithoutCancel(ctx), run.ID, ref, place)
}

// finished has the reply that was posted while a step was under way say how it ended; false when there is none.
func (t *thread) finished(run *engine.Run, path engine.Path, pos engine.Pos) bool {
	if _, posted := run.Posts[stepRef(path)]; !posted {
		return false
	}
	t.painter.urgent(run.ID, stepRef(path), pos)
	return true
}

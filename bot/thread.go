package bot

import (
	"context"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// thread projects the log into Slack: a card for each run, a reply for each step, and the questions
// that people answer. Events are read in order; each channel has a lane of its own, so that one that
// Slack slows down does not hold up the others. The position up to which everything is drawn is
// saved, so that a restart goes on from there.
type thread struct {
	bot     *Bot
	track   *tracker
	painter *painter
	watch   *watch
	rooms   map[engine.RunID]string // where runs were asked for; of the reader alone

	started time.Time      // what happened before may have been drawn by another process
	workers sync.WaitGroup // that draw what is in the lanes

	mu      sync.Mutex // guards what follows
	lanes   map[string]*lane
	budgets map[string]*bucket // of posts, by channel
	began   engine.Pos         // where reading began
}

// cursorName is under which name the store keeps our position.
const cursorName = "bot"

// page is how many events are read at a time.
const page = 200

func newThread(b *Bot) *thread {
	t := &thread{bot: b, track: newTracker(), lanes: map[string]*lane{}, budgets: map[string]*bucket{}, rooms: map[engine.RunID]string{}}
	t.painter, t.watch = newPainter(t), newWatch(t)
	return t
}

// run reads events until closing ends and everything read is drawn, or ctx ends.
func (t *thread) run(ctx, closing context.Context) {
	after, err := t.bot.opts.Feed.Cursor(ctx, cursorName)
	if err != nil {
		t.bot.logger.ErrorContext(ctx, "position in the log is lost; old messages may be repeated", "error", err)
	}
	t.mu.Lock()
	t.began = after
	t.mu.Unlock()
	t.track.start(after)
	t.started = time.Now()
	t.refresh(ctx)
	var wg sync.WaitGroup
	stopPainter := make(chan struct{})
	wg.Go(func() { t.painter.run(ctx, stopPainter) })
	stopWatch, watching := make(chan struct{}), make(chan struct{})
	go func() { defer close(watching); t.watch.run(ctx, stopWatch) }()
	saver := make(chan struct{})
	wg.Go(func() { t.save(ctx, saver) })
	wg.Go(func() { t.vigil(ctx, closing) })
	t.read(ctx, closing, after)
	close(stopWatch)
	<-watching // it pushes into lanes
	t.track.drained(ctx)
	close(stopPainter)
	close(saver)
	wg.Wait() // what the painter finds lost at the end is still posted
	t.mu.Lock()
	for _, l := range t.lanes {
		l.close()
	}
	t.mu.Unlock()
	t.workers.Wait()
	t.store(ctx)
}

// beganAt is where reading began: whatever is behind it has been seen.
func (t *thread) beganAt() engine.Pos {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.began
}

// refresh has the cards of everything that is under way drawn again: an ordinary edit that was due
// when the last process ended is in no log.
func (t *thread) refresh(ctx context.Context) {
	ids, err := t.bot.opts.Feed.Unfinished(ctx)
	if err != nil {
		t.bot.logger.ErrorContext(ctx, "unfinished runs cannot be listed; their cards may be old", "error", err)
		return
	}
	for _, id := range ids {
		run, err := t.bot.opts.Runs.Load(ctx, id)
		if err != nil {
			continue // drawing it will say so
		}
		if at, ok := run.Place(); ok {
			t.bot.remember(at, id)
			t.painter.touch(id)
			t.watch.again(run)
		}
	}
}

// read hands events to the lanes until closing ends and none are left.
func (t *thread) read(ctx, closing context.Context, after engine.Pos) {
	feed := t.bot.opts.Feed
	for ctx.Err() == nil {
		events, err := feed.Since(ctx, after, page)
		if err != nil {
			t.bot.logger.ErrorContext(ctx, "log cannot be read", "error", err)
			if !pause(closing, time.Second) {
				return
			}
			continue
		}
		for _, ev := range events {
			after = ev.Pos
			t.take(ctx, ev)
		}
		switch {
		case len(events) > 0:
		case closing.Err() != nil:
			return
		default:
			if err := feed.Wait(closing, after); err != nil && closing.Err() == nil {
				t.bot.logger.WarnContext(ctx, "log cannot be watched", "error", err)
				if !pause(closing, time.Second) {
					return
				}
			}
		}
	}
}

// take gives one event to the lane of its run's channel.
func (t *thread) take(ctx context.Context, ev engine.Event) {
	run, ok := ev.Stream.Run()
	if !ok || !shows(ev.Payload) {
		t.track.pass(ev.Pos)
		return
	}
	if p, ok := ev.Payload.(engine.Announced); ok {
		t.bot.remember(p.Place, run)
		t.track.pass(ev.Pos)
		return
	}
	channel, err := t.roomOf(ctx, run, ev.Payload)
	if err != nil {
		t.bot.logger.ErrorContext(ctx, "run cannot be drawn", "run", run, "error", err)
		t.track.pass(ev.Pos)
		return
	}
	t.bot.homes.changed()
	t.watch.note(run, channel, ev)
	t.track.begin(ev.Pos)
	t.lane(ctx, channel).push(ctx, job{run: run, event: ev})
}

// roomOf is the channel in which a run was asked for.
func (t *thread) roomOf(ctx context.Context, run engine.RunID, p engine.Payload) (string, error) {
	if asked, ok := p.(engine.RunRequested); ok {
		t.rooms[run] = asked.Actor.Channel
	}
	channel, known := t.rooms[run]
	if !known {
		state, err := t.bot.opts.Runs.Load(ctx, run)
		if err != nil {
			return "", err
		}
		channel = state.Requested.Actor.Channel
		t.rooms[run] = channel
	}
	if _, over := p.(engine.RunEnded); over {
		delete(t.rooms, run)
	}
	return channel, nil
}

// shows reports whether an event changes what people see.
func shows(p engine.Payload) bool {
	switch p.(type) {
	case engine.Posted, engine.LocksRequested, engine.LocksTaken, engine.LocksReleased, engine.PlaybookKept, engine.Refused, engine.Unread:
		return false
	default:
		return true
	}
}

// lane returns the lane of a channel, and starts it when there is none.
func (t *thread) lane(ctx context.Context, channel string) *lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lanes[channel]
	if l == nil {
		l = newLane()
		t.lanes[channel] = l
		t.workers.Go(func() { t.work(ctx, l) })
	}
	return l
}

// repair draws the card and the questions of a run again, because somebody pressed a button that was over.
func (t *thread) repair(run engine.RunID) { t.painter.repair(run) }

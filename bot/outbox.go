package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// work draws what is in a lane. What Slack does not take now goes back, and is drawn later as it is then.
// What ctx cuts off counts as not drawn, so that it is drawn after a restart.
func (t *thread) work(ctx context.Context, l *lane) {
	for group := l.next(ctx); group != nil; group = l.next(ctx) {
		said, err := t.drawn(ctx, l, group)
		if err != nil && ctx.Err() != nil {
			return
		}
		if late, again := postponed(err); again {
			if l.tries++; late.known || l.tries < maxTries {
				wait := late.after(l.tries)
				t.bot.logger.WarnContext(ctx, "slack does not take a message; trying again", "run", group[0].run, "error", late.err, "wait", wait)
				l.back(group)
				pause(ctx, wait)
				continue
			}
		}
		if err != nil {
			t.bot.logger.WarnContext(ctx, "event not drawn", "run", group[0].run, "kind", group[0].kind(), "error", err)
		}
		t.finish(ctx, l, group, said)
	}
}

func (j job) kind() string {
	switch {
	case j.mend != nil:
		return "lost message"
	case j.long != "":
		return "step under way"
	}
	return j.event.Kind()
}

// finish counts a group as drawn.
func (t *thread) finish(ctx context.Context, l *lane, group []job, said bool) {
	l.done(group)
	for _, j := range group {
		switch {
		case j.mend != nil:
			for _, pos := range j.mend.ends {
				t.track.end(pos)
			}
		case j.long == "":
			t.track.end(j.event.Pos)
		}
	}
	if said && group[0].mend == nil {
		t.told(ctx, group)
	}
}

// drawn draws a group. A mistake in a drawing costs that drawing: the thread gets a plain line instead.
func (t *thread) drawn(ctx context.Context, l *lane, group []job) (said bool, err error) {
	err = guard(func() (err error) { said, err = t.draw(ctx, l, group); return err })
	broken, ok := errors.AsType[*panicked](err)
	if !ok {
		return said, err
	}
	t.bot.blame(group[0].run, broken)
	err = guard(func() error { return t.plainly(ctx, l, group) })
	return err == nil, err
}

// plainly says that there is something that cannot be drawn.
func (t *thread) plainly(ctx context.Context, l *lane, group []job) error {
	run, err := t.bot.opts.Runs.Load(ctx, group[0].run)
	if err != nil {
		return err
	}
	if err := t.card(ctx, l, run); err != nil {
		return err
	}
	t.painter.touch(run.ID)
	last := group[len(group)-1]
	if last.mend != nil || last.long != "" || weightOf(last.event.Payload) == weighsCard || t.wasTold(ctx, run.ID, last.event.Pos) {
		return nil
	}
	return t.reply(ctx, l, run, plainMessage(run, fmt.Sprintf("%s (%s)", last.kind(), run.Status)))
}

// put posts a message of a run, once. The error is a *postponement when that may be done later.
func (t *thread) put(ctx context.Context, l *lane, run *engine.Run, at engine.Place, own tag, m message, more ...slack.MsgOption) (engine.Place, error) {
	if !t.turn(ctx, at.Channel) {
		return engine.Place{}, context.Cause(ctx)
	}
	own.Run = run.ID
	post := func(m message) (place engine.Place, err error) {
		began := time.Now()
		err = once(ctx, func(ctx context.Context) (err error) {
			place, err = t.bot.postAs(ctx, at, own, m, more...)
			return err
		})
		if _, known := l.doubt[run.ID]; uncertain(err) && !known {
			l.doubt[run.ID] = doubt{since: began, channel: at.Channel}
		}
		return place, err
	}
	place, err := post(m)
	if unsound(err) {
		t.bot.logger.ErrorContext(ctx, "slack refuses a drawing; showing a plain one", "run", run.ID, "error", err)
		place, err = post(plainMessage(run, string(run.Status)))
	}
	return place, err
}

// turn waits until one more message may be posted in a channel.
func (t *thread) turn(ctx context.Context, channel string) bool {
	t.mu.Lock()
	b := t.budgets[channel]
	if b == nil {
		b = newBucket(postBurst, postEvery)
		t.budgets[channel] = b
	}
	t.mu.Unlock()
	return b.take(ctx)
}

// suspect notes that what happened before this process began may be drawn already: the one before may have
// ended before it could write that down.
func (t *thread) suspect(l *lane, run *engine.Run, j job) {
	at := j.event.Time
	if s := run.Steps[j.long]; s != nil && len(s.Attempts) > 0 {
		at = s.Attempts[0].At
	}
	if j.mend != nil || at.IsZero() || !at.Before(t.started) || l.looked[j.run] {
		return
	}
	l.looked[j.run] = true
	if _, known := l.doubt[j.run]; !known {
		l.doubt[j.run] = doubt{since: at}
	}
}

// sure finds out what stands in Slack of a run, when we cannot know: a call was cut off, or the process
// before this one was.
func (t *thread) sure(ctx context.Context, l *lane, run *engine.Run) error {
	d, unsure := l.doubt[run.ID]
	if !unsure {
		return nil
	}
	var there []tag
	for _, at := range t.mayStand(run, d) {
		some, err := t.bot.standing(ctx, at, d.since)
		if err != nil {
			return err
		}
		there = append(there, some...)
	}
	for _, m := range there {
		if m.Run != run.ID {
			continue
		}
		if err := t.recognise(ctx, run, m); err != nil {
			return err
		}
	}
	delete(l.doubt, run.ID)
	return nil
}

// mayStand are the places where a message of a run may be: below its card, and as a card itself.
func (t *thread) mayStand(run *engine.Run, d doubt) []engine.Place {
	card, posted := run.Place()
	var out []engine.Place
	if posted {
		out = append(out, card)
	}
	if !posted || d.channel != card.Channel && d.channel != "" {
		channel := d.channel
		if channel == "" {
			channel = run.Requested.Actor.Channel
		}
		out = append(out, engine.Place{Channel: channel})
	}
	return out
}

// recognise takes over what a message shows that was found.
func (t *thread) recognise(ctx context.Context, run *engine.Run, m tag) error {
	ctx = context.WithoutCancel(ctx)
	runs := t.bot.opts.Runs
	if m.Key == cardKey(run) {
		m.place.Team = run.Requested.Actor.Team
		run.Places = append(run.Places, m.place)
		t.bot.remember(m.place, run.ID)
		return runs.Announced(ctx, run.ID, m.place)
	}
	if ref, ok := askedAs(run, m.Key); ok && run.Posts[ref] != m.place {
		if run.Posts == nil {
			run.Posts = map[string]engine.Place{}
		}
		run.Posts[ref] = m.place
		return runs.Posted(ctx, run.ID, ref, m.place)
	}
	if m.Through > 0 && !t.wasTold(ctx, run.ID, m.Through) {
		return t.bot.opts.Feed.SaveCursor(ctx, toldName(run.ID), m.Through)
	}
	return nil
}

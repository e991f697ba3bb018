package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// draw shows what a group of events says. said reports whether a reply was posted.
func (t *thread) draw(ctx context.Context, l *lane, group []job) (said bool, err error) {
	run, err := t.ready(ctx, l, group[0])
	if err != nil {
		return false, err
	}
	if m := group[0].mend; m != nil {
		return false, t.mend(ctx, l, run, m)
	}
	if path := group[0].long; path != "" {
		return false, t.long(ctx, l, run, path)
	}
	if weightOf(group[0].event.Payload) != weighsMore {
		t.painter.touch(run.ID)
		return t.steps(ctx, l, run, group)
	}
	return t.single(ctx, l, run, group[0].event) // which is alone in its group
}

// ready is a run of which we know what stands in Slack, with a card.
func (t *thread) ready(ctx context.Context, l *lane, first job) (*engine.Run, error) {
	run, err := t.bot.opts.Runs.Load(ctx, first.run)
	if err != nil {
		return nil, err
	}
	t.suspect(l, run, first)
	if err := t.sure(ctx, l, run); err != nil {
		return nil, err
	}
	return run, t.card(ctx, l, run)
}

// single shows an event that takes a message or an edit of its own.
func (t *thread) single(ctx context.Context, l *lane, run *engine.Run, first engine.Event) (said bool, err error) {
	switch p := first.Payload.(type) {
	case engine.ApprovalAsked:
		t.painter.touch(run.ID)
		return false, t.ask(ctx, l, run, approvalRef(p.Approval))
	case engine.AttemptUnknown:
		t.painter.touch(run.ID)
		return false, t.ask(ctx, l, run, unknownRef(p.Path, p.Attempt))
	case engine.ApprovalGiven:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
	case engine.ApprovalDenied:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
	case engine.ApprovalExpired:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
	case engine.ApprovalVoided:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
	case engine.ApprovalTakenBack:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
	case engine.ApprovalReminded:
		t.painter.urgent(run.ID, approvalRef(p.Approval), first.Pos)
		return t.remind(ctx, l, run, p, first.Pos)
	case engine.AttemptResolved:
		t.painter.urgent(run.ID, unknownRef(p.Path, p.Attempt), first.Pos)
	case engine.SecretsNeeded:
		t.painter.touch(run.ID)
		return t.lost(ctx, l, run, first.Pos)
	case engine.WordWeighed:
		t.painter.touch(run.ID)
		return t.unheard(ctx, l, run, p, first.Pos)
	case engine.NodesUncompared:
		t.painter.touch(run.ID)
		if t.wasTold(ctx, run.ID, first.Pos) {
			return false, nil
		}
		return true, t.reply(ctx, l, run, uncomparedMessage(run, &p))
	case engine.RunPaused, engine.RunHeld, engine.RunResumed, engine.WaveSentOn, engine.WavesSlowed, engine.WavesStopped:
		return t.steered(ctx, l, run, first)
	case engine.RunEnded:
		if n := len(run.Pauses); n > 0 && run.Pauses[n-1].Resumed == nil { // nobody lets it go on now
			t.painter.urgent(run.ID, pauseRef(&run.Pauses[n-1]), first.Pos)
		}
		t.painter.urgent(run.ID, unknownRefs, first.Pos) // one that nobody answered is over now
		return t.end(ctx, l, run, first.Pos)
	default: // nothing else needs a message of its own
	}
	return false, nil
}

// card posts the card of a run that has none, and adds what that changed.
func (t *thread) card(ctx context.Context, l *lane, run *engine.Run) error {
	if _, ok := run.Place(); ok {
		return nil
	}
	place, err := t.postCard(ctx, l, run, "")
	if err != nil {
		return err
	}
	run.Places = append(run.Places, place)
	return nil
}

// steps replies for the steps of a group that have ended, and were not replied for before a restart.
func (t *thread) steps(ctx context.Context, l *lane, run *engine.Run, group []job) (bool, error) {
	var paths []engine.Path
	for _, j := range group {
		ended, ok := j.event.Payload.(engine.TaskEnded)
		if ok && !quiet(ended) && !t.finished(run, ended.Path, j.event.Pos) && !t.wasTold(ctx, run.ID, j.event.Pos) {
			paths = append(paths, ended.Path)
		}
	}
	if len(paths) == 0 {
		return false, nil
	}
	return true, t.reply(ctx, l, run, t.bot.stepsMessage(run, paths))
}

// reply posts into the thread of a run, of what is being drawn.
func (t *thread) reply(ctx context.Context, l *lane, run *engine.Run, m message, more ...slack.MsgOption) error {
	own := tag{Key: "mend"}
	if n := len(l.group); n > 0 && l.group[0].mend == nil {
		own.Through = l.group[n-1].event.Pos
		own.Key = fmt.Sprintf("event/%d", l.group[0].event.Pos)
	}
	_, err := t.say(ctx, l, run, own, m, more...)
	return err
}

// say posts into the thread of a run. When that is gone, the run gets a new card, and the message stands
// below that.
func (t *thread) say(ctx context.Context, l *lane, run *engine.Run, own tag, m message, more ...slack.MsgOption) (engine.Place, error) {
	at, _ := run.Place()
	place, err := t.put(ctx, l, run, at, own, m, more...)
	if !lostAt(err) {
		return place, err
	}
	if err := t.move(ctx, l, run, refused(err)); err != nil {
		return engine.Place{}, err
	}
	if err := t.askBelow(ctx, l, run); err != nil {
		return engine.Place{}, err
	}
	at, _ = run.Place()
	return t.put(ctx, l, run, at, own, m, more...)
}

// ask posts a question with buttons, once: where it stands is kept, so that it can become a record.
// One that was answered before it could be posted is posted as the record.
func (t *thread) ask(ctx context.Context, l *lane, run *engine.Run, ref string) error {
	if _, posted := run.Posts[ref]; posted {
		return nil
	}
	return t.pose(ctx, l, run, ref)
}

// pose posts a question, or the record of its answer.
func (t *thread) pose(ctx context.Context, l *lane, run *engine.Run, ref string) error {
	t.bot.compare(ctx, run, ref)
	q, ok := t.bot.safeQuestion(run, ref)
	if !ok {
		return nil
	}
	at, _ := run.Place()
	place, err := t.put(ctx, l, run, at, tag{Key: askKey(run, ref)}, q.message)
	if lostAt(err) {
		if err := t.move(ctx, l, run, refused(err)); err != nil {
			return err
		}
		at, _ = run.Place()
		place, err = t.put(ctx, l, run, at, tag{Key: askKey(run, ref)}, q.message)
	}
	if err != nil {
		return err
	}
	t.painter.says(run, ref, q.message)
	_, before := run.Posts[ref]
	if err := t.bot.opts.Runs.Posted(context.WithoutCancel(ctx), run.ID, ref, place); err != nil {
		return err
	}
	if a := run.Pending(); a != nil && !before && a.Ref() == ref && time.Since(a.At) > time.Minute {
		t.painter.repair(run.ID) // its time was standing still, which it does not say
	}
	return nil
}

// lost says which secrets a restart has lost, unless they were given meanwhile.
func (t *thread) lost(ctx context.Context, l *lane, run *engine.Run, pos engine.Pos) (bool, error) {
	if len(run.SecretsNeeded) == 0 || t.wasTold(ctx, run.ID, pos) {
		return false, nil
	}
	return true, t.reply(ctx, l, run, lostMessage(run))
}

// end says how a run ended; the channel hears of it when it failed, or when that was asked for.
func (t *thread) end(ctx context.Context, l *lane, run *engine.Run, pos engine.Pos) (bool, error) {
	if t.wasTold(ctx, run.ID, pos) {
		return false, nil
	}
	m := ending(run, t.bot.bookOf(ctx, run))
	if run.Status == engine.RunFailed || run.Requested.Broadcast {
		return true, t.reply(ctx, l, run, m, slack.MsgOptionBroadcast())
	}
	return true, t.reply(ctx, l, run, m)
}

// toldName is under which name the store keeps up to where a run's thread was told, when the
// position of the whole log lags behind because something else is not drawn yet.
func toldName(run engine.RunID) string { return cursorName + "/" + string(run) }

// told writes down that a reply is posted: a process that dies now does not post it again.
func (t *thread) told(ctx context.Context, group []job) {
	last := group[len(group)-1]
	if t.track.low() >= last.event.Pos {
		t.store(ctx)
		return
	}
	if err := t.bot.opts.Feed.SaveCursor(context.WithoutCancel(ctx), toldName(last.run), last.event.Pos); err != nil {
		t.bot.logger.WarnContext(ctx, "reply not noted; it may be repeated after a restart", "run", last.run, "error", err)
	}
}

func (t *thread) wasTold(ctx context.Context, run engine.RunID, pos engine.Pos) bool {
	at, err := t.bot.opts.Feed.Cursor(ctx, toldName(run))
	return err == nil && at >= pos
}

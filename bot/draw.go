package bot

import (
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// draw shows what a group of events says. said reports whether a reply was posted.
func (t *thread) draw(ctx context.Context, l *lane, group []job) (said bool, err error) {
	run, err := t.bot.opts.Runs.Load(ctx, group[0].run)
	if err != nil {
		return false, err
	}
	if err := t.card(ctx, l, run); err != nil {
		return false, err
	}
	if path := group[0].long; path != "" {
		return false, t.long(ctx, l, run, path)
	}
	first := group[0].event
	if weightOf(first.Payload) != weighsMore {
		t.painter.touch(run.ID)
		return t.steps(ctx, l, run, group)
	}
	return t.alone(ctx, l, run, first)
}

// alone shows what an event says that is alone in its group.
func (t *thread) alone(ctx context.Context, l *lane, run *engine.Run, first engine.Event) (said bool, err error) {
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
	if !l.budget.take(ctx) {
		return context.Cause(ctx)
	}
	place, err := t.postCard(ctx, run)
	if err != nil {
		return err
	}
	run.Places = append(run.Places, place)
	return nil
}

// postCard posts a card where the run was asked for, or in the ops room when the bot may not post there.
func (t *thread) postCard(ctx context.Context, run *engine.Run) (engine.Place, error) {
	b := t.bot
	channel := run.Requested.Actor.Channel
	if channel == "" {
		channel = b.opts.OpsChannel
	}
	if channel == "" {
		return engine.Place{}, errors.New("no channel: the run was not asked for in one, and slack.ops_channel is not set")
	}
	meta := slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "playbot_run", EventPayload: map[string]any{"run": string(run.ID)}})
	place, err := b.deliver(ctx, channel, "", b.cardMessage(ctx, run, channel), meta)
	if unreachable(err) && b.opts.OpsChannel != "" && channel != b.opts.OpsChannel {
		place, err = b.deliver(ctx, b.opts.OpsChannel, "", b.cardMessage(ctx, run, b.opts.OpsChannel), meta)
	}
	if err != nil {
		return engine.Place{}, err
	}
	place.Team = run.Requested.Actor.Team
	b.remember(place, run.ID)
	t.painter.posted(run.ID)
	return place, b.opts.Runs.Announced(context.WithoutCancel(ctx), run.ID, place)
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

// reply posts into the thread of a run.
func (t *thread) reply(ctx context.Context, l *lane, run *engine.Run, m message, more ...slack.MsgOption) error {
	if !l.budget.take(ctx) {
		return context.Cause(ctx)
	}
	at, _ := run.Place()
	_, err := t.bot.deliver(ctx, at.Channel, at.TS, m, more...)
	return err
}

// ask posts a question with buttons, once: where it stands is kept, so that it can become a record.
// One that was answered before it could be posted is posted as the record.
func (t *thread) ask(ctx context.Context, l *lane, run *engine.Run, ref string) error {
	if _, posted := run.Posts[ref]; posted {
		return nil
	}
	if !l.budget.take(ctx) {
		return context.Cause(ctx)
	}
	q, ok := t.bot.question(run, ref)
	if !ok {
		return nil
	}
	at, _ := run.Place()
	place, err := t.bot.deliver(ctx, at.Channel, at.TS, q.message)
	if err != nil {
		return err
	}
	if !q.open {
		t.painter.postedRecord(run.ID, ref, q.message)
	}
	return t.bot.opts.Runs.Posted(context.WithoutCancel(ctx), run.ID, ref, place)
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

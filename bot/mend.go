package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// mending is a message that cannot be written to any more and is to be posted anew.
type mending struct {
	ref  string // of a question; empty: the card
	lost engine.Place
	why  string       // the error with which Slack refused it
	ends []engine.Pos // drawn when this is
}

// replace has a message posted anew, by whoever posts in the run's thread, so that everything there keeps
// its order.
func (t *thread) replace(ctx context.Context, run *engine.Run, ref string, lost engine.Place, why string, ends []engine.Pos) {
	t.bot.logger.InfoContext(ctx, "message is lost; posting it anew", "run", run.ID, "ref", ref, "why", why)
	for _, pos := range ends {
		t.track.begin(pos)
	}
	t.lane(ctx, run.Requested.Actor.Channel).push(ctx, job{run: run.ID, mend: &mending{ref: ref, lost: lost, why: why, ends: ends}})
}

// mend posts what was lost anew, unless that was done meanwhile.
func (t *thread) mend(ctx context.Context, l *lane, run *engine.Run, m *mending) error {
	at, _ := run.Place()
	gone := closed(m.why) && at.Channel == m.lost.Channel
	if gone || m.ref == "" && at == m.lost {
		if err := t.move(ctx, l, run, m.why); err != nil {
			return err
		}
	}
	if m.ref == "" || run.Posts[m.ref] != m.lost {
		return t.askBelow(ctx, l, run)
	}
	return t.askAnew(ctx, l, run, m.ref)
}

// move gives a run a new card: in its channel, or when that is closed where the bot may post.
func (t *thread) move(ctx context.Context, l *lane, run *engine.Run, why string) error {
	avoid := ""
	if at, ok := run.Place(); ok && closed(why) {
		avoid = at.Channel
	}
	place, err := t.postCard(ctx, l, run, avoid)
	if err != nil {
		return err
	}
	run.Places = append(run.Places, place)
	return nil
}

// homes are the channels in which the card of a run may stand, the best first: where it was asked for, the
// ops room, and the conversation with whoever asked.
func (t *thread) homes(run *engine.Run) []string {
	who := run.Requested.Actor
	var out []string
	for _, channel := range []string{who.Channel, t.bot.opts.OpsChannel, who.User} {
		if channel == "" || channel == who.User && !mentionable(who) || slices.Contains(out, channel) {
			continue
		}
		out = append(out, channel)
	}
	return out
}

// cardKey is the key of the next card of a run.
func cardKey(run *engine.Run) string { return fmt.Sprintf("card/%d", len(run.Places)) }

// postCard posts a card where the run was asked for, or in the next place where the bot may post. Of the
// channel to avoid it is known that it may not.
func (t *thread) postCard(ctx context.Context, l *lane, run *engine.Run, avoid string) (engine.Place, error) {
	b := t.bot
	var errs []error
	for _, channel := range t.homes(run) {
		if channel == avoid {
			continue
		}
		m := b.cardAt(ctx, run, channel, engine.Place{})
		place, err := t.put(ctx, l, run, engine.Place{Channel: channel}, tag{Key: cardKey(run)}, m)
		if unreachable(err) {
			errs = append(errs, fmt.Errorf("post in %s: %w", channel, err))
			continue
		}
		if err != nil {
			return engine.Place{}, err
		}
		if len(errs) > 0 || avoid != "" {
			b.logger.WarnContext(ctx, "run is shown elsewhere", "run", run.ID, "channel", place.Channel, "error", errors.Join(errs...))
		}
		place.Team = run.Requested.Actor.Team
		b.remember(place, run.ID)
		t.painter.posted(run, m)
		return place, b.opts.Runs.Announced(context.WithoutCancel(ctx), run.ID, place)
	}
	return engine.Place{}, fmt.Errorf("there is no channel in which this run can be shown; set slack.ops_channel to one that the bot is in: %w", errors.Join(errs...))
}

// askBelow asks again, below the card of a run, what was asked below an earlier one and is still open.
func (t *thread) askBelow(ctx context.Context, l *lane, run *engine.Run) error {
	at, _ := run.Place()
	for _, ref := range slices.Sorted(maps.Keys(run.Posts)) {
		if run.Posts[ref].TS > at.TS { // the ts of messages grow
			continue
		}
		if q, ok := t.bot.safeQuestion(run, ref); !ok || !q.open {
			continue
		}
		if err := t.askAnew(ctx, l, run, ref); err != nil {
			return err
		}
	}
	return nil
}

// askAnew posts a question, or the record of its answer, that was lost. The buttons of a gate that are
// still somewhere do not count any more.
func (t *thread) askAnew(ctx context.Context, l *lane, run *engine.Run, ref string) error {
	id, gate := strings.CutPrefix(ref, approvalRef(""))
	if q, ok := t.bot.safeQuestion(run, ref); ok && q.open && gate {
		runs := t.bot.opts.Runs
		if err := runs.Reissue(context.WithoutCancel(ctx), run.ID, id); err != nil && engine.CodeOf(err) != engine.CodeConflict {
			return err
		}
		now, err := runs.Load(ctx, run.ID)
		if err != nil {
			return err
		}
		*run = *now
	}
	return t.pose(ctx, l, run, ref)
}

// askKey is the key of the message of a question; one that is asked anew has another.
func askKey(run *engine.Run, ref string) string {
	token := ""
	if id, gate := strings.CutPrefix(ref, approvalRef("")); gate {
		if a, ok := run.Approval(id); ok {
			token = a.Token
		}
	}
	return "ask/" + ref + "@" + token
}

// askedAs is the question that the message with a key shows as it is asked now.
func askedAs(run *engine.Run, key string) (ref string, ok bool) {
	rest, ok := strings.CutPrefix(key, "ask/")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 || askKey(run, rest[:at]) != key {
		return "", false
	}
	return rest[:at], true
}

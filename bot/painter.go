package bot

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// painter edits messages within Slack's budget: 40 edits a minute for the whole workspace. A card is
// edited at most once in three seconds, whatever happens in between; the newest state wins.
// Decisions and last edits go first and are never dropped.
type painter struct {
	thread *thread
	budget *bucket
	wake   chan struct{}

	mu       sync.Mutex // guards what follows
	cards    map[engine.RunID]*edit
	last     map[engine.RunID]stamps
	answered []answer
	recorded map[engine.RunID]map[string]string // texts of questions that were posted as records, by reference
	stopping bool
}

// edit is a card that is old.
type edit struct {
	due    time.Time
	urgent bool
	ends   []engine.Pos // drawn when this is
}

// stamps are when a card was posted and last edited.
type stamps struct{ posted, edited time.Time }

// answer is a question, or several, whose message is to become a record.
type answer struct {
	run engine.RunID
	ref string // of the question, or what the references of several begin with
	pos engine.Pos
	// paid says that the budget was asked for this edit already.
	paid bool
}

func newPainter(t *thread) *painter {
	return &painter{
		thread: t, budget: newBucket(updateBurst, updateEvery), wake: make(chan struct{}, 1),
		cards: map[engine.RunID]*edit{}, last: map[engine.RunID]stamps{}, recorded: map[engine.RunID]map[string]string{},
	}
}

// posted says that a card was posted as it is now.
func (p *painter) posted(run engine.RunID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[run] = stamps{posted: time.Now()}
}

// touch says that a card is old.
func (p *painter) touch(run engine.RunID) {
	p.mu.Lock()
	last := p.last[run]
	due := last.edited.Add(cardEvery)
	if other := last.posted.Add(cardEvery); other.After(due) {
		due = other
	}
	if p.cards[run] == nil {
		p.cards[run] = &edit{due: due}
	}
	p.mu.Unlock()
	poke(p.wake)
}

// urgent says that a question was answered or a run has ended. The position counts as drawn when
// the question and the card show it.
func (p *painter) urgent(run engine.RunID, ref string, pos engine.Pos) {
	p.thread.track.begin(pos)
	p.thread.track.begin(pos)
	p.mu.Lock()
	p.answered = append(p.answered, answer{run: run, ref: ref, pos: pos})
	e := p.hurry(run)
	e.ends = append(e.ends, pos)
	p.mu.Unlock()
	poke(p.wake)
}

// paid has a message edited for which the budget was asked already.
func (p *painter) paid(run engine.RunID, ref string) {
	p.mu.Lock()
	p.answered = append(p.answered, answer{run: run, ref: ref, paid: true})
	p.mu.Unlock()
	poke(p.wake)
}

// hurry makes the edit of a card urgent. The caller holds the lock.
func (p *painter) hurry(run engine.RunID) *edit {
	e := p.cards[run]
	if e == nil {
		e = &edit{}
		p.cards[run] = e
	}
	e.urgent, e.due = true, p.last[run].edited.Add(cardEvery)
	return e
}

// repair draws a run again, records included.
func (p *painter) repair(run engine.RunID) {
	p.mu.Lock()
	p.hurry(run)
	if again := (answer{run: run}); !slices.Contains(p.answered, again) {
		p.answered = append(p.answered, again)
	}
	p.mu.Unlock()
	poke(p.wake)
}

// run edits until stop is closed and no card is old, or ctx ends.
func (p *painter) run(ctx context.Context, stop <-chan struct{}) {
	for ctx.Err() == nil {
		now := p.next(time.Now())
		switch {
		case now.question != nil:
			p.record(ctx, *now.question)
			continue
		case now.card != nil:
			p.paint(ctx, now.run, now.card)
			continue
		case now.idle && p.ending():
			return
		}
		timer := time.NewTimer(now.wait)
		select {
		case <-p.wake:
		case <-timer.C:
		case <-stop:
			p.mu.Lock()
			p.stopping, stop = true, nil
			p.mu.Unlock()
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (p *painter) ending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// idleWait is how long the painter sleeps when there is nothing to do; it is woken before.
const idleWait = time.Hour

// turn is what the painter does next: a question, a card, or waiting.
type turn struct {
	question *answer
	run      engine.RunID
	card     *edit
	wait     time.Duration
	idle     bool
}

// next says what to edit now, or how long to wait.
func (p *painter) next(now time.Time) turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answered) > 0 {
		first := p.answered[0]
		p.answered = p.answered[1:]
		return turn{question: &first}
	}
	run, e := p.oldest(now)
	switch {
	case e == nil:
		return turn{wait: idleWait, idle: true}
	case e.due.After(now):
		return turn{wait: e.due.Sub(now)}
	}
	spare := updateSpared
	if e.urgent || p.stopping {
		spare = 0
	}
	if wait := p.budget.try(spare); wait > 0 {
		if soon, due := p.soonest(now); due {
			wait = min(wait, soon)
		}
		return turn{wait: wait}
	}
	delete(p.cards, run)
	s := p.last[run]
	s.edited = now
	p.last[run] = s
	return turn{run: run, card: e}
}

// oldest is the card that is edited next: one that is urgent and due, else the one due first. The
// caller holds the lock.
func (p *painter) oldest(now time.Time) (engine.RunID, *edit) {
	var run engine.RunID
	var first *edit
	for id, e := range p.cards {
		hurry := e.urgent && !e.due.After(now)
		switch {
		case first == nil:
		case hurry != (first.urgent && !first.due.After(now)):
			if !hurry {
				continue
			}
		case !e.due.Before(first.due):
			continue
		}
		run, first = id, e
	}
	return run, first
}

// soonest is when the next urgent card falls due. The caller holds the lock.
func (p *painter) soonest(now time.Time) (time.Duration, bool) {
	var soon time.Duration
	found := false
	for _, e := range p.cards {
		if wait := e.due.Sub(now); e.urgent && wait > 0 && (!found || wait < soon) {
			soon, found = wait, true
		}
	}
	return soon, found
}

// paint edits the card of a run.
func (p *painter) paint(ctx context.Context, id engine.RunID, e *edit) {
	b := p.thread.bot
	run, err := b.opts.Runs.Load(ctx, id)
	if err == nil {
		err = p.card(ctx, run)
	}
	if ctx.Err() != nil && err != nil {
		return // not drawn: it is after a restart
	}
	if err != nil {
		b.logger.WarnContext(ctx, "card not edited", "run", id, "error", err)
	}
	for _, pos := range e.ends {
		p.thread.track.end(pos)
	}
	p.mu.Lock()
	maps.DeleteFunc(p.last, func(_ engine.RunID, s stamps) bool { // what no longer holds an edit back
		return time.Since(s.edited) > cardEvery && time.Since(s.posted) > cardEvery
	})
	p.mu.Unlock()
}

func (p *painter) card(ctx context.Context, run *engine.Run) error {
	b := p.thread.bot
	at, ok := run.Place()
	if !ok {
		return nil
	}
	err := b.update(ctx, at, b.cardMessage(ctx, run, at.Channel))
	if refused(err) == "message_not_found" {
		_, err = p.thread.postCard(ctx, run) // somebody deleted it
	}
	return err
}

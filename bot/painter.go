package bot

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// painter edits messages within Slack's budget: 40 edits a minute for the whole workspace. It keeps
// messages that are old and not what to write into them: whatever happens before an edit, the newest
// state wins. A card is edited at most once in three seconds. Decisions and last edits go first and
// are never dropped.
type painter struct {
	thread *thread
	budget *bucket
	wake   chan struct{}

	mu       sync.Mutex // guards what follows
	edits    map[target]*edit
	last     map[engine.RunID]stamps
	shown    map[engine.RunID]saying // what messages said when they were written last
	until    time.Time               // Slack takes no edits before
	tries    int                     // how often in a row Slack did not take one
	stopping bool
}

// target is a message of a run that is old.
type target struct {
	run engine.RunID
	ref string // of a question, or what the references of several begin with; empty: the card
}

// allRefs is how the references of all questions begin, for a target.
const allRefs = "*"

// edit is what is known of a message that is old.
type edit struct {
	due    time.Time
	urgent bool
	force  bool         // also when it says already what it should, as far as we know
	spent  bool         // the budget was asked for it already
	ends   []engine.Pos // drawn when this is
}

// stamps are when a card was posted and last edited.
type stamps struct{ posted, edited time.Time }

// saying is what the messages of a run say, by their references.
type saying struct {
	at   time.Time // when the latest was written
	what map[string]digest
}

// shownFor is how long that is kept; who has forgotten it edits a message that is as it should be.
const shownFor = time.Hour

// digest stands for what a message says.
type digest [sha256.Size]byte

func digestOf(m message) digest {
	raw, err := json.Marshal(m.blocks)
	if err != nil {
		return digest{} // Slack will say what is wrong with it
	}
	return sha256.Sum256(append([]byte(m.text), raw...))
}

func newPainter(t *thread) *painter {
	return &painter{
		thread: t, budget: newBucket(updateBurst, updateEvery), wake: make(chan struct{}, 1), edits: map[target]*edit{},
		last: map[engine.RunID]stamps{}, shown: map[engine.RunID]saying{},
	}
}

// posted says that a card was posted, and what it says.
func (p *painter) posted(run *engine.Run, m message) {
	p.mu.Lock()
	p.last[run.ID] = stamps{posted: time.Now()}
	p.mu.Unlock()
	p.says(run, "", m)
}

// says notes what a message says now.
func (p *painter) says(run *engine.Run, ref string, m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shown[run.ID]
	if s.what == nil {
		s.what = map[string]digest{}
	}
	s.at, s.what[ref] = time.Now(), digestOf(m)
	p.shown[run.ID] = s
}

// stands reports whether a message says already what it should.
func (p *painter) stands(run *engine.Run, ref string, m message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	have, known := p.shown[run.ID].what[ref]
	return known && have == digestOf(m)
}

// touch says that a card is old.
func (p *painter) touch(run engine.RunID) {
	p.mu.Lock()
	last := p.last[run]
	due := last.edited.Add(cardEvery)
	if other := last.posted.Add(cardEvery); other.After(due) {
		due = other
	}
	if card := (target{run: run}); p.edits[card] == nil {
		p.edits[card] = &edit{due: due}
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
	for _, to := range []target{{run: run, ref: ref}, {run: run}} {
		e := p.hurry(to)
		e.ends = append(e.ends, pos)
	}
	p.mu.Unlock()
	poke(p.wake)
}

// spent has a message edited for which the budget was asked already.
func (p *painter) spent(run engine.RunID, ref string) {
	p.mu.Lock()
	to := target{run: run, ref: ref}
	if p.edits[to] == nil {
		p.edits[to] = &edit{}
	}
	p.edits[to].spent = true
	p.mu.Unlock()
	poke(p.wake)
}

// hurry makes an edit urgent. The caller holds the lock.
func (p *painter) hurry(to target) *edit {
	e := p.edits[to]
	if e == nil {
		e = &edit{}
		p.edits[to] = e
	}
	e.urgent, e.due = true, time.Time{}
	if to.ref == "" {
		e.due = p.last[to.run].edited.Add(cardEvery)
	}
	return e
}

// repair draws a run again, records included.
func (p *painter) repair(run engine.RunID) {
	p.mu.Lock()
	p.hurry(target{run: run}).force = true
	p.hurry(target{run: run, ref: allRefs}).force = true
	p.mu.Unlock()
	poke(p.wake)
}

// run edits until stop is closed and no message is old, or ctx ends.
func (p *painter) run(ctx context.Context, stop <-chan struct{}) {
	for ctx.Err() == nil {
		now := p.next(time.Now())
		switch {
		case now.edit != nil:
			p.paint(ctx, now.to, now.edit)
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

// turn is what the painter does next: an edit, or waiting.
type turn struct {
	to   target
	edit *edit
	wait time.Duration
	idle bool
}

// next says what to edit now, or how long to wait.
func (p *painter) next(now time.Time) turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, e := p.first(now)
	switch {
	case e == nil:
		return turn{wait: idleWait, idle: true}
	case p.until.After(now):
		return turn{wait: p.until.Sub(now)}
	case e.due.After(now):
		return turn{wait: e.due.Sub(now)}
	case to.ref != "": // it takes as many tokens as it needs
		delete(p.edits, to)
		return turn{to: to, edit: e}
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
	delete(p.edits, to)
	s := p.last[to.run]
	s.edited = now
	p.last[to.run] = s
	return turn{to: to, edit: e}
}

// first is what is edited next: a question that was answered, then a card that is urgent and due, else
// the card that is due first. The caller holds the lock.
func (p *painter) first(now time.Time) (target, *edit) {
	var to target
	var first *edit
	best := 0
	for other, e := range p.edits {
		rank := rankOf(other, e, now)
		if first == nil || rank < best || rank == best && e.due.Before(first.due) {
			to, first, best = other, e, rank
		}
	}
	return to, first
}

// rankOf is smaller for what goes before.
func rankOf(to target, e *edit, now time.Time) int {
	switch {
	case e.due.After(now) || !e.urgent:
		return 2
	case to.ref == "":
		return 1
	}
	return 0
}

// soonest is when the next urgent card falls due. The caller holds the lock.
func (p *painter) soonest(now time.Time) (time.Duration, bool) {
	var soon time.Duration
	found := false
	for _, e := range p.edits {
		if wait := e.due.Sub(now); e.urgent && wait > 0 && (!found || wait < soon) {
			soon, found = wait, true
		}
	}
	return soon, found
}

// paint edits a message, or hands it over to be posted anew.
func (p *painter) paint(ctx context.Context, to target, e *edit) {
	b := p.thread.bot
	err := guard(func() error { return p.write(ctx, to, e) })
	if ctx.Err() != nil && err != nil {
		return // not drawn: it is after a restart
	}
	if late, again := postponed(err); again {
		if tries := p.count(); late.known || tries < maxTries {
			p.later(ctx, to, e, late)
			return
		}
	}
	p.mu.Lock()
	p.tries = 0
	p.mu.Unlock()
	if err != nil {
		b.logger.WarnContext(ctx, "message not edited", "run", to.run, "ref", to.ref, "error", err)
	}
	for _, pos := range e.ends {
		p.thread.track.end(pos)
	}
	p.mu.Lock()
	maps.DeleteFunc(p.last, func(_ engine.RunID, s stamps) bool { // what no longer holds an edit back
		return time.Since(s.edited) > cardEvery && time.Since(s.posted) > cardEvery
	})
	maps.DeleteFunc(p.shown, func(_ engine.RunID, s saying) bool { return time.Since(s.at) > shownFor })
	p.mu.Unlock()
}

func (p *painter) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries++
	return p.tries
}

// later puts an edit back that Slack does not take now. What has become old since is the same edit.
func (p *painter) later(ctx context.Context, to target, e *edit, late *postponement) {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := late.after(p.tries)
	p.until = time.Now().Add(wait)
	p.thread.bot.logger.WarnContext(ctx, "slack does not take an edit; trying again", "error", late.err, "wait", wait)
	e.spent = false // Slack may have counted it
	if newer := p.edits[to]; newer != nil {
		e.spent = newer.spent
		e.ends = append(e.ends, newer.ends...)
		e.urgent, e.force = e.urgent || newer.urgent, e.force || newer.force
	}
	p.edits[to] = e
}

// write brings a message up to date.
func (p *painter) write(ctx context.Context, to target, e *edit) error {
	run, err := p.thread.bot.opts.Runs.Load(ctx, to.run)
	if err != nil {
		return err
	}
	if to.ref != "" {
		return p.records(ctx, run, to.ref, e)
	}
	return p.card(ctx, run, e)
}

func (p *painter) card(ctx context.Context, run *engine.Run, e *edit) error {
	b := p.thread.bot
	at, ok := run.Place()
	if !ok {
		return nil
	}
	m := b.cardAt(ctx, run, at.Channel, at)
	if !e.force && p.stands(run, "", m) {
		return nil
	}
	err := b.update(ctx, run, at, m)
	if lostAt(err) {
		p.thread.replace(ctx, run, "", at, refused(err), e.ends)
		return nil
	}
	if err == nil {
		p.says(run, "", m)
	}
	return err
}

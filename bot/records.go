package bot

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// record turns questions that were answered into records of the answer.
func (p *painter) record(ctx context.Context, a answer) {
	b := p.thread.bot
	run, err := b.opts.Runs.Load(ctx, a.run)
	if err != nil {
		b.logger.WarnContext(ctx, "record not written", "run", a.run, "error", err)
	} else {
		for _, ref := range slices.Sorted(maps.Keys(run.Posts)) {
			if !strings.HasPrefix(ref, a.ref) {
				continue
			}
			if err := p.rewrite(ctx, run, ref, a.paid); err != nil && ctx.Err() == nil {
				b.logger.WarnContext(ctx, "record not written", "run", a.run, "ref", ref, "error", err)
			}
		}
		if run.Status.Final() {
			b.uncompare(a.run)
		}
	}
	if a.ref == unknownRefs { // the run has ended, and this comes after every decision
		p.mu.Lock()
		delete(p.recorded, a.run)
		p.mu.Unlock()
	}
	if ctx.Err() == nil && a.pos > 0 {
		p.thread.track.end(a.pos)
	}
}

func (p *painter) rewrite(ctx context.Context, run *engine.Run, ref string, paid bool) error {
	p.thread.bot.compare(ctx, run, ref)
	q, ok := p.thread.bot.question(run, ref)
	if !ok || q.open && !q.moved || p.stands(run, ref, q.message) {
		return nil
	}
	if !paid && !p.budget.take(ctx) {
		return context.Cause(ctx)
	}
	err := p.thread.bot.update(ctx, run.Posts[ref], q.message)
	if refused(err) == "message_not_found" {
		return nil // somebody deleted it
	}
	return err
}

// postedRecord says that a question was answered before it was posted: what stands there is the record.
func (p *painter) postedRecord(run engine.RunID, ref string, m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.recorded[run] == nil {
		p.recorded[run] = map[string]string{}
	}
	p.recorded[run][ref] = m.text
}

// stands reports whether a record was posted as it is to be. A decision may be taken back later.
func (p *painter) stands(run *engine.Run, ref string, m message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, posted := p.recorded[run.ID][ref]
	return posted && text == m.text
}

package bot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// records turns questions that were answered into records of the answer.
func (p *painter) records(ctx context.Context, run *engine.Run, prefix string, e *edit) error {
	if prefix == allRefs {
		prefix = ""
	}
	var errs []error
	for _, ref := range slices.Sorted(maps.Keys(run.Posts)) {
		if !strings.HasPrefix(ref, prefix) {
			continue
		}
		err := p.rewrite(ctx, run, ref, e)
		if _, again := postponed(err); again || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
	}
	if run.Status.Final() {
		p.thread.bot.uncompare(run.ID)
	}
	return errors.Join(errs...)
}

func (p *painter) rewrite(ctx context.Context, run *engine.Run, ref string, e *edit) error {
	b := p.thread.bot
	b.compare(ctx, run, ref)
	q, ok := b.safeQuestion(run, ref)
	if !ok || q.open && !q.moved || !e.force && p.stands(run, ref, q.message) {
		return nil
	}
	if !e.spent && !p.budget.take(ctx) {
		return context.Cause(ctx)
	}
	at := run.Posts[ref]
	err := b.update(ctx, run, at, q.message)
	if lostAt(err) {
		p.thread.replace(ctx, run, ref, at, refused(err), e.ends)
		return nil
	}
	if err == nil {
		p.says(run, ref, q.message)
	}
	return err
}

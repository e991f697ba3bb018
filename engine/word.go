package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

// Word is what a person said and what does not count yet: who they are is being looked up.
type Word struct {
	Seq   Seq // of its event
	Actor Actor
	Fact  Payload // what happens when it counts
}

// applyWord is about what people said and what does not count yet.
func (r *Run) applyWord(payload Payload, seq Seq) {
	switch p := payload.(type) {
	case WordGiven:
		if p.Fact != nil { // in a damaged log
			r.Words = append(slices.Clip(r.Words), Word{Seq: seq, Actor: p.Actor, Fact: p.Fact})
		}
	case WordWeighed:
		r.Words = slices.DeleteFunc(slices.Clone(r.Words), func(w Word) bool { return w.Seq == p.Word })
	default: // Apply hands over nothing else
	}
}

// word writes down what a person says about a run that goes on. Ids and rules have decided by then; where people
// are looked up, that comes after the answer, and what they said counts after that.
func (e *Engine) word(ctx context.Context, id RunID, who Actor, give func(*Run) (Payload, error)) error {
	return e.tell(ctx, id, func(r *Run) ([]Payload, error) {
		fact, err := give(r)
		if err == nil {
			err = r.willAdmit(who, fact)
		}
		switch {
		case err != nil:
			return nil, err
		case e.opts.Vouch == nil:
			return []Payload{fact}, nil
		}
		return []Payload{WordGiven{Actor: who, Fact: fact}}, nil
	})
}

// willAdmit is an error when what a person says does not fit how the run will stand by the time it counts. What
// others said before may count by then, or not; either is reason enough to have it weighed.
func (r *Run) willAdmit(who Actor, fact Payload) error {
	err := r.ahead(func(Word) bool { return true }).admits(fact)
	if own := func(w Word) bool { return w.Actor.Is(who) }; err != nil && len(r.Words) > 0 {
		return r.ahead(own).admits(fact)
	}
	return err
}

// ahead is the run as some of the words that wait will leave it.
func (r *Run) ahead(counts func(Word) bool) *Run {
	if len(r.Words) == 0 {
		return r
	}
	then := r.Clone()
	for _, w := range r.Words {
		if counts(w) && then.admits(w.Fact) == nil {
			then.Apply(Event{Stream: r.ID.Stream(), Seq: then.Seq + 1, Time: time.Now(), Payload: w.Fact})
		}
	}
	return then
}

// braked reports whether somebody wants a run to stand still and is being looked up: until that is done nothing
// begins, because they were answered that it does not.
func (r *Run) braked() bool {
	return slices.ContainsFunc(r.Words, func(w Word) bool {
		switch w.Fact.(type) {
		case CancelRequested, RunPaused, WavesStopped:
			return true
		default:
			return false
		}
	})
}

// weigh has the first of the words that wait looked up; the next one follows when that is done, so that they count
// in the order in which they were said.
func (r *runner) weigh() {
	if len(r.run.Words) > 0 && r.run.Ended.IsZero() {
		r.engine.lookUp(r.id, r.run.Words[0])
	}
}

// lookUp looks up who gave a word, unless that is under way.
func (e *Engine) lookUp(id RunID, w Word) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping || e.looking[id] == w.Seq {
		return
	}
	e.looking[id] = w.Seq
	e.wg.Go(func() {
		ctx, cancel := e.untilStop(e.base)
		defer cancel()
		e.weigh(ctx, id, w, e.vouch(ctx, w.Actor))
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.looking[id] == w.Seq {
			delete(e.looking, id)
		}
	})
}

// weigh writes down whether a word counts, and what happens when it does. It gives up when ctx ends: the next
// process looks again.
func (e *Engine) weigh(ctx context.Context, id RunID, w Word, unknown error) {
	weighed := WordWeighed{Word: w.Seq, Actor: w.Actor, Said: w.Fact.Kind()}
	for ctx.Err() == nil {
		err := e.tell(ctx, id, func(r *Run) ([]Payload, error) {
			err := unknown
			if err == nil {
				err = r.admits(w.Fact)
			}
			switch {
			case !slices.ContainsFunc(r.Words, func(have Word) bool { return have.Seq == w.Seq }):
				return nil, nil // another process was faster
			case err != nil:
				weighed.Refused = e.masker(id).text(err.Error())
				return []Payload{weighed}, nil
			}
			return []Payload{weighed, w.Fact}, nil
		})
		if err == nil || CodeOf(err) != CodeBusy {
			break
		}
		select {
		case <-time.After(retryWrite):
		case <-ctx.Done():
			return
		}
	}
	if unknown != nil && !errors.Is(context.Cause(ctx), errStopping) {
		e.refuse(context.WithoutCancel(ctx), Refused{Actor: w.Actor, Verb: string(verbOf(w.Fact)), Run: id, Rule: unknown.Error()})
	}
}

// verbOf is what somebody must be allowed to do who says something.
func verbOf(fact Payload) policy.Verb {
	switch fact.(type) {
	case CancelRequested:
		return policy.Cancel
	case AttemptResolved:
		return "resolve"
	default:
		return policy.Steer
	}
}

// admits is an error when what a person says does not fit how the run stands.
func (r *Run) admits(fact Payload) error {
	if p, ok := fact.(AttemptResolved); ok {
		return r.admitsAnswer(p)
	}
	if err := r.over(); err != nil {
		return err
	}
	if _, ok := fact.(CancelRequested); ok {
		if r.Cancel != nil {
			return Errorf(CodeConflict, "run %s is being cancelled already, by %s", r.ID.Short(), r.Cancel.Actor.Label())
		}
		return nil
	}
	return r.admitsSteering(fact)
}

func (r *Run) admitsAnswer(p AttemptResolved) error {
	at := r.attempt(p.Path, p.Attempt)
	switch {
	case at == nil || !at.Unknown:
		return Errorf(CodeNotFound, "run %s does not ask about %s", r.ID.Short(), p.Path)
	case at.Resolved != nil:
		return Errorf(CodeConflict, "too late: %s chose %q", at.Resolved.Actor.Label(), at.Resolved.Choice)
	case !r.Steps[p.Path].Ended.IsZero():
		return Errorf(CodeConflict, "too late: the task is %s", r.Steps[p.Path].Status)
	}
	return nil
}

package engine

import (
	"context"
	"errors"
	"time"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// StartRequest asks for a run.
type StartRequest struct {
	Key      string // the identity of the click or command; asking twice with one key is asking once
	Actor    Actor
	Origin   Origin
	Playbook string         // by name
	Inputs   map[string]any // already bound: see playbooks.Playbook.Bind; secrets stay in memory
	// Broadcast has the channel told of the end also when the run succeeds.
	Broadcast bool

	around []string // secrets of the runs that the new one belongs to
	rule   string   // by which it is allowed
}

// Answer is a person's word on an attempt that was cut off.
type Answer struct {
	Run     RunID
	Path    Path
	Attempt int
	Choice  Resolution
	Actor   Actor
}

// Start checks that the actor may run the playbook with these inputs, writes the request down and starts the
// run. It returns a *DuplicateError, with the run, when the key is known.
func (e *Engine) Start(ctx context.Context, q StartRequest) (RunID, error) {
	if roles, _ := e.Standing(q.Actor); len(roles) > 0 { // nobody else needs a look-up to be refused
		if err := e.Admit(ctx, q.Actor, string(policy.Run)); err != nil {
			return "", err
		}
	}
	active, release := e.active.hold(subject(q.Actor))
	defer release() // from here on the run itself counts
	ask := policy.Question{Verb: policy.Run, Playbook: q.Playbook}
	if book, err := e.opts.Books.Get(q.Playbook); err == nil { // else startChild says so, to whoever may know
		ask = Starting(policy.Run, book, q.Inputs, false)
	}
	ask = e.asked(q.Actor, ask)
	ask.Active = active
	d := e.opts.Policy.Ask(ask)
	if !d.Allowed {
		e.refuse(ctx, Refused{Actor: q.Actor, Verb: string(policy.Run), Playbook: q.Playbook, Rule: d.Rule})
		return "", Errorf(CodeDenied, "refused: %s", d.Rule)
	}
	q.rule = d.Rule
	return e.startChild(ctx, q, nil)
}

// startChild starts a run without asking the policy; a child belongs to what its ancestor was allowed.
func (e *Engine) startChild(ctx context.Context, q StartRequest, parent *Parent) (RunID, error) {
	book, err := e.opts.Books.Get(q.Playbook)
	if err != nil {
		return "", err
	}
	if err := e.programs(book); err != nil {
		e.refuse(ctx, Refused{Actor: q.Actor, Verb: string(policy.Run), Playbook: q.Playbook, Rule: err.Error()})
		return "", err
	}
	ref := PlaybookRef{Name: book.Name, Version: book.Version, Digest: book.Digest, RunAs: book.RunAs}
	if err := e.keep(ctx, book); err != nil {
		return "", err
	}
	id := NewRunID(time.Now())
	inputs, err := e.seal(id, book, q.Inputs)
	if err != nil {
		return "", err
	}
	if len(inputs.values)+len(q.around) > 0 { // before anybody can hear of the run
		e.session(id, book).vault.put(inputs.values, q.around...)
	}
	request := RunRequested{
		Key: q.Key, Actor: q.Actor, Origin: q.Origin, Playbook: ref, Inputs: inputs.shown, Secrets: inputs.digests, Parent: parent, Rule: q.rule, Broadcast: q.Broadcast,
	}
	_, err = e.opts.Log.Append(ctx, id.Stream(), 0, request)
	if err != nil {
		e.drop(id)
	}
	if dup, ok := errors.AsType[*DuplicateError](err); ok {
		if parent != nil {
			e.giveOn(ctx, dup.Run, q, inputs.values)
			return dup.Run, nil
		}
		return dup.Run, dup
	}
	if err != nil {
		return "", &Error{Code: CodeBusy, Message: "the request could not be written down, so nothing was started; try again", Err: err}
	}
	e.families.add(id, request)
	e.active.add(id, request)
	e.poke(id)
	return id, nil
}

// keep writes the bytes of a playbook version once, so that its runs can be resumed.
func (e *Engine) keep(ctx context.Context, book *playbooks.Playbook) error {
	e.mu.Lock()
	known := e.kept[book.Digest]
	e.mu.Unlock()
	if known {
		return nil
	}
	_, err := e.opts.Log.Append(ctx, PlaybookStream(book.Digest), 0, PlaybookKept{
		Name: book.Name, File: book.File, Digest: book.Digest, Source: book.Source,
	})
	if err != nil && !errors.Is(err, ErrConflict) {
		return &Error{Code: CodeBusy, Message: "the playbook could not be written down, so nothing was started; try again", Err: err}
	}
	e.mu.Lock()
	e.kept[book.Digest] = true
	e.mu.Unlock()
	return nil
}

// Cancel stops a run: what is under way is cut off, then only `always` runs.
func (e *Engine) Cancel(ctx context.Context, id RunID, who Actor, reason string) error {
	run, err := e.Load(ctx, id)
	if err != nil {
		return err
	}
	if err := e.Admit(ctx, who, string(policy.Cancel)); err != nil {
		return err
	}
	d := e.Ask(who, About(policy.Cancel, run))
	if !d.Allowed {
		e.refuse(ctx, Refused{Actor: who, Verb: string(policy.Cancel), Run: id, Rule: d.Rule})
		return Errorf(CodeDenied, "refused: %s", d.Rule)
	}
	return e.word(ctx, id, who, func(*Run) (Payload, error) {
		return CancelRequested{Actor: who, Reason: e.masker(id).text(reason)}, nil
	})
}

// cancel stops a run for the run that started it.
func (e *Engine) cancel(ctx context.Context, id RunID, who Actor, reason string) error {
	return e.tell(ctx, id, func(r *Run) ([]Payload, error) {
		fact := CancelRequested{Actor: who, Reason: e.masker(id).text(reason)}
		return []Payload{fact}, r.admits(fact)
	})
}

// Resolve is a person's word on an attempt that was cut off. Whoever may run the playbook may
// resolve, and aborting is open to whoever may cancel.
func (e *Engine) Resolve(ctx context.Context, a Answer) error {
	switch a.Choice {
	case ResolveRetry, ResolveDone, ResolveFailed, ResolveAbort:
	default:
		return Errorf(CodeInvalid, "%q is no answer; choose retry, done, failed or abort", a.Choice)
	}
	if err := e.Admit(ctx, a.Actor, "resolve"); err != nil {
		return err
	}
	err := e.word(ctx, a.Run, a.Actor, func(r *Run) (Payload, error) {
		verb := policy.Run
		if a.Choice == ResolveAbort {
			verb = policy.Cancel
		}
		ask := e.asked(a.Actor, About(verb, r)) // the run is under way: no limit of runs is asked
		if d := e.opts.Policy.Ask(ask); !d.Allowed {
			return nil, Errorf(CodeDenied, "refused: %s", d.Rule)
		}
		return AttemptResolved{Path: a.Path, Attempt: a.Attempt, Choice: a.Choice, Actor: a.Actor}, nil
	})
	if err != nil && CodeOf(err) == CodeDenied {
		e.refuse(ctx, Refused{Actor: a.Actor, Verb: "resolve", Run: a.Run, Rule: err.Error()})
	}
	return err
}

// Announced records where the card of a run stands.
func (e *Engine) Announced(ctx context.Context, id RunID, place Place) error {
	return e.annotate(ctx, id, Announced{Place: place})
}

// Posted records where a further message about a run stands; see [Posted].
func (e *Engine) Posted(ctx context.Context, id RunID, ref string, place Place) error {
	return e.annotate(ctx, id, Posted{Ref: ref, Place: place})
}

// annotate appends to a run that may have ended; nothing that it appends changes what the run does.
func (e *Engine) annotate(ctx context.Context, id RunID, fact Payload) error {
	err := e.deliver(ctx, id, mail{note: true, decide: func(*Run) ([]Payload, error) { return []Payload{fact}, nil }})
	if err != nil && (CodeOf(err) == CodeConflict || errors.Is(err, errNotTaken)) { // no runner writes any more
		_, err = e.opts.Log.Append(ctx, id.Stream(), AnySeq, fact)
	}
	return err
}

// May says whether somebody may do something with a playbook, within whatever bounds, and by which rule.
func (e *Engine) May(who Actor, verb policy.Verb, playbook string) policy.Decision {
	return e.Ask(who, policy.Question{Verb: verb, Playbook: playbook})
}

// Policy is the policy that the engine asks.
func (e *Engine) Policy() *policy.Policy { return e.opts.Policy }

func subject(a Actor) policy.Subject { return policy.Subject{Team: a.Team, User: a.User} }

func (e *Engine) vouch(ctx context.Context, a Actor) error {
	if e.opts.Vouch == nil {
		return nil
	}
	return e.opts.Vouch(ctx, a)
}

// refuse writes a refusal down; it is an audit record, so a failure to write it is logged loudly.
func (e *Engine) refuse(ctx context.Context, r Refused) {
	if _, err := e.opts.Log.Append(ctx, BotStream, AnySeq, r); err != nil {
		e.logger.ErrorContext(ctx, "refusal cannot be written", "actor", r.Actor.User, "verb", r.Verb, "error", err)
	}
}

// tell lets a run that has not ended decide something, and returns when that is on disk.
func (e *Engine) tell(ctx context.Context, id RunID, decide func(*Run) ([]Payload, error)) error {
	return e.deliver(ctx, id, mail{decide: decide})
}

func (e *Engine) deliver(ctx context.Context, id RunID, m mail) error {
	reply, decide := make(chan error, 1), m.decide
	err := e.send(id, mail{reply: reply, note: m.note, decide: func(r *Run) ([]Payload, error) {
		if !r.Ended.IsZero() {
			return nil, Errorf(CodeConflict, "run %s has ended: %s", id.Short(), r.Status)
		}
		if err := ctx.Err(); err != nil { // nobody waits for the answer any more
			return nil, Errorf(CodeBusy, "the request came too late to be carried out; nothing was done")
		}
		return decide(r)
	}})
	if err != nil {
		return err
	}
	select {
	case err := <-reply: // the runner always answers: it retries the disk, or gives up when stopped
		return err
	case <-ctx.Done():
		return &Error{Code: CodeBusy, Message: "the answer could not be written down yet; look at the run before you ask again", Err: context.Cause(ctx)}
	}
}

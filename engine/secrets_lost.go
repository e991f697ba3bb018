package engine

import (
	"context"
	"crypto/hmac"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

// Secrets are what a person gives when a run asks for secrets that a restart has lost.
type Secrets struct {
	Run    RunID
	Actor  Actor
	Values map[string]string // by input; each as the run was started with
}

// Lacks lists the secrets that a run was started with and that this process does not know, sorted;
// none when the run does not wait for them, as one that has ended or was stopped.
func (e *Engine) Lacks(ctx context.Context, id RunID) ([]string, error) {
	run, err := e.Load(ctx, id)
	if err != nil || !run.Ended.IsZero() || run.stopped() {
		return nil, err
	}
	if v := e.vault(id); v != nil {
		return v.lacks(run.Requested.Secrets), nil
	}
	return slices.Sorted(maps.Keys(run.Requested.Secrets)), nil
}

// GiveSecrets lets a run go on that has lost secrets in a restart. It is for who asked for the run
// and for who may run its playbook. A value that the run was not started with is refused: what was
// approved and begun with one secret must not go on with another.
func (e *Engine) GiveSecrets(ctx context.Context, s Secrets) error {
	if err := e.Admit(ctx, s.Actor, "give secrets"); err != nil {
		return err
	}
	err := e.give(ctx, s, func(r *Run) error {
		if s.Actor.Is(r.Requested.Actor) {
			return nil
		}
		if d := e.opts.Policy.Ask(e.asked(s.Actor, About(policy.Run, r))); !d.Allowed {
			return Errorf(CodeDenied, "refused: %s", d.Rule)
		}
		return nil
	})
	if err != nil && (CodeOf(err) == CodeDenied || errors.Is(err, errOtherSecret)) {
		e.refuse(ctx, Refused{Actor: s.Actor, Verb: "give secrets", Run: s.Run, Rule: err.Error()})
	}
	return err
}

// errOtherSecret is found in the error about a secret that the run was not started with.
var errOtherSecret = errors.New("the digests differ")

// giveOn hands the secrets of a playbook task to the run that it started before a restart. What does
// not fit is asked for by that run.
func (e *Engine) giveOn(ctx context.Context, id RunID, q StartRequest, values map[string]string) {
	if v := e.vault(id); v != nil && len(q.around) > 0 {
		v.put(nil, q.around...)
	}
	if len(values) == 0 {
		return
	}
	err := e.give(ctx, Secrets{Run: id, Actor: q.Actor, Values: values}, func(*Run) error { return nil })
	if err != nil && CodeOf(err) != CodeConflict {
		e.logger.WarnContext(ctx, "secrets cannot be handed on", "run", id, "error", err)
	}
}

func (e *Engine) give(ctx context.Context, s Secrets, may func(*Run) error) error {
	return e.tell(ctx, s.Run, func(r *Run) ([]Payload, error) {
		if err := may(r); err != nil {
			return nil, err
		}
		v := e.vault(r.ID)
		lacks := v.lacks(r.Requested.Secrets)
		if len(lacks) == 0 {
			return nil, Errorf(CodeConflict, "run %s asks for no secrets", r.ID.Short())
		}
		fit := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(s.Values)) {
			digest, known := r.Requested.Secrets[name]
			switch {
			case !known:
				return nil, Errorf(CodeInvalid, "run %s was started without a secret %q; it asks for %s", r.ID.Short(), name, strings.Join(lacks, ", "))
			case !hmac.Equal([]byte(digest), []byte(e.secretDigest(r.ID, name, s.Values[name]))):
				return nil, &Error{Code: CodeInvalid, Err: errOtherSecret, Message: "this is not the value of " + name +
					" that the run was started with, so nothing was given; give that one, or cancel the run and start another"}
			case slices.Contains(lacks, name):
				fit[name] = s.Values[name]
			}
		}
		if len(fit) == 0 {
			return nil, Errorf(CodeInvalid, "no secret was given that run %s asks for; it asks for %s", r.ID.Short(), strings.Join(lacks, ", "))
		}
		v.put(fit)
		return []Payload{SecretsGiven{Actor: s.Actor, Names: slices.Sorted(maps.Keys(fit))}}, nil
	})
}

func (r *runner) redact() *redactor { return r.session.vault.redactor() }

// next is what the run does next: what [decide] says, unless a restart took something from the run
// that this needs, locks or secrets, or left its children under way.
func (r *runner) next(now time.Time) action {
	a := decide(r.run, r.book, now)
	lacks := r.lacks()
	if len(lacks) > 0 && r.session.vault.ask() && !slices.Equal(lacks, r.run.SecretsNeeded) {
		return action{do: doSecrets, reason: ReasonInputsLost}
	}
	if r.locksKnown = r.locksKnown || !r.mustRelock(); !r.locksKnown {
		a = action{do: doRelock, reason: ReasonLocksAgain}
	}
	if (a.begins() || a.do == doExpire || a.do == doRemind) && r.run.braked() { // a time-out is a no, and a pause takes the question back
		return action{do: doWait, reason: ReasonAwaitWord}
	}
	if r.mayLeaveChild(a) {
		return action{do: doWait, reason: ReasonUnread, until: now.Add(retryRead)}
	}
	if r.leavesChildren(a) {
		return action{do: doEndChildren, reason: ReasonChildren}
	}
	if len(lacks) > 0 && r.mayNeedSecrets(a) && !a.limit.over(now) {
		return r.awaitSecrets(a, now)
	}
	return a
}

// lacks are the secrets that a restart has lost, unless the run was stopped: then it goes on without them.
func (r *runner) lacks() []string {
	if len(r.run.Requested.Secrets) == 0 || !r.run.Ended.IsZero() || r.run.stopped() {
		return nil
	}
	return r.session.vault.lacks(r.run.Requested.Secrets)
}

// mayNeedSecrets reports whether something that an action renders may be a secret.
func (r *runner) mayNeedSecrets(a action) bool {
	switch a.do {
	case doPrepare, doBegin, doAsk, doAttempt, doWave:
		return true
	case doLock, doUnlock, doRelease, doRelock: // the names of locks are known; their store may have to be opened
		for _, part := range r.book.DataStores {
			if refs := part.Properties.References().Inputs; refs.All || len(refs.List) > 0 {
				return true
			}
		}
		return false
	case doNothing, doWait, doExpire, doRemind, doVoid, doUnknown, doEndTask, doEnd, doSecrets, doEndChildren, doHold, doLinger:
		return false
	}
	return true
}

// awaitSecrets waits in place of an action, until a timeout is over: then [decide] says what that means.
func (r *runner) awaitSecrets(a action, now time.Time) action {
	until := a.limit
	until = until.earlier(limit{at: r.run.deadline(now)})
	if until.over(now) {
		until = limit{}
	}
	return action{do: doWait, reason: ReasonAwaitInputs, path: a.path, task: a.task, until: until.at}
}

// tooLate ends an attempt that was cut off, whose time was over before the secrets for a repeat came;
// nil when it may begin.
func (p *performer) tooLate(a action) []Payload {
	if !a.limit.over(time.Now()) || p.run.stopped() || len(p.session.vault.lacks(p.run.Requested.Secrets)) == 0 {
		return nil
	}
	return p.failAttempt(a.path, "timed out while the run waited for secrets: "+a.limit.why)
}

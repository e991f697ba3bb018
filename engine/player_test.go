package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// player does what people and the supervisor of the process do, until the run has ended.
type player struct {
	scene

	t      *testing.T
	h      *enginetest.House
	log    *enginetest.FaultyLog
	word   answer
	deaths int
}

func (p *player) play() told {
	p.t.Helper()
	ctx := p.t.Context()
	var id engine.RunID
	for range 2000 {
		synctest.Wait()
		if p.log.Dead() {
			p.deaths++
			p.h.Stop()
			p.log.Refuse(nil)
			p.h.Restart()
			continue
		}
		if id == "" {
			id = p.start(ctx)
			continue
		}
		open, err := p.log.Unfinished(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		if len(open) == 0 {
			return p.told()
		}
		for _, run := range open {
			p.attend(ctx, run)
		}
		time.Sleep(2 * time.Second)
	}
	p.t.Fatal("the run does not end")
	return told{}
}

// start clicks until there is a run; the click has one identity.
func (p *player) start(ctx context.Context) engine.RunID {
	q := engine.StartRequest{Key: "click", Actor: p.h.Ana, Playbook: "upgrade"}
	if p.secret != "" {
		p.h.Secrets(p.secret)
		q.Inputs = map[string]any{"token": p.secret}
	}
	id, err := p.h.Engine.Start(ctx, q)
	if id != "" {
		p.h.Watch(id)
		return id
	}
	if engine.CodeOf(err) != engine.CodeBusy {
		p.t.Fatalf("start: %v", err)
	}
	return ""
}

// attend answers what a run asks. An answer that is lost with the process is given again, later.
func (p *player) attend(ctx context.Context, id engine.RunID) {
	run, err := p.h.Engine.Load(ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	s, gate := run.Unknown(), run.Pending()
	switch {
	case p.steer && s == nil && p.steered(ctx, run):
	case len(run.SecretsNeeded) > 0:
		if run.Status != engine.RunWaiting {
			p.t.Errorf("a run that needs a secret is %s", run.Status)
		}
		err = p.h.Engine.GiveSecrets(ctx, engine.Secrets{Run: id, Actor: p.h.Ana, Values: map[string]string{"token": p.secret}})
	case p.cancel != "" && run.Cancel == nil && len(attempts(run, p.cancel)) > 0:
		err = p.h.Engine.Cancel(ctx, id, p.h.Ana, "wrong tier")
	case s != nil:
		if run.Status != engine.RunWaiting {
			p.t.Errorf("a run with an unknown attempt is %s", run.Status)
		}
		err = p.h.Engine.Resolve(ctx, engine.Answer{Run: id, Path: s.Path, Attempt: s.Last().Attempt, Choice: p.word(p.h, run, s), Actor: p.h.Ben})
	case gate != nil && p.gate == "approve":
		err = p.h.Engine.Approve(ctx, engine.Decision{Run: id, Approval: gate.Approval, Actor: p.h.Ben})
	case gate != nil && p.gate == "deny":
		err = p.h.Engine.Deny(ctx, engine.Decision{Run: id, Approval: gate.Approval, Actor: p.h.Ben, Reason: "not tonight"})
	case gate != nil:
		time.Sleep(time.Until(gate.Expires))
	}
	if err != nil && engine.CodeOf(err) != engine.CodeBusy && !p.log.Dead() {
		p.t.Errorf("an answer was refused: %v", err)
	}
}

// told sums up all runs, and checks that nothing was done twice without a person's word.
func (p *player) told() told {
	out := told{Effects: map[string]int{}}
	for _, id := range p.h.Watched() {
		run, err := p.h.Engine.Load(p.t.Context(), id)
		if err != nil {
			p.t.Fatal(err)
		}
		out.Runs = append(out.Runs, summary(run))
	}
	keys := map[string]bool{}
	for _, e := range p.h.Script.Effects() {
		if e.Kind != engine.Once {
			continue
		}
		out.Effects[e.Name]++
		if keys[e.Key] {
			p.t.Errorf("%s was done twice without a person's word", e.Path)
		}
		keys[e.Key] = true
	}
	if p.cancel != "" { // a cut before it began leaves nothing to cancel
		delete(out.Effects, "upgrade")
	}
	for _, key := range []string{"tier", "roll"} {
		_, held := p.h.Script.Holder(key)
		out.Locks = out.Locks || held
	}
	if out.Locks {
		p.t.Error("the lock is still held")
	}
	return out
}

// summary is a run without what a crash may change: times, numbers of attempts, and who said what became of one.
func summary(r *engine.Run) string {
	var b strings.Builder
	for _, path := range r.Order {
		s := r.Steps[path]
		fmt.Fprintf(&b, "%s %s", path, s.Status)
		if s.Status != engine.TaskOK {
			fmt.Fprintf(&b, ": %s", same(s.Message))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Status, same(r.Message))
	return b.String()
}

// same makes equal what two processes say of one thing in their own words.
func same(message string) string {
	for _, own := range []string{"marked ", "call ", "nobody approved", "stopped"} {
		if before, _, found := strings.Cut(message, own); found {
			return before
		}
	}
	return message
}

func attempts(r *engine.Run, path engine.Path) []engine.Attempt {
	if s := r.Steps[path]; s != nil {
		return s.Attempts
	}
	return nil
}

// steered has ana steer the waves of a run: one thing after the other, each once. It reports whether she did.
func (p *player) steered(ctx context.Context, run *engine.Run) bool {
	roll, q := run.Rolling(), engine.Steering{Run: run.ID, Actor: p.h.Ana, Reason: "errors rise"}
	held := run.Held() != nil
	var err error
	switch {
	case !held && (roll == nil || len(run.Pauses) > 0):
		return false
	case !held:
		err = p.h.Engine.PauseRun(ctx, q)
	case roll != nil && roll.Rollout.Pace == nil:
		err = p.h.Engine.SlowWaves(ctx, q, engine.Pace{Every: 10 * time.Second, Size: 1})
	case roll != nil && roll.Rollout.Sent == nil:
		err = p.h.Engine.SendOn(ctx, q, 0)
	default:
		err = p.h.Engine.ResumeRun(ctx, q)
	}
	if err != nil && engine.CodeOf(err) != engine.CodeBusy && !p.log.Dead() {
		p.t.Errorf("steering was refused: %v", err)
	}
	return true
}

//nolint:thelper // what a bubble runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// interleavings is how many runs the simulation of approvals plays; `make integration` plays 50,000.
var interleavings = flag.Int("interleavings", 2000, "runs that the simulation of approvals plays")

// perBubble is how many runs one engine has beside each other.
const perBubble = 50

// eight are the people of the simulation: ana asks for every run, gus approves in a role that no gate asks for, hal counts only when the
// second circle was asked.
func eight() []string { return []string{"ana", "ben", "cat", "dan", "eve", "fay", "gus", "hal"} }

func eightRules(o *engine.Options) {
	may := func(name string, verbs []policy.Verb, members ...string) policy.Role {
		return policy.Role{Name: name, Members: members, May: verbs, Playbooks: []string{"*"}}
	}
	yes := []policy.Verb{policy.Approve}
	rules, err := policy.New(policy.Rules{Roles: []policy.Role{
		may("deployer", []policy.Verb{policy.Run, policy.Cancel}, "UANA", "UBEN", "UCAT"),
		may("sre", yes, "UANA", "UBEN", "UCAT", "UDAN"), may("dba", yes, "UEVE", "UFAY"), may("lead", yes, "UHAL"), may("intern", yes, "UGUS"),
	}})
	if err != nil {
		panic(err)
	}
	o.Policy = rules
}

// said is what somebody did at a gate, and what they were told.
type said struct {
	run  *simRun
	who  string
	what string
	err  error
	sure bool // false: the process died, so nobody was told
}

// simRun is one run of the simulation, with the gate that everybody has in mind.
type simRun struct {
	id   engine.RunID
	gate string
}

// sim is an engine, eight people and a process that dies now and then.
type sim struct {
	t    *testing.T
	h    *enginetest.House
	log  *enginetest.FaultyLog
	luck *rand.Rand

	mu   sync.Mutex // guards what follows
	now  *engine.Engine
	said []said
}

// F-39, G-24: approve, deny, take back, cancel, expire and kill in any order, by eight people with a quorum of
// 1 to 3. Every gate has exactly one outcome, nothing is carried out without a valid approval, and whoever comes
// too late hears who came before. All of it is read from the log and from what the tasks did.
func TestApproval_inEveryOrderHasOneOutcome(t *testing.T) {
	t.Parallel()
	n := *interleavings
	if testing.Short() {
		n = 200
	}
	for seed := range (n + perBubble - 1) / perBubble {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { simulate(t, uint64(seed)) })
		})
	}
}

func simulate(t *testing.T, seed uint64) {
	var log *enginetest.FaultyLog
	h := enginetest.NewHouse(t, enginetest.NewMemoryLog(), eightRules, func(o *engine.Options) {
		log = enginetest.NewFaultyLog(o.Log)
		o.Log, o.Posts, o.Vouch = log, seed%3 == 0, slowly(seed)
	})
	s := &sim{t: t, h: h, log: log, now: h.Engine, luck: rand.New(rand.NewPCG(seed, 24))}
	for q := 1; q <= 3; q++ {
		h.Book(fmt.Sprintf("b%d", q), fmt.Sprintf(`
approval: {count: %d, expires: 80, from: [sre, dba], escalate: [lead], scope: run}
tasks: [{do: {name: drain, destructive: true}}, {do: {name: fill, destructive: true}}]
`, q))
	}
	runs := make([]*simRun, perBubble)
	for i := range runs {
		runs[i] = &simRun{id: h.Start(fmt.Sprintf("b%d", 1+s.luck.IntN(3)), nil)}
	}
	synctest.Wait()
	var wg sync.WaitGroup
	for _, r := range runs {
		r.gate = gate(t, h, r.id).Approval
		if seed%3 == 0 {
			s.post(r)
		}
		for range 3 + s.luck.IntN(6) {
			what := []string{"approves", "approves", "approves", "approves the rest", "denies", "takes back", "cancels"}[s.luck.IntN(7)]
			who, at := eight()[s.luck.IntN(8)], s.moment()
			wg.Go(func() {
				time.Sleep(at)
				s.say(r, who, what)
			})
		}
	}
	for deaths := s.luck.IntN(3); deaths > 0; deaths-- {
		time.Sleep(time.Duration(18+s.luck.IntN(6)) * time.Second)
		s.kill(s.luck.IntN(60), s.luck.IntN(2) == 0)
	}
	wg.Wait()
	for _, r := range runs {
		s.finish(r)
		s.judge(r)
	}
	s.outside()
}

// slowly takes up to three seconds to look somebody up: between the last yes and its use much may happen.
func slowly(seed uint64) func(context.Context, engine.Actor) error {
	var n atomic.Uint64
	n.Store(seed)
	return func(ctx context.Context, who engine.Actor) error {
		if who.Name == "ana" { // who asks: all runs ask in the same moment
			return nil
		}
		select {
		case <-time.After(time.Duration(n.Add(1)%7) * time.Second / 2):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// moment is when something happens: of few moments, so that much happens at once, and one of them is that of
// the expiry.
func (s *sim) moment() time.Duration {
	seconds := []int{10, 11, 12, 20, 20, 21, 22, 40, 60, 61, 62, 79, 80, 80, 81}
	return time.Duration(seconds[s.luck.IntN(len(seconds))]) * time.Second
}

func (s *sim) engine() *engine.Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *sim) post(r *simRun) {
	if err := s.engine().Posted(s.t.Context(), r.id, "approval/"+r.gate, engine.Place{Channel: "C1", TS: "1." + r.gate}); err != nil {
		s.t.Errorf("post: %v", err)
	}
}

// say has somebody decide, and keeps what they were told.
func (s *sim) say(r *simRun, who, what string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Second/2) // a dead disk does not answer
	defer cancel()
	e, d := s.engine(), engine.Decision{Run: r.id, Approval: r.gate, Actor: person(who), Rest: what == "approves the rest"}
	var err error
	switch what {
	case "denies":
		err = e.Deny(ctx, d)
	case "takes back":
		err = e.TakeBack(ctx, d)
	case "cancels":
		err = e.Cancel(ctx, r.id, d.Actor, "")
	default:
		err = e.Approve(ctx, d)
	}
	code := engine.CodeOf(err)
	sure := err == nil || code == engine.CodeConflict || code == engine.CodeDenied || code == engine.CodeInvalid
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, said{run: r, who: who, what: what, err: err, sure: sure})
}

// kill lets the process die when it has written n more events, and starts another.
func (s *sim) kill(n int, told bool) {
	s.log.CutAfter(n, told)
	time.Sleep(time.Second) // in which people go on
	s.h.Stop()
	s.log.Refuse(nil)
	s.h.Restart()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.h.Engine
}

// finish answers what a kill has left open, and lets the gates that are left expire.
func (s *sim) finish(r *simRun) {
	for range 10 {
		run := load(s.t, s.h, r.id)
		if !run.Ended.IsZero() {
			return
		}
		if step := run.Unknown(); step != nil {
			word := truth(s.h, run, step)
			if word == engine.ResolveRetry {
				word = engine.ResolveFailed
			}
			a := engine.Answer{Run: r.id, Path: step.Path, Attempt: step.Last().Attempt, Choice: word, Actor: person("ben")}
			if err := s.h.Engine.Resolve(s.t.Context(), a); err != nil {
				s.t.Errorf("resolve: %v", err)
			}
			time.Sleep(4 * time.Second) // in which it is looked up who says so
			continue
		}
		if a := run.Pending(); a != nil && a.Posts && a.PostedAt.IsZero() { // nobody saw it: its time stands still
			s.post(&simRun{id: r.id, gate: a.Approval})
		}
		time.Sleep(2 * time.Minute)
	}
	s.t.Errorf("run %s does not end:\n%s", r.id.Short(), enginetest.Transcript(load(s.t, s.h, r.id)))
}

// judge holds what people were told against the log.
func (s *sim) judge(r *simRun) {
	facts := tally(s.h.Events(r.id), r.gate)
	told, unsure := map[string]int{}, map[string]int{}
	for _, w := range s.said {
		if w.run != r {
			continue
		}
		verb, _, _ := strings.Cut(w.what, " the")
		key := w.who + " " + verb
		switch {
		case !w.sure:
			unsure[key]++
		case w.err == nil:
			told[key]++
		default:
			s.refused(facts, w)
		}
	}
	for _, who := range eight() {
		for _, verb := range []string{"approves", "denies", "takes back", "cancels"} {
			key := who + " " + verb
			if n := facts.said[key]; n < told[key] || n > told[key]+unsure[key] {
				s.t.Errorf("run %s: %s is in the log %d times; %d were told so and %d do not know", r.id.Short(), key, n, told[key], unsure[key])
			}
		}
	}
}

// refused checks that somebody who did not decide was told why: who decided before, and what.
func (s *sim) refused(f facts, w said) {
	text := w.err.Error()
	mine := w.who == "ana" || w.who == "gus" || w.who == "hal"
	switch {
	case engine.CodeOf(w.err) == engine.CodeDenied:
		if verb := w.what; verb == "denies" && w.who == "ana" || verb == "takes back" || !mine && verb != "cancels" {
			s.t.Errorf("%s %s was refused: %s", w.who, w.what, text)
		}
	case strings.HasPrefix(text, "too late: "):
		named := slices.ContainsFunc(f.deciders, func(name string) bool {
			return strings.Contains(text, " by "+name) || strings.Contains(text, " and "+name)
		})
		if !named && !strings.Contains(text, "expired at") && !strings.Contains(text, "what you approved has started") {
			s.t.Errorf("%s %s and was told %q, which names nobody of %v", w.who, w.what, text, f.deciders)
		}
	case strings.Contains(text, "is being cancelled already, by "), w.what == "cancels" && strings.Contains(text, "has ended"),
		strings.Contains(text, "you have approved already"), strings.Contains(text, "you have not approved this gate"),
		w.what == "approves the rest" && strings.Contains(text, "the rest cannot be approved here"):
	default:
		s.t.Errorf("%s %s and was told %q", w.who, w.what, text)
	}
}

// facts are what the log says about one gate.
type facts struct {
	said     map[string]int // "ben approves" -> how often
	deciders []string       // everybody who said something that the log has
}

func tally(events []engine.Event, gate string) facts {
	f := facts{said: map[string]int{}}
	note := func(approval string, who engine.Actor, verb string) {
		if approval == gate {
			f.said[who.Name+" "+verb]++
			f.deciders = append(f.deciders, who.Name)
		}
	}
	weighed := false // what comes next was said before
	for _, e := range events {
		switch p := e.Payload.(type) {
		case engine.ApprovalGiven:
			note(p.Approval, p.Actor, "approves")
		case engine.ApprovalDenied:
			note(p.Approval, p.Actor, "denies")
		case engine.ApprovalTakenBack:
			note(p.Approval, p.Actor, "takes back")
		case engine.WordGiven: // who says so is looked up before it counts
			if _, ok := p.Fact.(engine.CancelRequested); ok {
				note(gate, p.Actor, "cancels")
			}
		case engine.CancelRequested: // nobody is looked up
			if !weighed {
				note(gate, p.Actor, "cancels")
			}
		default:
		}
		_, weighed = e.Payload.(engine.WordWeighed)
	}
	return f
}

// outside holds what the tasks did against the log: each of it rests on an intent with an approval that was
// given by as many different people as its gate asks for, of those who count.
func (s *sim) outside() {
	seen := map[string]bool{}
	for _, e := range s.h.Script.Effects() {
		run, err := s.h.Engine.Load(s.t.Context(), e.Run)
		if err != nil {
			s.t.Fatal(err)
		}
		at := run.Steps[e.Path].Attempts[e.Attempt-1]
		a, ok := run.Approval(at.Approval)
		if !ok || a.State != engine.ApprovalUsed || len(a.People()) < a.Needs() || seen[e.Key] {
			s.t.Errorf("run %s did %s on %+v (before: %t)", e.Run.Short(), e.Path, a, seen[e.Key])
			continue
		}
		seen[e.Key] = true
		for _, who := range a.People() {
			if slices.Contains([]string{"ana", "gus"}, who.Name) || who.Name == "hal" && a.Escalated.IsZero() {
				s.t.Errorf("run %s did %s on the yes of %s", e.Run.Short(), e.Path, who.Name)
			}
		}
	}
}

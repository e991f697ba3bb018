package booktest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// Options change how cases run.
type Options struct {
	// Policy decides who may do what. nil lets everybody run, approve and cancel everything, but nobody
	// approve a run of their own, and takes the roles of the cases.
	Policy *policy.Policy

	company company // nil: the case is alone
}

// Result is how a case went.
type Result struct {
	Case     string
	Pos      playbooks.Pos
	Failures []*playbooks.Problem // what did not come as expected; none: the case passes
	Outcome  string
	Message  string // of the end of the run
	Took     time.Duration
	Steps    []StepLine
	Lists    []List // of those that were not as expected
}

// List is what was done in one way, in its order.
type List struct {
	What    string
	Entries []string
}

// StepLine is a step as it was.
type StepLine struct {
	Depth       int           `json:"depth,omitempty"` // 1 for a step of a run that a step started
	Path        string        `json:"path"`
	Description string        `json:"description"`
	Status      string        `json:"status"`
	Message     string        `json:"message,omitempty"`
	Attempts    int           `json:"attempts,omitempty"`
	At          time.Duration `json:"-"` // since the run was requested
}

// Run plays one case.
func (f *File) Run(ctx context.Context, c *Case, shelf *Shelf, o Options) Result {
	j := &judge{r: f.r, c: c, result: Result{Case: c.Name, Pos: c.pos}}
	if remedy, err := shelf.missing(f.Playbook); err != nil {
		j.fail(f.at, remedy, "%v", err)
		return j.result
	}
	dir, err := os.MkdirTemp("", "playbot-test-")
	if err != nil {
		j.fail(c.pos, "", "%v", err)
		return j.result
	}
	defer func() { _ = os.RemoveAll(dir) }()
	err = inBubble(func() {
		if err := f.play(ctx, j, shelf.forCase(), filepath.Join(dir, "case.db"), o); err != nil {
			j.fail(c.pos, "", "%v", err)
		}
	})
	if err != nil {
		j.fail(c.pos, "", "%v", err)
	}
	return j.result
}

// house is what a case runs in.
type house struct {
	engine  *engine.Engine
	watch   *watch
	world   *world
	clicker *clicker
	person  func(name string) engine.Actor
}

// play runs a case and judges it. Everything that it starts has ended when it returns.
func (f *File) play(ctx context.Context, j *judge, shelf *shelf, file string, o Options) (err error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // a signal does not belong to virtual time
	defer stop()
	st, err := store.Open(file, store.Options{}) //nolint:contextcheck // opening is bounded by the lock's time-out
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	with := o.companions()
	h := &house{
		watch: &watch{Log: with.log(st), news: make(chan struct{}, 1)}, world: newWorld(&j.c.world, shelf), person: with.person,
	}
	if err := h.start(ctx, o); err != nil {
		return err
	}
	with.join(ctx, h)
	h.clicker = newClicker(h, j.c.clicks)
	h.clicker.start(ctx)
	run, refusal, err := h.run(ctx, f.Playbook, j.c)
	stop()
	h.clicker.wait()
	with.leave()
	now, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	if stuck, ok := errors.AsType[*stuckError](err); ok {
		j.fail(j.c.pos, "let somebody click, or give the case a higher limit", "%v", stuck)
		err = nil
	}
	if err = errors.Join(err, h.engine.Stop(now)); err != nil {
		return err
	}
	return j.judge(context.WithoutCancel(ctx), h, run, refusal)
}

// start starts the engine over the world of the case.
func (h *house) start(ctx context.Context, o Options) error {
	rules, err := o.policy(h.world.roles)
	if err != nil {
		return err
	}
	types, err := h.world.types(rules) //nolint:contextcheck // to decode is to look at nothing outside
	if err != nil {
		return err
	}
	key := make([]byte, 32) // nothing outlives the case that this could tell of
	h.engine, err = engine.New(engine.Options{Log: h.watch, Books: h.world.shelf, Types: types, Policy: rules, Fleet: network{h.world}, SecretKey: key})
	if err != nil {
		return err
	}
	if err := h.world.hold(ctx); err != nil {
		return err
	}
	h.world.reserve(h.engine)
	return h.engine.Resume(ctx)
}

// policy is the given one, or one in which the people of the case have their roles.
func (o Options) policy(roles map[string][]string) (*policy.Policy, error) {
	if o.Policy != nil {
		return o.Policy, nil
	}
	all := []string{"*"}
	rules := policy.Rules{Roles: []policy.Role{{
		Name: "everybody", Members: all, May: []policy.Verb{policy.Run, policy.Approve, policy.Cancel}, Playbooks: all,
	}}}
	for _, name := range sorted(roles) {
		members := make([]string, len(roles[name]))
		for i, m := range roles[name] {
			members[i] = o.companions().person(m).User
		}
		rules.Roles = append(rules.Roles, policy.Role{Name: name, Members: members, May: []policy.Verb{policy.Approve}, Playbooks: all})
	}
	return policy.New(rules)
}

// run asks for the run and waits for its end. refusal says why it was not started.
func (h *house) run(ctx context.Context, playbook string, c *Case) (run *engine.Run, refusal string, err error) {
	book, err := h.world.shelf.Get(playbook)
	if err != nil {
		return nil, "", err
	}
	bound, err := book.Bind(c.inputs, false)
	if err != nil {
		return nil, err.Error(), nil
	}
	id, err := h.engine.Start(ctx, engine.StartRequest{
		Key: "case", Actor: h.person(c.by), Origin: engine.OriginTyped, Playbook: playbook, Inputs: bound,
	})
	if engine.CodeOf(err) == engine.CodeDenied && err != nil {
		return nil, err.Error(), nil
	}
	if err != nil {
		return nil, "", err
	}
	limited, cancel := context.WithTimeoutCause(ctx, c.limit, errLimit)
	defer cancel()
	run, err = h.engine.Wait(limited, id)
	if errors.Is(err, errLimit) {
		if run, err = h.engine.Load(ctx, id); err != nil {
			return nil, "", err
		}
		err = &stuckError{fmt.Sprintf("the run had not ended after %s; it was %s%s", commands.Took(c.limit), run.Status, at(run))}
	}
	return run, "", err
}

var errLimit = errors.New("the case took too long")

// stuckError says where a run stood when its case took too long.
type stuckError struct{ text string }

// Error implements error.
func (e *stuckError) Error() string { return e.text }

// at names the step at which a run stands.
func at(run *engine.Run) string {
	for _, p := range slices.Backward(run.Order) {
		if s := run.Steps[p]; s.Ended.IsZero() {
			return fmt.Sprintf(" at %s, %s", s.Path, strings.TrimSpace(s.Description))
		}
	}
	return ""
}

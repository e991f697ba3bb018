package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// Books is where playbooks come from; playbooks.Library is one.
type Books interface {
	Get(name string) (*playbooks.Playbook, error)
	ByDigest(digest string) (*playbooks.Playbook, bool)
}

// Options are what an engine needs.
type Options struct {
	Log    Log            // required
	Books  Books          // required
	Types  Types          // what playbooks may use
	Policy *policy.Policy // required
	Fleet  Fleet          // nil: node sets with `test` or `uses` fail with a sentence that says so
	// Vouch looks a person up before what they asked for or said counts; an error refuses. nil vouches for everybody.
	Vouch func(ctx context.Context, a Actor) error
	// Directory is asked who people are before anything that they say is answered; nil: everybody counts.
	Directory Directory
	// Posts says that people see gates in messages, which are recorded as [Posted]: the time of a gate does not
	// run out before there is one.
	Posts   bool
	Secrets []string // byte strings that no event may contain
	// SecretKey keys the digests by which secret inputs are recognised again, at least 32 random bytes. It
	// must not stand in the log. Without one, a run with a secret is refused.
	SecretKey []byte
	Logger    *slog.Logger // nil: discarded
}

// Engine runs playbooks: one goroutine for each run that is doing something, none for one that
// waits. Its methods are safe for concurrent use.
type Engine struct {
	opts   Options
	logger *slog.Logger
	redact *redactor

	base context.Context //nolint:containedctx // the life of the workers, ended by Stop; no call carries it
	kill context.CancelCauseFunc
	wg   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	stopping bool
	stop     chan struct{}
	runners  map[RunID]*runner
	timers   map[RunID]*time.Timer
	sessions map[RunID]*session
	waiters  map[RunID][]chan struct{}
	kept     map[string]bool // digests known to be in the log
	looking  map[RunID]Seq   // the word of a run whose giver is being looked up

	leases   *leaseTable
	families *families
	active   *activeRuns
	choices  *choiceCache
}

var errStopping = errors.New("playbot is stopping")

// New returns an engine. Call [Engine.Resume] before the first request.
func New(opts Options) (*Engine, error) {
	if opts.Log == nil || opts.Books == nil || opts.Policy == nil {
		return nil, errors.New("engine: Log, Books and Policy are required")
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	base, kill := context.WithCancelCause(context.Background())
	return &Engine{
		opts: opts, logger: opts.Logger, redact: newRedactor(opts.Secrets), base: base, kill: kill,
		stop:     make(chan struct{}),
		runners:  make(map[RunID]*runner),
		timers:   make(map[RunID]*time.Timer),
		sessions: make(map[RunID]*session),
		waiters:  make(map[RunID][]chan struct{}),
		kept:     make(map[string]bool),
		looking:  make(map[RunID]Seq),
		leases:   newLeaseTable(),
		families: newFamilies(),
		active:   newActiveRuns(),
		choices:  newChoiceCache(),
	}, nil
}

// Resume takes up every run that has not ended. Call it once, before the first request.
func (e *Engine) Resume(ctx context.Context) error {
	ids, err := e.opts.Log.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("resume: list unfinished runs: %w", err)
	}
	e.take(ids, e.restore(ctx, ids))
	e.logger.InfoContext(ctx, "resumed", "runs", len(ids))
	return nil
}

// Stop ends the engine: nothing new begins, what is under way may end until ctx does, and is then
// cut off. It returns when every goroutine has returned, and may be called twice.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	if !e.stopping {
		e.stopping = true
		close(e.stop)
		for _, t := range e.timers {
			t.Stop()
		}
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		e.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		e.kill(errStopping)
		<-done
	}
	e.kill(errStopping)
	return nil
}

// untilStop ends a context with errStopping as soon as the engine begins to stop, for waits that
// nothing is lost by cutting short.
func (e *Engine) untilStop(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() { // ends with ctx
		select {
		case <-e.stop:
			cancel(errStopping)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// poke makes a run look at what is next.
func (e *Engine) poke(id RunID) { _ = e.send(id, mail{}) }

// errNotTaken refuses mail because the engine is stopping.
var errNotTaken = Errorf(CodeBusy, "playbot is stopping; try again in a minute")

// send hands mail to a run's goroutine and starts one if the run has none.
func (e *Engine) send(id RunID, m mail) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, running := e.runners[id]; e.stopping && (!running || !m.note) {
		return errNotTaken
	}
	if t, ok := e.timers[id]; ok {
		t.Stop()
		delete(e.timers, id)
	}
	r, ok := e.runners[id]
	if !ok {
		r = &runner{engine: e, id: id, inbox: make(chan mail, inboxSize)}
		e.runners[id] = r
		e.wg.Go(r.loop)
	}
	select {
	case r.inbox <- m:
		return nil
	default:
		return Errorf(CodeBusy, "run %s has too many requests waiting; try again in a moment", id.Short())
	}
}

// retire takes a runner away unless mail has arrived meanwhile. A non-zero wake pokes the run then.
func (e *Engine) retire(r *runner, wake time.Time, ended bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(r.inbox) > 0 {
		return false
	}
	delete(e.runners, r.id)
	if ended {
		delete(e.sessions, r.id)
	} else if !wake.IsZero() && !e.stopping {
		e.timers[r.id] = time.AfterFunc(time.Until(wake), func() { e.poke(r.id) })
	}
	return true
}

// announceEnd wakes everybody who waits for the end of a run.
func (e *Engine) announceEnd(id RunID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.waiters[id] {
		close(w)
	}
	delete(e.waiters, id)
}

// Wait blocks until the run has ended and returns it.
func (e *Engine) Wait(ctx context.Context, id RunID) (*Run, error) {
	ch := e.await(id)
	defer e.forget(id, ch)
	run, err := e.Load(ctx, id)
	if err != nil || !run.Ended.IsZero() {
		return run, err
	}
	select {
	case <-ch:
		return e.Load(ctx, id)
	case <-ctx.Done():
		return run, context.Cause(ctx)
	case <-e.stop:
		return run, errStopping
	}
}

func (e *Engine) await(id RunID) chan struct{} {
	ch := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiters[id] = append(e.waiters[id], ch)
	return ch
}

func (e *Engine) forget(id RunID, ch chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiters[id] = slices.DeleteFunc(e.waiters[id], func(w chan struct{}) bool { return w == ch })
	if len(e.waiters[id]) == 0 {
		delete(e.waiters, id)
	}
}

package enginetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// The people of every test: ana may run and cancel, ben may do that and approve, gus may nothing.
func people() (ana, ben, gus engine.Actor) {
	return engine.Actor{Team: "T1", User: "UANA", Name: "ana"},
		engine.Actor{Team: "T1", User: "UBEN", Name: "ben"},
		engine.Actor{Team: "T1", User: "UGUS", Name: "gus"}
}

// House is an engine on a given log, with scripted task types, for tests of the engine itself.
// Its YAML knows the task type `do` (name, nodes, effect, any), the node set `list` (nodes) and
// the data store `map`, which locks.
type House struct {
	Engine        *engine.Engine
	Log           engine.Log
	Ana, Ben, Gus engine.Actor
	Script        *Script

	tb      testing.TB
	opts    engine.Options
	books   *bookShelf
	secrets []string
}

// NewHouse starts an engine on log. When the test ends, the engine is stopped and every run in the
// log is held against [Check], and all of them together against [CheckLeases].
func NewHouse(tb testing.TB, log engine.Log, change ...func(*engine.Options)) *House {
	tb.Helper()
	h := &House{tb: tb, Log: log, Script: NewScript(), books: &bookShelf{byName: map[string]*playbooks.Playbook{}}}
	h.Ana, h.Ben, h.Gus = people()
	rules, err := policy.New(policy.Rules{Roles: []policy.Role{
		{Name: "deployer", Members: []string{"UANA", "UBEN"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"*"}},
		{Name: "approver", Members: []string{"UBEN"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}},
	}})
	if err != nil {
		tb.Fatal(err)
	}
	h.opts = engine.Options{Log: log, Books: h.books, Types: h.Script.Types(), Policy: rules, SecretKey: []byte("the same key in every process !!")}
	for _, c := range change {
		c(&h.opts)
	}
	h.Log, h.secrets = h.opts.Log, h.opts.Secrets
	h.Restart()
	tb.Cleanup(h.close)
	return h
}

// Restart starts another engine on the same log, which takes up what [House.Stop] cut off.
func (h *House) Restart() {
	h.tb.Helper()
	e, err := engine.New(h.opts)
	if err != nil {
		h.tb.Fatal(err)
	}
	h.Engine = e
	open, err := h.Log.Unfinished(context.Background())
	if err != nil {
		h.tb.Fatal(err)
	}
	for _, id := range open { // also those that a task has started whose process died
		h.Watch(id)
	}
	if err := e.Resume(context.Background()); err != nil {
		h.tb.Fatal(err)
	}
}

// Change sets options for the next [House.Restart].
func (h *House) Change(change ...func(*engine.Options)) {
	for _, c := range change {
		c(&h.opts)
	}
}

// Stop stops the engine at once; what is under way is cut off.
func (h *House) Stop() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Engine.Stop(now); err != nil {
		h.tb.Errorf("stop: %v", err)
	}
}

func (h *House) close() {
	h.Stop()
	var all []engine.Event
	for _, id := range h.Script.runs() {
		events := h.Events(id)
		all = append(all, events...)
		for _, problem := range append(Check(events, h.secrets...), h.always(events)...) {
			h.tb.Errorf("run %s: %s", id.Short(), problem)
		}
	}
	for _, problem := range CheckLeases(all, h.leasesNothing) {
		h.tb.Error(problem)
	}
}

// leasesNothing reports whether the playbook of a run says so, or is not there to ask.
func (h *House) leasesNothing(r engine.RunRequested) bool {
	book, ok := h.books.ByDigest(r.Playbook.Digest)
	return !ok || book.Leases == playbooks.LeasesNone
}

// always says which tasks of the list `always` did not run although the run ended after `pre_book` began.
func (h *House) always(events []engine.Event) (problems []string) {
	run := &engine.Run{}
	for _, e := range events {
		run.Apply(e)
	}
	book, ok := h.books.ByDigest(run.Requested.Playbook.Digest)
	if !ok || run.Ended.IsZero() || run.Prepared == nil {
		return nil
	}
	for i := range book.List("always") {
		path := engine.Path(fmt.Sprintf("always.%d", i+1))
		if s := run.Steps[path]; s == nil || s.Ended.IsZero() {
			problems = append(problems, fmt.Sprintf("promise 7: the run ended without %s", path))
		}
	}
	return problems
}

// Book puts a playbook on the shelf; only what comes after the metadata is given.
func (h *House) Book(name, body string) *playbooks.Playbook {
	h.tb.Helper()
	source := fmt.Sprintf("name: %s\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: A test\nrun_as: choria=test.user\n%s", name, body)
	b, err := playbooks.Parse(name+".yaml", []byte(source), h.opts.Types)
	if err != nil {
		h.tb.Fatalf("playbook %s: %v", name, err)
	}
	h.books.put(b)
	return b
}

// Watch has a run held against [Check] at the end of the test; [House.Start] does that by itself.
func (h *House) Watch(id engine.RunID) { h.Script.note(id) }

// Watched lists the runs that are watched, children included, in the order in which they began.
func (h *House) Watched() []engine.RunID { return h.Script.runs() }

// Secrets are byte strings that the events of no run of this test may contain.
func (h *House) Secrets(secrets ...string) { h.secrets = append(h.secrets, secrets...) }

// Start has ana start a playbook.
func (h *House) Start(name string, inputs map[string]any) engine.RunID {
	h.tb.Helper()
	id, err := h.Engine.Start(h.tb.Context(), engine.StartRequest{
		Key: newKey(), Actor: h.Ana, Origin: engine.OriginTyped, Playbook: name, Inputs: inputs,
	})
	if err != nil {
		h.tb.Fatalf("start %s: %v", name, err)
	}
	h.Script.note(id)
	return id
}

// Finish waits for the end of a run and returns it.
func (h *House) Finish(id engine.RunID) *engine.Run {
	h.tb.Helper()
	run, err := h.Engine.Wait(h.tb.Context(), id)
	if err != nil {
		h.tb.Fatalf("wait for run %s: %v", id.Short(), err)
	}
	return run
}

// Events returns the events of a run.
func (h *House) Events(id engine.RunID) []engine.Event {
	h.tb.Helper()
	var out []engine.Event
	for e, err := range h.Log.Read(context.Background(), id.Stream()) {
		if err != nil {
			h.tb.Fatalf("read run %s: %v", id.Short(), err)
		}
		out = append(out, e)
	}
	return out
}

// Transcript is a run as lines "path status message", in the order in which its tasks began.
func Transcript(r *engine.Run) string {
	var b strings.Builder
	for _, p := range r.Order {
		s := r.Steps[p]
		fmt.Fprintf(&b, "%s %s", p, s.Status)
		if n := len(s.Attempts); n > 1 {
			fmt.Fprintf(&b, " x%d", n)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Status, r.Message)
	return b.String()
}

type bookShelf struct {
	mu     sync.Mutex // guards what follows
	byName map[string]*playbooks.Playbook
}

func (s *bookShelf) put(b *playbooks.Playbook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName[b.Name] = b
}

// Get implements [engine.Books].
func (s *bookShelf) Get(name string) (*playbooks.Playbook, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.byName[name]; ok {
		return b, nil
	}
	return nil, engine.Errorf(engine.CodeNotFound, "there is no playbook %q", name)
}

// ByDigest implements [engine.Books].
func (s *bookShelf) ByDigest(digest string) (*playbooks.Playbook, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.byName {
		if b.Digest == digest {
			return b, true
		}
	}
	return nil, false
}

func newKey() string { return string(engine.NewRunID(time.Now())) }

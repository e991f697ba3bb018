package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Act is what a scripted task does; n counts its calls from one.
type Act func(ctx context.Context, n int, c *engine.Call) (engine.Result, error)

// Script is the scripted part of a [House]: what `do` tasks do, and how often they did it.
type Script struct {
	mu     sync.Mutex // guards what follows
	acts   map[string]Act
	calls  map[string]int
	ids    []engine.RunID
	values map[string]any
	locks  map[string]engine.Holder
	nodes  map[string][]string // overrides of `list` node sets, by their first node

	effects    []Effect
	onDiscover func(context.Context) error
	onUnlock   func(context.Context) error
}

// NewScript returns a script in which every task succeeds.
func NewScript() *Script {
	return &Script{
		acts: map[string]Act{}, calls: map[string]int{}, values: map[string]any{},
		locks: map[string]engine.Holder{}, nodes: map[string][]string{},
	}
}

// On says what the `do` task of that name does.
func (s *Script) On(name string, act Act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acts[name] = act
}

// FailFirst makes a task fail its first n calls.
func (s *Script) FailFirst(name string, n int) {
	s.On(name, func(_ context.Context, call int, _ *engine.Call) (engine.Result, error) {
		if call <= n {
			return engine.Result{Message: fmt.Sprintf("call %d failed", call)}, errors.New("scripted failure")
		}
		return engine.Result{Message: "ok"}, nil
	})
}

// Calls is how often the task of that name was run.
func (s *Script) Calls(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[name]
}

// Discover makes the `list` node set which begins with first find other nodes from now on.
func (s *Script) Discover(first string, nodes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[first] = nodes
}

// OnDiscover has every node set call f before it looks; its error is the node set's.
func (s *Script) OnDiscover(f func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDiscover = f
}

// OnUnlock has the `map` data store call f before it releases a lock; an error keeps it.
func (s *Script) OnUnlock(f func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onUnlock = f
}

// hook calls what a test has put in a place, without the lock.
func (s *Script) hook(ctx context.Context, place func(*Script) func(context.Context) error) error {
	s.mu.Lock()
	f := place(s)
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(ctx)
}

// Holder says who holds a lock of the `map` data store.
func (s *Script) Holder(key string) (engine.Holder, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.locks[key]
	return h, ok
}

// Hold lets somebody else hold a lock.
func (s *Script) Hold(key string, h engine.Holder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locks[key] = h
}

// Set puts a value into the `map` data store.
func (s *Script) Set(key string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = v
}

// Unset removes a value from the `map` data store.
func (s *Script) Unset(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, key)
}

func (s *Script) note(id engine.RunID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.ids, id) {
		s.ids = append(s.ids, id)
	}
}

func (s *Script) runs() []engine.RunID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

// Types are the scripted types.
func (s *Script) Types() engine.Types {
	return engine.Types{
		Tasks: []engine.TaskType{
			{Name: "do", Summary: "does what the test says", Decode: s.decodeDo},
			{Name: "child", Summary: "runs another playbook", Decode: s.decodeChild},
		},
		Nodes:  []engine.NodeSourceType{{Name: "list", Summary: "the nodes that are written there", Decode: s.decodeList}},
		Stores: []engine.DataStoreType{{Name: "map", Summary: "a map that locks", Decode: s.decodeMap}},
	}
}

type doTask struct {
	script *Script
	name   string
	nodes  []string
	effect engine.Effect
	any    any
}

func (s *Script) decodeDo(p *playbooks.Properties) (engine.Task, error) {
	d := doTask{script: s, name: p.RequireText("name"), nodes: p.Strings("nodes")}
	d.effect = engine.Effect(p.Choice("effect", "once", "once", "read_only", "idempotent"))
	d.any = p.Any("any")
	return d, p.Err()
}

// Effect implements [engine.Task].
func (d doTask) Effect() engine.Effect { return d.effect }

// Targets implements [engine.Targeted].
func (d doTask) Targets() []string { return d.nodes }

// Run implements [engine.Task].
func (d doTask) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	n, act, end := d.script.begin(d, c)
	if act == nil {
		end(nil)
		return engine.Result{Message: d.name + " done", OKNodes: d.nodes}, nil
	}
	r, err := act(ctx, n, c)
	end(err)
	return r, err
}

type childTask struct {
	script *Script
	name   string
	inputs map[string]any
}

func (s *Script) decodeChild(p *playbooks.Properties) (engine.Task, error) {
	return childTask{script: s, name: p.RequireText("name"), inputs: p.Map("inputs")}, p.Err()
}

// Effect implements [engine.Task].
func (childTask) Effect() engine.Effect { return engine.Idempotent }

// Run implements [engine.Task].
func (t childTask) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	run, err := c.Child(ctx, t.name, t.inputs)
	if run == nil {
		return engine.Result{}, err
	}
	t.script.note(run.ID)
	if err == nil && run.Status != engine.RunSuccess {
		err = errors.New(run.Message)
	}
	return engine.Result{Message: string(run.Status), Child: run.ID}, err
}

type listSource struct {
	script *Script
	nodes  []string
}

func (s *Script) decodeList(p *playbooks.Properties) (engine.NodeSource, error) {
	return listSource{script: s, nodes: p.Strings("nodes")}, p.Err()
}

// Discover implements [engine.NodeSource].
func (l listSource) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	if err := l.script.hook(ctx, func(s *Script) func(context.Context) error { return s.onDiscover }); err != nil {
		return nil, err
	}
	l.script.mu.Lock()
	defer l.script.mu.Unlock()
	if len(l.nodes) > 0 {
		if other, ok := l.script.nodes[l.nodes[0]]; ok {
			return other, nil
		}
	}
	return l.nodes, nil
}

type mapStore struct{ script *Script }

func (s *Script) decodeMap(p *playbooks.Properties) (engine.DataStore, error) {
	return mapStore{script: s}, p.Err()
}

// Get implements [engine.DataStore].
func (m mapStore) Get(_ context.Context, key string) (any, error) {
	m.script.mu.Lock()
	defer m.script.mu.Unlock()
	if v, ok := m.script.values[key]; ok {
		return v, nil
	}
	return nil, fmt.Errorf("%q: %w", key, engine.ErrNoKey)
}

// Put implements [engine.DataStore].
func (m mapStore) Put(_ context.Context, key string, v any) error {
	m.script.Set(key, v)
	return nil
}

// Delete implements [engine.DataStore].
func (m mapStore) Delete(_ context.Context, key string) error {
	m.script.Unset(key)
	return nil
}

// Lock implements [engine.Locker]; it looks again every second.
func (m mapStore) Lock(ctx context.Context, key string, owner engine.Holder, waiting func(engine.Holder)) (engine.Lease, error) {
	for {
		m.script.mu.Lock()
		h, held := m.script.locks[key]
		if !held || h.Run == owner.Run {
			m.script.locks[key] = owner
			m.script.mu.Unlock()
			return engine.Lease{}, nil
		}
		m.script.mu.Unlock()
		if waiting != nil {
			waiting(h)
		}
		select {
		case <-ctx.Done():
			return engine.Lease{}, &engine.HeldError{Key: key, Holder: h}
		case <-time.After(time.Second):
		}
	}
}

// Unlock implements [engine.Locker].
func (m mapStore) Unlock(ctx context.Context, key string, owner engine.Holder) error {
	if err := m.script.hook(ctx, func(s *Script) func(context.Context) error { return s.onUnlock }); err != nil {
		return err
	}
	m.script.mu.Lock()
	defer m.script.mu.Unlock()
	if m.script.locks[key].Run == owner.Run {
		delete(m.script.locks, key)
	}
	return nil
}

//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
)

// witness writes down what a run asks of the world before its first task, in order.
type witness struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (w *witness) saw(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, fmt.Sprintf(format, args...))
}

func (w *witness) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// watchedStore is a data store whose use is witnessed.
type watchedStore struct {
	engine.DataStore
	engine.Locker

	w *witness
}

// Get implements [engine.DataStore].
func (s watchedStore) Get(ctx context.Context, key string) (any, error) {
	s.w.saw("get %s", key)
	return s.DataStore.Get(ctx, key)
}

// Put implements [engine.DataStore].
func (s watchedStore) Put(ctx context.Context, key string, v any) error {
	s.w.saw("put %s=%v", key, v)
	return s.DataStore.Put(ctx, key, v)
}

// Lock implements [engine.Locker].
func (s watchedStore) Lock(ctx context.Context, key string, owner engine.Holder, waiting func(engine.Holder)) (engine.Lease, error) {
	s.w.saw("lock %s", key)
	return s.Locker.Lock(ctx, key, owner, waiting)
}

// Unlock implements [engine.Locker].
func (s watchedStore) Unlock(ctx context.Context, key string, owner engine.Holder) error {
	s.w.saw("unlock %s", key)
	return s.Locker.Unlock(ctx, key, owner)
}

// watchedFleet is a fleet whose every question is witnessed; each node has the agents of the map.
type watchedFleet struct {
	w      *witness
	agents map[string]string
	silent []string
	err    error
}

// Ping implements [engine.Fleet].
func (f *watchedFleet) Ping(_ context.Context, nodes []string) ([]string, error) {
	f.w.saw("ping %s", strings.Join(nodes, " "))
	return f.silent, f.err
}

// Agents implements [engine.Fleet].
func (f *watchedFleet) Agents(_ context.Context, nodes []string) (map[string]map[string]string, error) {
	f.w.saw("agents %s", strings.Join(nodes, " "))
	out := make(map[string]map[string]string)
	for _, n := range nodes {
		out[n] = f.agents
	}
	return out, nil
}

// inWatchedHouse is inHouse with a witness of the `map` data stores, of which `plain` cannot lock, and of the fleet.
func inWatchedHouse(t *testing.T, test func(t *testing.T, h *enginetest.House, w *witness, f *watchedFleet)) {
	t.Helper()
	w := &witness{}
	fleet := &watchedFleet{w: w, agents: map[string]string{"puppet": "1.11.0", "rpcutil": "1.0.0"}}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.OnDiscover(func(context.Context) error { w.saw("discover"); return nil })
		test(t, h, w, fleet)
	}, func(o *engine.Options) {
		o.Fleet = fleet
		open := o.Types.Stores[0].Decode
		watched := func(p *playbooks.Properties) (watchedStore, error) {
			s, err := open(p)
			if err != nil {
				return watchedStore{}, err
			}
			return watchedStore{s, s.(engine.Locker), w}, nil
		}
		o.Types.Stores[0].Decode = func(p *playbooks.Properties) (engine.DataStore, error) {
			checking := p.Checking()
			label := p.Text("label", "")
			s, err := watched(p)
			if err == nil && !checking {
				w.saw("open %s", label)
			}
			return s, err
		}
		o.Types.Stores = append(o.Types.Stores, engine.DataStoreType{
			Name: "plain", Decode: func(p *playbooks.Properties) (engine.DataStore, error) {
				s, err := watched(p)
				return struct{ engine.DataStore }{s}, err
			},
		})
	})
}

func wantSeen(t *testing.T, w *witness, want ...string) {
	t.Helper()
	if got := w.all(); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// The order of the reference's 0.3 and 14.1, with the addition of 14.3: sets one by one, then connectivity, then versions.
func TestCompat2017_prepareIsInOrder(t *testing.T) {
	t.Parallel()
	inWatchedHouse(t, func(t *testing.T, h *enginetest.House, w *witness, _ *watchedFleet) {
		h.Book("b", `
inputs:
  tier: {type: String}
  kept: {type: String, data: s/kept, save: true}
data_stores: {s: {type: map, label: "of {{ inputs.tier }}"}}
locks: [s, "s/tier"]
uses: {puppet: ">= 1.11.0", rpcutil: "~{{ inputs.tier }}"}
nodes:
  one: {type: list, nodes: ["{{ inputs.tier }}a", n2], test: true, uses: [puppet, rpcutil]}
  two: {type: list, nodes: [n2, n3], test: true, uses: [puppet]}
  three: {type: list, nodes: [n4]}
tasks: [{do: {name: first}}]
`)
		h.Script.On("first", func(context.Context, int, *engine.Call) (engine.Result, error) {
			w.saw("first task")
			return engine.Result{}, nil
		})
		run := h.Finish(h.Start("b", map[string]any{"tier": "1.0", "kept": "x"}))
		if run.Status != engine.RunSuccess {
			t.Fatalf("%s: %s", run.Status, run.Message)
		}
		wantSeen(t, w, "open of 1.0", "put kept=x", "lock choria/locks/playbook/b", "lock tier", "discover", "discover", "discover",
			"ping 1.0a n2 n3", "agents 1.0a n2 n3", "first task", "unlock choria/locks/playbook/b", "unlock tier")
	})
}

// What cannot be opened is found before the first task, as in 2017, also when nothing needs it yet.
func TestCompat2017_storesAreOpenedBeforeTheFirstTask(t *testing.T) {
	t.Parallel()
	inWatchedHouse(t, func(t *testing.T, h *enginetest.House, _ *witness, _ *watchedFleet) {
		h.Book("b", `
inputs:
  label: {type: String}
  later: {type: String, data: s/later, dynamic: true}
data_stores: {s: {type: map, label: "{{ int(inputs.label) }}"}}
tasks: [{do: {name: first}}, {do: {name: second, any: "{{ inputs.later }}"}}]
`)
		run := h.Finish(h.Start("b", map[string]any{"label": "no number"}))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, `data store "s"`) || h.Script.Calls("first") != 0 {
			t.Errorf("%s: %s; the first task ran %d times", run.Status, run.Message, h.Script.Calls("first"))
		}
	})
}

func TestCompat2017_runIsInOrder(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", lockedBook)
		id := h.Start("b", nil)
		run := h.Finish(id)
		var kinds []string
		for _, e := range h.Events(id) {
			kinds = append(kinds, e.Kind())
		}
		want := "run_requested locks_requested locks_taken prepared task_begun attempt_started attempt_ended task_ended locks_released run_ended"
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if r := run.Report(); !r.Report.Success || r.Report.Start.IsZero() || r.Report.End.Before(r.Report.Start) {
			t.Errorf("got the report %+v", r.Report)
		}
	})
}

func TestCompat2017_lockPaths(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		locks, message string
		seen           []string
	}{
		"a key is taken as it is": {"[s/tier, s/a/b/c]", "", []string{"lock a/b/c", "lock tier", "unlock a/b/c", "unlock tier"}},
		"a store alone is the book's own key": {
			"[s, t]", "",
			[]string{"lock choria/locks/playbook/b", "lock choria/locks/playbook/b", "unlock choria/locks/playbook/b", "unlock choria/locks/playbook/b"},
		},
		"a template gives the key":                     {`["s/{{ metadata.version }}"]`, "", []string{"lock 1.0.0", "unlock 1.0.0"}},
		"what is taken is released when another fails": {"[s/tier, t/held]", "lock t/held is held by", []string{"lock tier", "lock held", "unlock tier", "unlock held"}},
		"a store that cannot lock says so":             {"[s/tier, u/tier]", `data store "u" cannot lock`, []string{"lock tier", "unlock tier"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWatchedHouse(t, func(t *testing.T, h *enginetest.House, w *witness, _ *watchedFleet) {
				h.Book("b", "data_stores: {s: {type: map}, t: {type: map}, u: {type: plain}}\nlocks: "+row.locks+"\ntasks: [{do: {name: one}}]\n")
				h.Script.Hold("held", engine.Holder{Run: "01OTHERRUN", Who: "ben", Since: time.Now()})
				run := h.Finish(h.Start("b", nil))
				if !strings.Contains(run.Message, row.message) || (run.Status == engine.RunSuccess) != (row.message == "") {
					t.Errorf("%s: %s; want %q", run.Status, run.Message, row.message)
				}
				got := slices.DeleteFunc(w.all(), func(line string) bool { return strings.HasPrefix(line, "open") })
				if !slices.Equal(got, row.seen) {
					t.Errorf("got %q, want %q", got, row.seen)
				}
				wantNotHeld(t, h, "tier", "choria/locks/playbook/b")
			})
		})
	}
}

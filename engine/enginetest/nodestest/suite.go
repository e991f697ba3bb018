package nodestest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// MaxReturn is how long a discovery that was cut off may take to return.
const MaxReturn = time.Second

// Case is a node source type with what the suite needs to put it to the test.
type Case struct {
	Type engine.NodeSourceType
	// Some finds Want, in that order. At the source at least one of these names stands twice, or
	// answers twice, where that is possible.
	Some map[string]any
	Want []string
	None map[string]any // finds nothing
	// Broken is a source that is out of reach or cannot be read; its error contains Names. Without
	// Names the source is the playbook itself, which cannot be out of reach.
	Broken     map[string]any
	BrokenType *engine.NodeSourceType // nil: Type
	Names      string
	Defaults   bool // empty properties mean something
}

// Run puts a node source type to the test; fresh is called for each part of it.
func Run(t *testing.T, fresh func(t *testing.T) Case) {
	t.Helper()
	for name, test := range tests() {
		t.Run(name, func(t *testing.T) { test(fresh(t), t) })
	}
}

// RunVirtual is Run in virtual time, for a source that waits and does not leave the process.
func RunVirtual(t *testing.T, fresh func(t *testing.T) Case) {
	t.Helper()
	for name, test := range tests() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(fresh(t), t) })
		})
	}
}

func tests() map[string]func(Case, *testing.T) {
	return map[string]func(Case, *testing.T){
		"empty properties are refused where they stand":       Case.refusesNothing,
		"an unknown property is refused":                      Case.refusesUnknown,
		"every node is found, in the same order every time":   Case.finds,
		"finding nothing is no error":                         Case.findsNothing,
		"the source that cannot be read is named":             Case.namesSource,
		"a discovery that is cut off before it began is none": Case.isCutOff,
		"a discovery that is cut off returns soon":            Case.isCutOffLater,
		"many may discover at once":                           Case.findsAtOnce,
	}
}

func (c Case) decode(t *testing.T, properties map[string]any) engine.NodeSource {
	t.Helper()
	p := playbooks.FromMap(properties)
	s, err := c.Type.Decode(p)
	if err = errors.Join(err, p.Err()); err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return s
}

func (c Case) refusesNothing(t *testing.T) {
	t.Helper()
	source := "name: suite\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: A test\nrun_as: choria=test.user\n" +
		"nodes:\n  some:\n    type: " + c.Type.Name + "\n" + "tasks: []\n"
	_, err := playbooks.Parse("suite.yaml", []byte(source), engine.Types{Nodes: []engine.NodeSourceType{c.Type}})
	if c.Defaults {
		if err != nil {
			t.Errorf("got %v, want that nothing means the default", err)
		}
		return
	}
	problems, ok := errors.AsType[*playbooks.Problems](err)
	if !ok {
		t.Fatalf("a node set with nothing but its type is not refused: %v", err)
	}
	for _, p := range problems.All() {
		if p.Pos.Line < 7 || p.Pos.Line > 8 {
			t.Errorf("%q stands on line %d, want 7 or 8", p.Message, p.Pos.Line)
		}
	}
}

func (c Case) refusesUnknown(t *testing.T) {
	t.Helper()
	with := map[string]any{"no_such_property": "x"}
	maps.Copy(with, c.Some)
	p := playbooks.FromMap(with)
	_, err := c.Type.Decode(p)
	if err = errors.Join(err, p.Err()); err == nil || !strings.Contains(err.Error(), `unknown key "no_such_property"`) {
		t.Errorf("got %v", err)
	}
}

// finds allows duplicates, which the engine removes, but no empty names.
func (c Case) finds(t *testing.T) {
	t.Helper()
	source := c.decode(t, c.Some)
	for range 2 {
		got, err := source.Discover(t.Context(), call())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(unique(got), c.Want) {
			t.Fatalf("got %q, want %q", got, c.Want)
		}
		clear(got) // what was returned belongs to the caller
	}
}

func (c Case) findsNothing(t *testing.T) {
	t.Helper()
	got, err := c.decode(t, c.None).Discover(t.Context(), call())
	if err != nil || len(got) != 0 {
		t.Errorf("got %q, %v; want nothing, which the engine judges", got, err)
	}
}

func (c Case) namesSource(t *testing.T) {
	t.Helper()
	if c.Names == "" {
		return
	}
	if c.BrokenType != nil {
		c.Type = *c.BrokenType
	}
	got, err := c.decode(t, c.Broken).Discover(t.Context(), call())
	if err == nil || !strings.Contains(err.Error(), c.Names) {
		t.Errorf("got %q, %v; want an error that names %q", got, err, c.Names)
	}
}

func (c Case) isCutOff(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(engine.Errorf(engine.CodeCanceled, "cancelled by the suite"))
	if got, err := c.decode(t, c.Some).Discover(ctx, call()); err == nil {
		t.Errorf("a discovery that was cut off is a success: %q", got)
	}
}

// isCutOffLater cuts off while the source works, where it is not faster than that.
func (c Case) isCutOffLater(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	cut := time.Now().Add(time.Millisecond)
	time.AfterFunc(time.Millisecond, func() { cancel(engine.Errorf(engine.CodeCanceled, "cancelled by the suite")) })
	got, err := c.decode(t, c.Some).Discover(ctx, call())
	if took := time.Since(cut); took > MaxReturn {
		t.Errorf("it took %s to return, want at most %s", took, MaxReturn)
	}
	if err == nil && !slices.Equal(unique(got), c.Want) {
		t.Errorf("half of a discovery is a success: %q", got)
	}
}

func (c Case) findsAtOnce(t *testing.T) {
	t.Helper()
	source := c.decode(t, c.Some)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got, err := source.Discover(t.Context(), call())
			if err != nil || !slices.Equal(unique(got), c.Want) {
				t.Errorf("got %q, %v; want %q", got, err, c.Want)
			}
		})
	}
	wg.Wait()
}

func unique(list []string) []string {
	var out []string
	for _, n := range list {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// call is a call as the engine makes it before the first task.
func call() *engine.Call {
	now := time.Now()
	return &engine.Call{
		Run:  engine.RunInfo{ID: engine.NewRunID(now), Actor: engine.Actor{Team: "T1", User: "UANA", Name: "ana"}, Requested: now},
		Path: "nodes.some", Attempt: 1, Started: now, Note: func(string) {},
	}
}

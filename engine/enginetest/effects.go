package enginetest

import (
	"slices"

	"github.com/playbot/playbot/engine"
)

// Effect is one time that a `do` task did something.
type Effect struct {
	Name    string
	Run     engine.RunID
	Path    engine.Path
	Attempt int
	Key     string
	Kind    engine.Effect
	Any     any  // its property `any`, as it was run
	Ended   bool // the task has returned
	OK      bool
}

// Effects lists what `do` tasks have done, in order: what the outside world would say, whatever the log says.
func (s *Script) Effects() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.effects)
}

// EffectOf is what came of an attempt in the outside world; false when it never began.
func (s *Script) EffectOf(run engine.RunID, path engine.Path, attempt int) (Effect, bool) {
	for _, e := range s.Effects() {
		if e.Run == run && e.Path == path && e.Attempt == attempt {
			return e, true
		}
	}
	return Effect{}, false
}

// Did is how often the tasks of a path did something.
func (s *Script) Did(run engine.RunID, path engine.Path) int {
	n := 0
	for _, e := range s.Effects() {
		if e.Run == run && e.Path == path {
			n++
		}
	}
	return n
}

// begin notes that a task does something, and returns what notes its end.
func (s *Script) begin(d doTask, c *engine.Call) (call int, act Act, end func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[d.name]++
	s.effects = append(s.effects, Effect{
		Name: d.name, Run: c.Run.ID, Path: c.Path, Attempt: c.Attempt, Key: c.Key, Kind: d.effect, Any: d.any,
	})
	i := len(s.effects) - 1
	return s.calls[d.name], s.acts[d.name], func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.effects[i].Ended, s.effects[i].OK = true, err == nil
	}
}

package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limit is what a yes is for when it is for less than was asked. The zero Limit is no limit.
type Limit struct {
	Waves int       `json:"waves,omitempty"` // of a rolling task: so many waves and no more
	Nodes int       `json:"nodes,omitempty"` // of a rolling task: so many nodes and no more
	Until time.Time `json:"until,omitzero"`  // nothing begins from then on
}

// IsZero reports whether it limits nothing.
func (l Limit) IsZero() bool { return l == Limit{} }

// over reports whether its time is over.
func (l Limit) over(now time.Time) bool { return !l.Until.IsZero() && !now.Before(l.Until) }

// spent reports whether a granted approval has lain unused for too long, or was given until a time that is over.
func (a *Approval) spent(now time.Time) bool {
	return a.Limit().over(now) || now.After(a.When.Add(useWithin))
}

// String says what a yes is for: "for one wave only", "for 2 nodes only, until …".
func (l Limit) String() string {
	var parts []string
	switch {
	case l.Waves == 1:
		parts = append(parts, "for one wave only")
	case l.Waves > 1:
		parts = append(parts, fmt.Sprintf("for %d waves only", l.Waves))
	}
	switch {
	case l.Nodes == 1:
		parts = append(parts, "for 1 node only")
	case l.Nodes > 1:
		parts = append(parts, fmt.Sprintf("for %d nodes only", l.Nodes))
	}
	if !l.Until.IsZero() {
		parts = append(parts, "until "+clock(l.Until))
	}
	return strings.Join(parts, ", ")
}

// Limit is the least of what the people granted who said yes.
func (a *Approval) Limit() Limit {
	var out Limit
	for _, g := range a.Given {
		out.Waves, out.Nodes = least(out.Waves, g.Limit.Waves), least(out.Nodes, g.Limit.Nodes)
		if until := g.Limit.Until; out.Until.IsZero() || !until.IsZero() && until.Before(out.Until) {
			out.Until = until
		}
	}
	return out
}

// least is the smaller of two numbers, of which 0 is no limit.
func least(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// spare is how many nodes the next wave may have by an approval; 0 when it is used up.
func (s *Step) spare(a *Approval, now time.Time) int {
	waves, nodes := 0, 0
	for _, w := range s.Rollout.Begun {
		if w.Approval == a.Approval {
			waves, nodes = waves+1, nodes+len(w.Nodes)
		}
	}
	l, most := a.Limit(), len(a.Nodes)
	if l.over(now) || l.Waves > 0 && waves >= l.Waves {
		return 0
	}
	if l.Waves > 0 && l.Waves < len(a.Waves) { // as they were when it was asked
		most = total(a.Waves[:l.Waves])
	}
	if l.Nodes > 0 {
		most = min(most, l.Nodes)
	}
	return max(most-nodes, 0)
}

// nextWave is the wave that starts now, with no more nodes than an approval lets it have.
func (s *Step) nextWave(number int, a *Approval, now time.Time) WaveStarted {
	start := WaveStarted{Path: s.Path, Wave: number, Nodes: s.Waves()[number-1]}
	if a != nil {
		start.Approval = a.Approval
		most := s.spare(a, now)
		if len(a.Waves) > 0 { // a pace that was taken back makes no wave larger than those that were approved
			most = min(most, slices.Max(a.Waves))
		}
		start.Nodes = start.Nodes[:min(len(start.Nodes), most)]
	}
	return start
}

// startWave starts a wave on an approval that was not used yet: when that still covers it.
func (p *performer) startWave(ctx context.Context, a action) []Payload {
	if facts, ok := p.recheck(ctx, a); !ok {
		return facts
	}
	start := p.run.Steps[a.path].nextWave(a.wave, a.approval, time.Now())
	if len(start.Nodes) == 0 {
		return nil // its time has run out meanwhile: what is next is decided again
	}
	return []Payload{start}
}

// sealWaves seals the waves that a gate is about: the next one, or all that are left. What they do was
// rendered when they were planned.
func (p *performer) sealWaves(_ context.Context, a action, asked *ApprovalAsked) error {
	step := p.run.Steps[a.path]
	rest := step.Waves()[a.wave-1:]
	sealed := maps.Clone(step.Last().Properties)
	delete(sealed, "batch_size")
	delete(sealed, "waves")
	if step.EachWave {
		sealed["wave"] = fmt.Sprintf("%d of %d", a.wave, a.wave-1+len(rest))
		rest = rest[:1]
	} else {
		lists := make([]any, len(rest))
		for i, nodes := range rest {
			lists[i] = anyList(nodes)
		}
		sealed["waves"] = lists
	}
	asked.Waves, asked.Nodes = sizes(rest), slices.Concat(rest...)
	sealed["nodes"] = anyList(asked.Nodes)
	asked.Sealed = sealed
	return nil
}

// sizes are how many nodes each of some waves has.
func sizes(waves [][]string) []int {
	out := make([]int, len(waves))
	for i, nodes := range waves {
		out[i] = len(nodes)
	}
	return out
}

func total(sizes []int) int {
	n := 0
	for _, size := range sizes {
		n += size
	}
	return n
}

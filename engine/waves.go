package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// rollingType is the task type that the engine itself carries out. Its one attempt plans the waves,
// and so passes the same gate, locks and records as any other; the tasks of the waves follow.
const rollingType = "rolling"

// wavePlan is who is in which wave. It is frozen when the waves are planned.
type wavePlan struct {
	Waves       [][]string
	MaxFailures int
}

// waveTask plans.
type waveTask struct {
	nodes []string
	plan  wavePlan
}

// decodeRolling reads the properties of a rolling task; its tasks are not among them.
func decodeRolling(p *playbooks.Properties) (Task, error) {
	t := waveTask{nodes: unique(p.RequireStrings("nodes"))}
	p.Strings(outlineKey)
	sizes := p.List("waves")
	if one := p.Any("batch_size"); one != nil {
		sizes = []any{one}
	}
	var shares []playbooks.Share
	for _, size := range sizes {
		s, err := playbooks.ParseShare(size)
		if err != nil || s.Number < 1 {
			p.Remedy("waves", `write sizes such as [1, 10%, 50%]`, "%v is not the size of a wave", size)
			continue
		}
		shares = append(shares, s)
	}
	if most := p.Any("max_failures"); most != nil {
		s, err := playbooks.ParseShare(most)
		if err != nil {
			p.Remedy("max_failures", `write a number of nodes, or a share such as "10%"`, "max_failures cannot be %v", most)
		}
		t.plan.MaxFailures = s.AtMost(len(t.nodes))
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	t.plan.Waves = cut(t.nodes, shares)
	return t, nil
}

// outlineKey is the property under which people who approve a rolling task see what its tasks do.
const outlineKey = "tasks"

// outlined adds what the tasks of the waves do, as it is written: what they are rendered to is known
// wave by wave. An approval covers it with the content of the playbook.
func outlined(props *playbooks.Properties, tasks []playbooks.Task) *playbooks.Properties {
	lines := make([]any, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		parts := []string{t.Type}
		for _, e := range t.Properties.Entries() {
			if e.Key == "action" {
				parts = append(parts, e.Value.Source())
			}
		}
		line := strings.Join(parts, " ")
		if about := t.Description.Source(); about != "" {
			line += ": " + about
		}
		lines[i] = line
	}
	values := props.Values()
	values[outlineKey] = lines
	return playbooks.FromMap(values)
}

// cut divides nodes into waves; the last size repeats.
func cut(nodes []string, sizes []playbooks.Share) [][]string {
	var waves [][]string
	total := len(nodes)
	for i := 0; len(nodes) > 0 && len(sizes) > 0; i++ {
		n := min(max(1, sizes[min(i, len(sizes)-1)].Of(total)), len(nodes))
		waves = append(waves, nodes[:n])
		nodes = nodes[n:]
	}
	return waves
}

// Effect implements [Task]: to plan changes nothing.
func (waveTask) Effect() Effect { return ReadOnly }

// Targets implements [Targeted].
func (t waveTask) Targets() []string { return t.nodes }

// Run implements [Task].
func (t waveTask) Run(context.Context, *Call) (Result, error) {
	waves := make([]any, len(t.plan.Waves))
	for i, nodes := range t.plan.Waves {
		waves[i] = anyList(nodes)
	}
	return Result{
		Message: fmt.Sprintf("%d nodes in %d waves", len(t.nodes), len(waves)),
		Data:    map[string]any{"waves": waves, "max_failures": t.plan.MaxFailures},
	}, nil
}

// Waves lists the nodes of each wave of a rolling task: of those that have begun, and of the others as
// they are cut now. It is nil before they are planned, and for other tasks.
func (s *Step) Waves() [][]string {
	if plan := s.plan(); plan != nil {
		return s.cut(plan)
	}
	return nil
}

// cut is Waves for a step whose plan is at hand.
func (s *Step) cut(plan *wavePlan) [][]string {
	waves := make([][]string, 0, len(plan.Waves))
	begun := 0
	for _, w := range s.Rollout.Begun {
		waves, begun = append(waves, w.Nodes), begun+len(w.Nodes)
	}
	most := 0
	if s.Rollout.Pace != nil {
		most = s.Rollout.Pace.Size
	}
	for _, nodes := range plan.Waves {
		over := min(begun, len(nodes)) // waves begin in the order of the plan
		begun -= over
		for nodes = nodes[over:]; len(nodes) > 0; {
			n := len(nodes)
			if most > 0 {
				n = min(n, most)
			}
			waves, nodes = append(waves, nodes[:n]), nodes[n:]
		}
	}
	return waves
}

// planned reports whether the waves of a rolling task are known.
func (s *Step) planned() bool {
	return s != nil && s.Type == rollingType && s.Last() != nil && s.Last().Outcome != nil && s.Last().Outcome.OK
}

// plan reads the waves of a rolling task back; nil before they are planned.
func (s *Step) plan() *wavePlan {
	if !s.planned() {
		return nil
	}
	data, _ := s.Last().Outcome.Result.Data.(map[string]any)
	waves, _ := data["waves"].([]any)
	plan := &wavePlan{}
	switch n := data["max_failures"].(type) {
	case int:
		plan.MaxFailures = n
	case float64:
		plan.MaxFailures = int(n)
	}
	for _, w := range waves {
		nodes, _ := w.([]any)
		names := make([]string, len(nodes))
		for i, n := range nodes {
			names[i], _ = n.(string)
		}
		plan.Waves = append(plan.Waves, names)
	}
	return plan
}

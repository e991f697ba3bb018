package engine

import (
	"strings"
	"testing"
	"time"
)

func TestSpare_isTheLeastOfEverything(t *testing.T) {
	t.Parallel()
	nodes := []string{"a", "b", "c", "d", "e"}
	of := func(limits ...Limit) *Approval {
		a := &Approval{ApprovalAsked: ApprovalAsked{Approval: "a", Nodes: nodes, Waves: []int{2, 2, 1}}}
		for _, l := range limits {
			a.Given = append(a.Given, ApprovalGiven{Limit: l})
		}
		return a
	}
	begun := func(sizes ...int) *Step {
		s := &Step{}
		for _, n := range sizes {
			s.Rollout.Begun = append(s.Rollout.Begun, Wave{Nodes: nodes[:n], Approval: "a"})
		}
		s.Rollout.Begun = append(s.Rollout.Begun, Wave{Nodes: nodes, Approval: "another"})
		return s
	}
	for name, row := range map[string]struct {
		step *Step
		yes  *Approval
		want int
	}{
		"all":                                {begun(), of(Limit{}), 5},
		"all but those that began":           {begun(2, 1), of(Limit{}), 2},
		"nothing is left":                    {begun(2, 2, 1), of(Limit{}), 0},
		"one wave, as it was asked":          {begun(), of(Limit{Waves: 1}), 2},
		"two waves":                          {begun(2), of(Limit{Waves: 2}), 2},
		"one wave that was made smaller":     {begun(1), of(Limit{Waves: 1}), 0},
		"two of which one was made smaller":  {begun(1), of(Limit{Waves: 2}), 3},
		"as many waves as were asked":        {begun(), of(Limit{Waves: 3}), 5},
		"so many nodes":                      {begun(2), of(Limit{Nodes: 3}), 1},
		"the fewest of several":              {begun(), of(Limit{Nodes: 4}, Limit{}, Limit{Nodes: 3}), 3},
		"waves of one, nodes of another":     {begun(), of(Limit{Waves: 1}, Limit{Nodes: 1}), 1},
		"in time":                            {begun(), of(Limit{Until: t0.Add(1)}), 5},
		"late":                               {begun(), of(Limit{Until: t0}), 0},
		"late for one of several":            {begun(), of(Limit{Until: t0.Add(time.Hour)}, Limit{Until: t0}), 0},
		"late for the first of several":      {begun(), of(Limit{Until: t0}, Limit{Until: t0.Add(time.Hour)}), 0},
		"more began than was ever granted":   {begun(5, 5), of(Limit{Nodes: 1}), 0},
		"a limit of somebody without a word": {begun(), of(), 5},
	} {
		if got := row.step.spare(row.yes, t0); got != row.want {
			t.Errorf("%s: got %d, want %d", name, got, row.want)
		}
	}
}

// A question of before says nothing of waves: to grant one of them would grant something else.
func TestLimits_ofAQuestionThatNamesNoWaves(t *testing.T) {
	t.Parallel()
	r := fold(prepared, TaskBegun{Path: "tasks.1", Type: rollingType, Tries: 1, Gated: "destructive"},
		ApprovalAsked{Approval: "a", Number: 1, Path: "tasks.1", Nodes: []string{"k1", "k2"}, Expires: t0.Add(time.Hour)})
	err := r.Approvals[0].limits(r, Decision{Limit: Limit{Waves: 1}})
	if err == nil || CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), "by an earlier version of playbot") || !strings.Contains(err.Error(), "have the run ask again") {
		t.Errorf("got %v", err)
	}
	if err := r.Approvals[0].limits(r, Decision{Limit: Limit{Nodes: 1}}); err != nil {
		t.Errorf("its nodes are named, and they are refused: %v", err)
	}
}

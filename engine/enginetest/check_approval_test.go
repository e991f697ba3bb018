package enginetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// gateFacts are facts about two gates, to be put together.
type gateFacts struct {
	t0 time.Time
}

func (g gateFacts) asked(id string, path engine.Path, change func(*engine.ApprovalAsked)) engine.ApprovalAsked {
	a := engine.ApprovalAsked{Approval: id, Path: path, Expires: g.t0.Add(time.Hour)}
	if change != nil {
		change(&a)
	}
	return a
}

func (g gateFacts) yes(id, who, role string) engine.ApprovalGiven {
	return engine.ApprovalGiven{Approval: id, Actor: engine.Actor{User: who}, Role: role}
}

func (g gateFacts) start(id string, path engine.Path) engine.AttemptStarted {
	return engine.AttemptStarted{Path: path, Attempt: 1, Effect: engine.Once, Key: "k", Approval: id}
}

func TestCheck_findsWhoDidNotCount(t *testing.T) {
	t.Parallel()
	g := gateFacts{t0: time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)}
	gated := func(p engine.Path) engine.TaskBegun { return engine.TaskBegun{Path: p, Gated: "destructive"} }
	two := g.asked("a", "tasks.1", func(a *engine.ApprovalAsked) { a.Count = 2 })
	sre := g.asked("a", "tasks.1", func(a *engine.ApprovalAsked) { a.From = []string{"sre"} })
	always := g.asked("a", "tasks.1", func(a *engine.ApprovalAsked) { a.Reason = "always" })
	onDeny := g.asked("a", "tasks.1", func(a *engine.ApprovalAsked) { a.Reason = "on_deny" })
	restOf := func(who string) engine.ApprovalGiven { y := g.yes("a", who, "sre"); y.Rest = true; return y }
	run := g.asked("a", "tasks.1", func(a *engine.ApprovalAsked) { a.Scope = "run" })
	rests := func(change func(*engine.ApprovalAsked)) engine.ApprovalAsked {
		b := g.asked("b", "tasks.2", change)
		b.Rests = "a"
		return b
	}
	ended := engine.AttemptEnded{Path: "tasks.1", Attempt: 1}
	used := []engine.Payload{gated("tasks.1"), run, restOf("ben"), g.start("a", "tasks.1"), ended, gated("tasks.2")}
	then := func(more ...engine.Payload) []engine.Payload {
		return append(append([]engine.Payload(nil), used...), more...)
	}
	for name, row := range map[string]struct {
		facts []engine.Payload
		want  string // empty: nothing is wrong
	}{
		"two of two":                {[]engine.Payload{gated("tasks.1"), two, g.yes("a", "ben", ""), g.yes("a", "cat", ""), g.start("a", "tasks.1")}, ""},
		"one of two":                {[]engine.Payload{gated("tasks.1"), two, g.yes("a", "ben", ""), g.start("a", "tasks.1")}, "starts tasks.1 with the approval of 1 of 2 people"},
		"one person twice":          {[]engine.Payload{gated("tasks.1"), two, g.yes("a", "ben", ""), g.yes("a", "ben", ""), g.start("a", "tasks.1")}, "given by ben twice\npromise 4: event 6 starts tasks.1 with the approval of 1 of 2"},
		"one more than asked":       {[]engine.Payload{gated("tasks.1"), two, g.yes("a", "ben", ""), g.yes("a", "cat", ""), g.yes("a", "eve", "")}, "after it was decided"},
		"a no after one of two":     {[]engine.Payload{gated("tasks.1"), two, g.yes("a", "ben", ""), engine.ApprovalDenied{Approval: "a"}, g.start("a", "tasks.1")}, "without an approval"},
		"the role asked for":        {[]engine.Payload{gated("tasks.1"), sre, g.yes("a", "ben", "sre"), g.start("a", "tasks.1")}, ""},
		"another role":              {[]engine.Payload{gated("tasks.1"), sre, g.yes("a", "ben", "dba")}, `by ben in the role "dba", and asks for [sre]`},
		"no role":                   {[]engine.Payload{gated("tasks.1"), sre, g.yes("a", "ben", "")}, `in the role ""`},
		"a yes without a reason":    {[]engine.Payload{gated("tasks.1"), always, g.yes("a", "ben", "")}, "given without the reason"},
		"a no without a reason":     {[]engine.Payload{gated("tasks.1"), onDeny, engine.ApprovalDenied{Approval: "a"}}, "denied without the reason"},
		"a decision on nothing":     {[]engine.Payload{engine.ApprovalVoided{Approval: "x"}}, "which was never asked"},
		"a rest of a step":          {[]engine.Payload{gated("tasks.1"), two, restOf("ben")}, "and is for its step"},
		"a rest":                    {then(rests(nil), g.yes("b", "ben", "sre"), g.start("b", "tasks.2")), ""},
		"a rest of somebody else":   {then(rests(nil), g.yes("b", "cat", "sre")), "which that person did not give in that role"},
		"a rest in another role":    {then(rests(nil), g.yes("b", "ben", "dba")), "which that person did not give in that role"},
		"a rest for two":            {then(rests(func(a *engine.ApprovalAsked) { a.Count = 2 }), g.yes("b", "ben", "sre"), g.start("b", "tasks.2")), "the approval of 1 of 2"},
		"a rest without comparison": {then(rests(func(a *engine.ApprovalAsked) { a.Uncompared = "no network" }), g.yes("b", "ben", "sre")), "or could not be compared"},
		"a rest for grown nodes":    {then(rests(func(a *engine.ApprovalAsked) { a.Grown = []string{"web9"} }), g.yes("b", "ben", "sre")), "or nodes appeared"},
		"a rest for a step":         {then(rests(func(a *engine.ApprovalAsked) { a.Scope = "step" }), g.yes("b", "ben", "sre")), "is for its step only"},
		"a rest that is too old":    {then(rests(func(a *engine.ApprovalAsked) { a.Expires = g.t0.Add(9 * time.Second) }), g.yes("b", "ben", "sre")), "older than the gate would wait"},
		"a rest that was not used":  {[]engine.Payload{gated("tasks.1"), run, restOf("ben"), gated("tasks.2"), rests(nil), g.yes("b", "ben", "sre")}, "nothing used before"},
		"a rest that nobody gave": {
			[]engine.Payload{gated("tasks.1"), run, g.yes("a", "ben", "sre"), g.start("a", "tasks.1"), ended, gated("tasks.2"), rests(nil), g.yes("b", "ben", "sre")}, "which was not given for the rest",
		},
		"a rest for a second time": {
			then(g.asked("c", "tasks.2", nil), engine.ApprovalVoided{Approval: "c"}, rests(nil), g.yes("b", "ben", "sre")), "although the task was at a gate before",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []engine.Event
			for i, f := range append([]engine.Payload{engine.RunRequested{}}, row.facts...) {
				events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(i + 1), Time: g.t0.Add(time.Duration(i) * time.Second), Payload: f})
			}
			got := strings.Join(enginetest.Check(events), "\n")
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

package enginetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestCheckLeases_findsNodesThatTwoHave(t *testing.T) {
	t.Parallel()
	run := func(id string, facts ...engine.Payload) (out []engine.Event) {
		for _, f := range facts {
			out = append(out, engine.Event{Stream: engine.RunID(id).Stream(), Payload: f})
		}
		return out
	}
	asked, web := engine.RunRequested{}, engine.NodesLeased{Nodes: []string{"web1"}}
	child := engine.RunRequested{Parent: &engine.Parent{Run: "A"}}
	start := engine.AttemptStarted{Path: "tasks.1", Effect: engine.Once, Key: "k", Nodes: []string{"web1"}}
	look := start
	look.Effect = engine.ReadOnly
	join, asked2 := engine.AttemptStarted{Path: "tasks.1", Effect: engine.Idempotent, Key: "j"}, child
	asked2.Key = "j/child"
	for name, row := range map[string]struct {
		events [][]engine.Event
		want   string // empty: nothing is wrong
	}{
		"one after the other":           {[][]engine.Event{run("A", asked, web, start, engine.RunEnded{}), run("B", asked, web, start)}, ""},
		"both at once":                  {[][]engine.Event{run("A", asked, web), run("B", asked, web)}, "(nodes_leased) is about web1 while r-a has it"},
		"a start on a node of another":  {[][]engine.Event{run("A", asked, start)}, "on web1, which is not reserved for it"},
		"only reading":                  {[][]engine.Event{run("A", asked, web), run("B", asked, look)}, ""},
		"a child":                       {[][]engine.Event{run("A", asked, web), run("B", child, web, start)}, ""},
		"a parent beside its child":     {[][]engine.Event{run("A", asked, web), run("B", child, web), run("A", start)}, "(attempt_started) is about web1 while r-b has it"},
		"a parent that joins its child": {[][]engine.Event{run("A", asked, join), run("B", asked2, engine.RunEnded{}), run("A", engine.RunEnded{})}, ""},
		"a parent that goes on":         {[][]engine.Event{run("A", asked, join), run("B", asked2), run("A", look), run("B", engine.RunEnded{})}, "(attempt_started) comes while r-b"},
		"a parent that ends before":     {[][]engine.Event{run("A", asked), run("B", asked2), run("A", engine.RunEnded{})}, "(run_ended) comes while r-b"},
		"a lock that is taken away":     {[][]engine.Event{run("A", asked), run("B", asked2), run("A", engine.LocksReleased{})}, "(locks_released) comes while r-b"},
		"a run that reserves nothing":   {[][]engine.Event{run("A", engine.RunRequested{Key: "free"}, start)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all []engine.Event
			for _, events := range row.events {
				for _, e := range events {
					e.Pos = engine.Pos(len(all) + 1)
					all = append(all, e)
				}
			}
			got := strings.Join(enginetest.CheckLeases(all, func(r engine.RunRequested) bool { return r.Key == "free" }), "; ")
			if (row.want == "") != (got == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheck_findsEveryBrokenPromise(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	begun := engine.TaskBegun{Path: "tasks.1"}
	gated := engine.TaskBegun{Path: "tasks.1", Gated: "destructive"}
	start := engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: engine.Once, Key: "k"}
	again := engine.AttemptStarted{Path: "tasks.1", Attempt: 2, Effect: engine.Once, Key: "k"}
	rests := start
	rests.Approval = "a"
	wider := rests
	wider.Nodes = []string{"web9"}
	asked := engine.ApprovalAsked{Approval: "a", Path: "tasks.1", Expires: t0.Add(time.Hour)}
	askedOf := func(nodes ...string) engine.ApprovalAsked {
		a := asked
		a.Nodes = nodes
		return a
	}
	keyed := start
	keyed.Key = "k"
	restsOn := func(attempt int, nodes ...string) engine.AttemptStarted {
		s := rests
		s.Attempt, s.Nodes = attempt, nodes
		return s
	}
	given := engine.ApprovalGiven{Approval: "a"}
	end := engine.RunEnded{Status: engine.RunSuccess}
	for name, row := range map[string]struct {
		facts []engine.Payload
		want  string // empty: nothing is wrong
	}{
		"a good run":                  {[]engine.Payload{begun, start, engine.AttemptEnded{Path: "tasks.1", Attempt: 1}, engine.TaskEnded{Path: "tasks.1"}, end}, ""},
		"a good gate":                 {[]engine.Payload{gated, asked, given, rests, engine.AttemptEnded{Path: "tasks.1", Attempt: 1}, end}, ""},
		"a start without a beginning": {[]engine.Payload{engine.RunRequested{}}, "promise 1: event 2"},
		"an end with open attempts":   {[]engine.Payload{begun, start, end}, "promise 1: event 4 ends the run while"},
		"two ends":                    {[]engine.Payload{end, end}, "a second time"},
		"a start after the end":       {[]engine.Payload{end, start}, "after the run ended"},
		"a task that ends too early":  {[]engine.Payload{begun, start, engine.TaskEnded{Path: "tasks.1", Status: engine.TaskOK}}, "while its attempt has no outcome"},
		"an outcome from nowhere":     {[]engine.Payload{begun, engine.AttemptEnded{Path: "tasks.1", Attempt: 1}}, "which was not started"},
		"a second start":              {[]engine.Payload{begun, start, again}, "promise 2: event 4"},
		"a repeat by itself":          {[]engine.Payload{begun, start, engine.AttemptRepeated{Path: "tasks.1", Attempt: 1}, again}, "promise 2: event 4 repeats"},
		"a repeat nobody chose":       {[]engine.Payload{begun, start, engine.AttemptUnknown{Path: "tasks.1", Attempt: 1}, again}, "although nobody said"},
		"no approval":                 {[]engine.Payload{gated, start}, "promise 4: event 3 starts the gated task tasks.1 without"},
		"a denied approval":           {[]engine.Payload{gated, asked, engine.ApprovalDenied{Approval: "a"}, rests}, "without an approval"},
		"a voided approval":           {[]engine.Payload{gated, asked, given, engine.ApprovalVoided{Approval: "a"}, rests}, "without an approval"},
		"an approval of another task": {[]engine.Payload{gated, engine.ApprovalAsked{Approval: "a", Path: "tasks.2", Expires: t0.Add(time.Hour)}, given, rests}, "on an approval for tasks.2"},
		"more nodes than approved":    {[]engine.Payload{gated, asked, given, wider}, "promise 4: event 5 starts tasks.1 with"},
		"a try about fewer nodes":     {[]engine.Payload{gated, askedOf("web1", "web2"), given, restsOn(1, "web1", "web2"), engine.AttemptEnded{Path: "tasks.1", Attempt: 1}, restsOn(2, "web2"), engine.AttemptEnded{Path: "tasks.1", Attempt: 2}, end}, ""},
		"a first try about fewer":     {[]engine.Payload{gated, askedOf("web1", "web2"), given, restsOn(1, "web2")}, "promise 4: event 5 starts tasks.1 with"},
		"a try about other nodes":     {[]engine.Payload{gated, askedOf("web1"), given, restsOn(1, "web1"), engine.AttemptEnded{Path: "tasks.1", Attempt: 1}, restsOn(2, "web9")}, "promise 4: event 7 starts tasks.1 with"},
		"a late yes":                  {[]engine.Payload{gated, engine.ApprovalAsked{Approval: "a", Path: "tasks.1", Expires: t0}, given}, "after it expired"},
		"a yes after a no":            {[]engine.Payload{gated, asked, engine.ApprovalDenied{Approval: "a"}, given}, "after it was decided"},
		"a retry that did not ask": {[]engine.Payload{
			gated, asked, given, rests,
			engine.AttemptUnknown{Path: "tasks.1", Attempt: 1},
			engine.AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: engine.ResolveRetry},
			rests,
		}, "without asking again"},
		"a lock that is kept": {[]engine.Payload{engine.LocksRequested{Locks: []string{"s/k"}}, end}, "promise 5"},
		"a secret":            {[]engine.Payload{engine.PrepareFailed{Message: "token hunter22"}}, "promise 6"},
		"a secret in JSON":    {[]engine.Payload{engine.PrepareFailed{Message: "key a\"b\nc"}}, "promise 6"},
		"a line of a secret":  {[]engine.Payload{engine.PrepareFailed{Message: "the second line"}}, "promise 6"},
		"a start without its secret": {[]engine.Payload{
			begun, engine.SecretsNeeded{Names: []string{"a", "b"}}, engine.SecretsGiven{Names: []string{"b"}}, keyed,
		}, "without the secrets [a]"},
		"a start with its secret": {[]engine.Payload{
			begun, engine.SecretsNeeded{Names: []string{"a"}}, engine.SecretsGiven{Names: []string{"a"}}, keyed, engine.AttemptEnded{Path: "tasks.1", Attempt: 1}, end,
		}, ""},
		"a start after a stop": {[]engine.Payload{engine.CancelRequested{}, begun, start}, "promise 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []engine.Event
			for i, f := range append([]engine.Payload{engine.RunRequested{}}, row.facts...) {
				events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Payload: f})
			}
			got := strings.Join(enginetest.Check(events, "hunter22", "a\"b\nc", "the first line\nthe second line"), "\n")
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheck_findsAHoleAndAnOldYes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	facts := []engine.Payload{
		engine.RunRequested{},
		engine.TaskBegun{Path: "tasks.1", Gated: "destructive"},
		engine.ApprovalAsked{Approval: "a", Path: "tasks.1", Expires: at.Add(9 * time.Hour)},
		engine.ApprovalGiven{Approval: "a"},
		engine.AttemptStarted{Path: "tasks.1", Attempt: 1, Approval: "a", Key: "k"},
	}
	var events []engine.Event
	for i, f := range facts {
		at = at.Add(16 * time.Minute)
		events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(2*i + 1), Time: at, Payload: f})
	}
	got := strings.Join(enginetest.Check(events), "\n")
	for _, want := range []string{"has sequence 3 after 1", "that is 16m0s old"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

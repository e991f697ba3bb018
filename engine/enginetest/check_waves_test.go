package enginetest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

func TestCheck_findsWavesThatNobodyWanted(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	wave := func(n int, nodes ...string) engine.WaveStarted {
		return engine.WaveStarted{Path: "tasks.1", Wave: n, Nodes: nodes}
	}
	begun := func(p engine.Path) engine.TaskBegun { return engine.TaskBegun{Path: p} }
	start := func(p engine.Path, n int) engine.AttemptStarted {
		return engine.AttemptStarted{Path: p, Attempt: n, Effect: engine.Once, Key: "k"}
	}
	asked := func(p engine.Path) engine.ApprovalAsked {
		return engine.ApprovalAsked{Approval: "a", Number: 1, Path: p}
	}
	ended := func(p engine.Path) engine.TaskEnded { return engine.TaskEnded{Path: p, Status: engine.TaskOK} }
	first := []engine.Payload{wave(1, "k1"), begun("tasks.1.wave1.1"), ended("tasks.1.wave1.1")}
	for name, row := range map[string]struct {
		facts []engine.Payload
		want  string // empty: nothing is wrong
	}{
		"waves one after the other": {append(first, wave(2, "k2", "k3")), ""},
		"a wave twice":              {append(first, wave(1, "k2")), "starts wave 1 of tasks.1 with [k2] after 1 waves"},
		"a wave left out":           {append(first, wave(3, "k2")), "starts wave 3"},
		"a wave of nobody":          {append(first, wave(2)), "starts wave 2 of tasks.1 with []"},
		"a node in two waves":       {append(first, wave(2, "k2", "k1")), "and wave 1 had some of them"},
		"a wave beside another": {
			[]engine.Payload{wave(1, "k1"), begun("tasks.1.wave1.1"), start("tasks.1.wave1.1", 1), wave(2, "k2")}, "while tasks.1.wave1.1 is under way",
		},
		"a task before its wave":  {append(first, begun("tasks.1.wave2.1")), "begins tasks.1.wave2.1, and wave 1 is the one"},
		"a task skipped before":   {append(first, engine.TaskSkipped{Path: "tasks.1.wave2.1"}), "begins tasks.1.wave2.1"},
		"a wave of a paused run":  {append(first, engine.RunPaused{}, wave(2, "k2")), "starts wave 2 of tasks.1 in a run that is paused"},
		"a wave that was sent on": {append(first, engine.RunPaused{}, engine.WaveSentOn{Path: "tasks.1", Wave: 2}, wave(2, "k2")), ""},
		"the wave after it": {
			append(first, engine.RunPaused{}, engine.WaveSentOn{Path: "tasks.1", Wave: 2}, wave(2, "k2"), wave(3, "k3")), "starts wave 3 of tasks.1 in a run that is paused",
		},
		"a wave of a resumed run":  {append(first, engine.RunPaused{}, engine.RunResumed{}, wave(2, "k2")), ""},
		"a wave after a stop":      {append(first, engine.WavesStopped{Path: "tasks.1"}, wave(2, "k2")), "whose waves were stopped"},
		"a wave too soon":          {append(first, engine.WavesSlowed{Path: "tasks.1", Every: time.Minute}, wave(2, "k2")), "and 1m0s is the least"},
		"a wave too large":         {append(first, engine.WavesSlowed{Path: "tasks.1", Size: 1}, wave(2, "k2", "k3")), "with 2 nodes, and at most 1"},
		"a task of a paused run":   {[]engine.Payload{engine.RunPaused{}, begun("tasks.1")}, "begins tasks.1 in a run that is paused"},
		"an attempt in one":        {[]engine.Payload{begun("tasks.1"), engine.RunPaused{}, start("tasks.1", 1)}, "starts tasks.1 in a run that is paused"},
		"a hook of a paused run":   {[]engine.Payload{engine.RunPaused{}, begun("on_fail.1"), begun("always.1")}, ""},
		"a run held by nobody":     {[]engine.Payload{engine.RunHeld{}}, "holds a run that nobody paused"},
		"a run held in the middle": {[]engine.Payload{begun("tasks.1"), start("tasks.1", 1), engine.RunPaused{}, engine.RunHeld{}}, "and tasks.1 is under way"},
		"a second try in a pause":  {[]engine.Payload{engine.RunPaused{}, start("tasks.1", 2)}, ""},
		"a retry in a pause": {
			[]engine.Payload{begun("tasks.1"), start("tasks.1", 1), engine.AttemptUnknown{Path: "tasks.1", Attempt: 1}, engine.RunPaused{}, engine.AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: engine.ResolveRetry}, start("tasks.1", 2)},
			"starts tasks.1 in a run that is paused",
		},
		"a question in a pause":         {append(first, engine.RunPaused{}, asked("tasks.1.wave1.1")), "asks about tasks.1.wave1.1 in a run that is paused"},
		"a question that ends in one":   {append(first, asked("tasks.1.wave1.1"), engine.RunPaused{}, engine.ApprovalExpired{Approval: "a"}), "ends a question about tasks.1.wave1.1 in a run that is paused"},
		"a question of a wave sent on":  {append(first, engine.RunPaused{}, engine.WaveSentOn{Path: "tasks.1", Wave: 2}, asked("tasks.1.wave1.1")), ""},
		"a question of one sent before": {append(first, engine.WaveSentOn{Path: "tasks.1", Wave: 2}, engine.RunPaused{}, asked("tasks.1.wave1.1")), "asks about tasks.1.wave1.1"},
		"an outcome that was changed":   {[]engine.Payload{engine.RunLingers{Status: engine.RunFailed}, engine.RunEnded{Status: engine.RunCancelled}}, "ends the run as cancelled, and it was to be failed"},
		"a task while ana is looked up": {[]engine.Payload{engine.WordGiven{Fact: engine.RunPaused{}}, begun("tasks.1")}, "event 3 (task_begun) comes while a person is looked up"},
		"an attempt in a hook then":     {[]engine.Payload{begun("always.1"), engine.WordGiven{Fact: engine.CancelRequested{}}, start("always.1", 1)}, "event 4 (attempt_started) comes while"},
		"a task when she was":           {[]engine.Payload{engine.WordGiven{Fact: engine.RunPaused{}}, engine.WordWeighed{Word: 2, Refused: "a guest"}, begun("tasks.1")}, ""},
		"a task before she resumes it":  {[]engine.Payload{engine.WordGiven{Fact: engine.RunResumed{}}, begun("tasks.1")}, ""},
		"`always` of a paused run":      {[]engine.Payload{engine.RunPaused{}, engine.WaveStarted{Path: "always.1", Wave: 1, Nodes: []string{"k1"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []engine.Event
			for i, f := range append([]engine.Payload{engine.RunRequested{}}, row.facts...) {
				events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Payload: f})
			}
			got := strings.Join(enginetest.Check(events), "\n")
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestCheck_findsWavesBeyondWhatWasGranted(t *testing.T) {
	t.Parallel()
	t0 := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	begun := engine.TaskBegun{Path: "tasks.1", Gated: "destructive", EachWave: true}
	ask := func(id string, n, wave int, nodes ...string) engine.ApprovalAsked {
		return engine.ApprovalAsked{Approval: id, Number: n, Path: "tasks.1", Wave: wave, Nodes: nodes, Expires: t0.Add(time.Hour)}
	}
	yes := func(id string, l engine.Limit) engine.ApprovalGiven {
		return engine.ApprovalGiven{Approval: id, Actor: engine.Actor{User: "ben"}, Limit: l}
	}
	wave := func(id string, n int, nodes ...string) engine.WaveStarted {
		return engine.WaveStarted{Path: "tasks.1", Wave: n, Nodes: nodes, Approval: id}
	}
	run := ask("a", 1, 1, "k1", "k2", "k3")
	run.Scope = "run"
	rest := engine.ApprovalGiven{Approval: "a", Actor: engine.Actor{User: "ben"}, Rest: true}
	further := ask("b", 2, 2, "k2")
	further.Rests = "a"
	second := engine.ApprovalGiven{Approval: "b", Actor: engine.Actor{User: "ben"}}
	for name, row := range map[string]struct {
		facts []engine.Payload
		want  string // empty: nothing is wrong
	}{
		"as granted":                     {[]engine.Payload{run, yes("a", engine.Limit{Waves: 2, Nodes: 3}), wave("a", 1, "k1"), wave("a", 2, "k2", "k3")}, ""},
		"without an approval":            {[]engine.Payload{wave("", 1, "k1")}, "starts wave 1 of tasks.1 without an approval of it"},
		"on a no":                        {[]engine.Payload{run, engine.ApprovalDenied{Approval: "a"}, wave("a", 1, "k1")}, "without an approval of it"},
		"on one taken back":              {[]engine.Payload{run, yes("a", engine.Limit{}), engine.ApprovalVoided{Approval: "a"}, wave("a", 1, "k1")}, "without an approval of it"},
		"other nodes":                    {[]engine.Payload{run, yes("a", engine.Limit{}), wave("a", 1, "k9")}, "with [k9], and approved was [k1 k2 k3]"},
		"more waves":                     {[]engine.Payload{run, yes("a", engine.Limit{Waves: 1}), wave("a", 1, "k1"), wave("a", 2, "k2")}, "the 2. with 2 nodes in all on an approval by ben for one wave only"},
		"more nodes":                     {[]engine.Payload{run, yes("a", engine.Limit{Nodes: 1}), wave("a", 1, "k1", "k2")}, "the 1. with 2 nodes in all on an approval by ben for 1 node only"},
		"later":                          {[]engine.Payload{run, yes("a", engine.Limit{Until: t0.Add(time.Second)}), wave("a", 1, "k1")}, "on an approval that ben gave until"},
		"less and the rest":              {[]engine.Payload{run, engine.ApprovalGiven{Approval: "a", Rest: true, Limit: engine.Limit{Nodes: 1}}}, "for the rest of the run and for less"},
		"a further wave with the rest":   {[]engine.Payload{run, rest, wave("a", 1, "k1"), further, second, wave("b", 2, "k2")}, ""},
		"one that was taken back before": {[]engine.Payload{run, rest, wave("a", 1, "k1"), ask("c", 2, 2, "k2"), engine.ApprovalVoided{Approval: "c"}, renumbered(further, 3), second}, "although the task was at a gate before"},
		"one that was given less before": {[]engine.Payload{run, rest, wave("a", 1, "k1"), ask("c", 2, 2, "k2"), yes("c", engine.Limit{Nodes: 1}), wave("c", 2, "k2"), renumbered(further, 3), second}, "although the task was at a gate before"},
		"a step after its time is over":  {[]engine.Payload{engine.TaskBegun{Path: "tasks.2", Gated: "x"}, engine.ApprovalAsked{Approval: "d", Path: "tasks.2", Expires: t0.Add(time.Hour)}, yes("d", engine.Limit{Until: t0}), engine.AttemptStarted{Path: "tasks.2", Attempt: 1, Key: "k", Approval: "d"}}, "begins tasks.2 at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var events []engine.Event
			for i, f := range append([]engine.Payload{engine.RunRequested{}, begun}, row.facts...) {
				events = append(events, engine.Event{Stream: "run/01X", Seq: engine.Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Payload: f})
			}
			got := strings.Join(enginetest.Check(events), "\n")
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func renumbered(a engine.ApprovalAsked, n int) engine.ApprovalAsked {
	a.Number = n
	return a
}

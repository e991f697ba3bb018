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
		"`always` of a paused run": {[]engine.Payload{engine.RunPaused{}, engine.WaveStarted{Path: "always.1", Wave: 1, Nodes: []string{"k1"}}}, ""},
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

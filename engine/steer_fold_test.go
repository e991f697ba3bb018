package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/playbooks"
)

// A log of before waves had an event of their own goes on with the same waves, and repeats nothing.
func TestDecide_aLogOfBeforeGoesOnWithItsWaves(t *testing.T) {
	t.Parallel()
	const p = Path("tasks.1")
	b := book(playbooks.Task{Type: rollingType, Rolling: &playbooks.Rolling{Tasks: []playbooks.Task{task}}})
	facts := []Payload{
		prepared,
		TaskBegun{Path: p, Type: rollingType, Tries: 1},
		started(p, 1, ReadOnly),
		AttemptEnded{Path: p, Attempt: 1, OK: true, Result: Result{Data: map[string]any{"waves": []any{[]any{"a"}, []any{"b", "c"}, []any{"d"}}, "max_failures": 0}}},
		began(wavePath(p, 0, 0)),
		TaskEnded{Path: wavePath(p, 0, 0), Status: TaskOK},
		began(wavePath(p, 1, 0)), started(wavePath(p, 1, 0), 1, ReadOnly), ended(wavePath(p, 1, 0), 1, true),
	}
	var did []string
	for range 20 {
		r := fold(facts...)
		a := decide(r, b, t0.Add(time.Hour))
		did = append(did, string(a.do)+" "+string(a.path))
		switch a.do {
		case doWave:
			facts = append(facts, r.Steps[p].nextWave(a.wave, nil, t0))
		case doEndTask:
			facts = append(facts, TaskEnded{Path: a.path, Status: a.status})
		case doBegin:
			if a.path != wavePath(p, 2, 0) {
				t.Fatalf("it begins %s again", a.path)
			}
			facts = append(facts, began(a.path), TaskEnded{Path: a.path, Status: TaskOK})
		default:
			want := []string{"start a wave tasks.1", "start a wave tasks.1", "end task tasks.1.wave2.1", "start a wave tasks.1", "begin tasks.1.wave3.1", "end task tasks.1", "end "}
			if diff := cmp.Diff(want, did); diff != "" {
				t.Errorf("what it did (-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Errorf("it does not end: %q", did)
}

// A damaged log steers what is not there, and is shown all the same.
func TestApply_steersWhatIsThere(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return t0.Add(time.Duration(n) * time.Second) }
	r := fold(prepared, RunHeld{Before: "tasks.1"}, RunResumed{}, RunPaused{Actor: ana}, RunPaused{Actor: ben}, RunHeld{Before: "tasks.1"}, RunHeld{Before: "tasks.2"},
		WaveSentOn{Path: "tasks.9"}, WavesSlowed{Path: "tasks.9"}, WavesStopped{Path: "tasks.9"}, WaveStarted{Path: "tasks.9", Nodes: []string{"a"}}, RunResumed{Actor: ben}, RunResumed{Actor: ana})
	want := []Hold{{Before: "tasks.1", From: at(2), To: at(8)}}
	if diff := cmp.Diff(want, r.Holds); diff != "" {
		t.Errorf("holds (-want +got):\n%s", diff)
	}
	if len(r.Pauses) != 1 || !r.Pauses[0].By.Is(ana) || r.Pauses[0].Resumed == nil || !r.Pauses[0].Resumed.Actor.Is(ben) || r.Status != RunRunning {
		t.Errorf("the run is %s with the pauses %+v", r.Status, r.Pauses)
	}
}

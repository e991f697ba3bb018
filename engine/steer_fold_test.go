package engine

import (
	"slices"
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
			want := []string{"end task tasks.1.wave2.1", "start a wave tasks.1", "begin tasks.1.wave3.1", "end task tasks.1", "end "}
			if diff := cmp.Diff(want, did); diff != "" {
				t.Errorf("what it did (-want +got):\n%s", diff)
			}
			return
		}
	}
	t.Errorf("it does not end: %q", did)
}

// A wave that a log of before has begun is over or under way, whatever was said since.
func TestDecide_aWaveOfALogOfBeforeHasBegunWhateverIsSaid(t *testing.T) {
	t.Parallel()
	const p = Path("tasks.1")
	b := book(playbooks.Task{Type: rollingType, Rolling: &playbooks.Rolling{Tasks: []playbooks.Task{task, task}}})
	for name, said := range map[string]struct {
		facts []Payload
		then  string // what comes after the wave that was cut off
	}{
		"nothing":          {nil, "start a wave tasks.1"},
		"stop":             {[]Payload{WavesStopped{Path: p, Actor: ana}}, "end task tasks.1: stopped by ana after wave 2 of 3; 1 nodes of later waves were not touched: d"},
		"pause":            {[]Payload{RunPaused{Actor: ana}}, "hold tasks.1"},
		"slow":             {[]Payload{WavesSlowed{Path: p, Size: 1, Every: time.Hour}}, "wait tasks.1"},
		"its time is over": {nil, "end task tasks.1: wave 2 of 3; the waves may take 1m0s, their timeout, and no longer; 1 nodes of later waves were not touched: d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 2 * time.Hour
			if name == "its time is over" {
				timeout = time.Minute
			}
			facts := append([]Payload{
				prepared,
				TaskBegun{Path: p, Type: rollingType, Tries: 1, Timeout: timeout},
				started(p, 1, ReadOnly),
				AttemptEnded{Path: p, Attempt: 1, OK: true, Result: Result{Data: map[string]any{"waves": []any{[]any{"a"}, []any{"b", "c"}, []any{"d"}}, "max_failures": 0}}},
				TaskSkipped{Path: wavePath(p, 0, 0)},
				began(wavePath(p, 0, 1)),
				TaskEnded{Path: wavePath(p, 0, 1), Status: TaskOK},
				began(wavePath(p, 1, 0)), started(wavePath(p, 1, 0), 1, Once), ended(wavePath(p, 1, 0), 1, true),
			}, said.facts...)
			r := fold(facts...)
			if got := r.Steps[p].Waves()[1]; !slices.Equal(got, []string{"b", "c"}) {
				t.Errorf("wave 2 has become %q", got)
			}
			if a := decide(r, b, t0.Add(10*time.Minute)); a.do != doEndTask || a.path != wavePath(p, 1, 0) {
				t.Fatalf("it goes on with %s %s: %s", a.do, a.path, a.message)
			}
			facts = append(facts, TaskEnded{Path: wavePath(p, 1, 0), Status: TaskOK})
			if name != "its time is over" {
				facts = append(facts, began(wavePath(p, 1, 1)), TaskEnded{Path: wavePath(p, 1, 1), Status: TaskOK})
			}
			r = fold(facts...)
			a := decide(r, b, t0.Add(10*time.Minute))
			got := string(a.do) + " " + string(a.path)
			if a.message != "" {
				got += ": " + a.message
			}
			if got != said.then {
				t.Errorf("then %q, want %q", got, said.then)
			}
		})
	}
}

// A log of before that an earlier version went on with has the events of its waves behind their tasks.
func TestApply_aWaveThatIsAnnouncedLaterBeginsOnce(t *testing.T) {
	t.Parallel()
	const p = Path("tasks.1")
	r := fold(prepared, TaskBegun{Path: p, Type: rollingType, Tries: 1}, started(p, 1, ReadOnly),
		AttemptEnded{Path: p, Attempt: 1, OK: true, Result: Result{Data: map[string]any{"waves": []any{[]any{"a"}, []any{"b"}}, "max_failures": 0}}},
		began(wavePath(p, 0, 0)), WaveStarted{Path: p, Wave: 1, Nodes: []string{"a"}}, TaskEnded{Path: wavePath(p, 0, 0), Status: TaskOK},
		WaveStarted{Path: p, Wave: 2, Nodes: []string{"b"}}, began(wavePath(p, 1, 0)))
	if n := len(r.Steps[p].Rollout.Begun); n != 2 || len(r.Steps[p].Waves()) != 2 {
		t.Errorf("%d waves have begun of %q, want 2", n, r.Steps[p].Waves())
	}
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

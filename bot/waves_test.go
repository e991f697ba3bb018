package bot

import (
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// rollingRun is a run in the second of three waves.
func rollingRun() []engine.Payload {
	roll := begins("tasks.1", "Restart kafka")
	roll.Type = "rolling"
	plan := engine.Result{Data: map[string]any{"waves": []any{[]any{"k1"}, []any{"k2"}, []any{"k3"}}, "max_failures": 1}}
	return append(underWay()[:0:0],
		requested(nil), engine.Prepared{}, roll, attempts("tasks.1", 1),
		engine.AttemptEnded{Path: "tasks.1", Attempt: 1, OK: true, Result: plan},
		begins("tasks.1.wave1.1", "Restart"), attempts("tasks.1.wave1.1", 1, "k1"), works("tasks.1.wave1.1", 1, engine.Result{}), ends("tasks.1.wave1.1", engine.TaskOK, ""),
		begins("tasks.1.wave1.2", "Health"), attempts("tasks.1.wave1.2", 1, "k1"), ends("tasks.1.wave1.2", engine.TaskFailed, "k1 is red"),
		begins("tasks.1.wave2.1", "Restart"),
	)
}

func TestCard_showsTheWaveThatIsUnderWay(t *testing.T) {
	t.Parallel()
	book := &playbooks.Playbook{Tasks: make([]playbooks.Task, 1)}
	lines, _ := steps(fold(rollingRun()...), book)
	got := strings.Join(lines, "\n")
	for _, want := range []string{"Restart kafka (wave 2 of 3)", "wave 1: Health", "wave 2: Restart"} {
		if !strings.Contains(got, want) {
			t.Errorf("the card lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "wave 1: Restart") {
		t.Errorf("the card shows what went well in a wave that is over:\n%s", got)
	}
	lines, _ = steps(then(rollingRun(), ends("tasks.1.wave2.1", engine.TaskOK, ""), ends("tasks.1", engine.TaskOK, "")), book)
	if got := strings.Join(lines, "\n"); strings.Contains(got, "wave 2") {
		t.Errorf("the card still shows a wave when all are over:\n%s", got)
	}
}

func TestThread_repliesForATaskOfAWaveOnlyWhenItDidNotGoWell(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		path   engine.Path
		status engine.TaskStatus
		want   weight
	}{
		{"tasks.1", engine.TaskOK, weighsStep},
		{"tasks.1.pre_task.1", engine.TaskOK, weighsStep},
		{"tasks.1.wave10.1", engine.TaskOK, weighsCard},
		{"always.1.wave1.2", engine.TaskSkippedOver, weighsCard},
		{"tasks.1.wave10.1", engine.TaskFailed, weighsStep},
		{"tasks.1.wave10.1", engine.TaskDenied, weighsStep},
	} {
		if got := weightOf(engine.TaskEnded{Path: row.path, Status: row.status}); got != row.want {
			t.Errorf("%s %s: got weight %d, want %d", row.path, row.status, got, row.want)
		}
	}
}

func TestStep_saysHowEachWaveWent(t *testing.T) {
	t.Parallel()
	run := then(rollingRun(), ends("tasks.1.wave2.1", engine.TaskOK, ""), ends("tasks.1", engine.TaskFailed, "1 node was not touched"))
	got := waveLines(run, run.Steps["tasks.1"])
	want := []string{"❌ wave 1: k1 — 1m", "✅ wave 2: k2 — 10s"} // and nothing of the third, which did not begin
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

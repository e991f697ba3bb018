package engine

import (
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

var (
	t0  = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	ana = Actor{Team: "T1", User: "UANA", Name: "ana"}
	ben = Actor{Team: "T1", User: "UBEN", Name: "ben"}
)

// fold applies facts one second apart, beginning at t0.
func fold(facts ...Payload) *Run {
	r := &Run{}
	for i, f := range append([]Payload{RunRequested{Key: "k", Actor: ana}}, facts...) {
		r.Apply(Event{Stream: "run/01X", Seq: Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Payload: f})
	}
	return r
}

func book(tasks ...playbooks.Task) *playbooks.Playbook {
	return &playbooks.Playbook{Name: "b", Tasks: tasks}
}

func began(p Path, change ...func(*TaskBegun)) TaskBegun {
	b := TaskBegun{Path: p, Type: "x", Description: string(p), Tries: 1}
	for _, c := range change {
		c(&b)
	}
	return b
}

func gated(b *TaskBegun) { b.Gated = "destructive" }

func twoTries(b *TaskBegun) { b.Tries, b.TrySleep = 2, time.Minute }

func started(p Path, n int, e Effect) AttemptStarted {
	return AttemptStarted{Path: p, Attempt: n, Effect: e, Key: "k"}
}

func ended(p Path, n int, ok bool) AttemptEnded {
	return AttemptEnded{Path: p, Attempt: n, OK: ok, Result: Result{Message: "said so"}}
}

func asked(expires time.Duration) ApprovalAsked {
	return ApprovalAsked{Approval: "a", Path: "tasks.1", Expires: t0.Add(expires)}
}

var (
	task     = playbooks.Task{Type: "x"}
	failOK   = playbooks.Task{Type: "x", FailOK: true}
	prepared = Prepared{}
	inAnHour = asked(time.Hour)
)

func TestDecide(t *testing.T) {
	t.Parallel()
	soon := t0.Add(10 * time.Second)
	withHooks := book(task, task)
	withHooks.Hooks = playbooks.Hooks{
		PreBook: []playbooks.Task{task}, PreTask: []playbooks.Task{task}, PostTask: []playbooks.Task{task},
		OnFail: []playbooks.Task{task}, OnSuccess: []playbooks.Task{task}, PostBook: []playbooks.Task{task},
		Always: []playbooks.Task{task, task},
	}
	done := func(p Path) TaskEnded { return TaskEnded{Path: p, Status: TaskOK} }
	fails := func(p Path) TaskEnded { return TaskEnded{Path: p, Status: TaskFailed, Message: "no"} }
	for outcome, row := range map[string]struct {
		book  *playbooks.Playbook
		facts []Payload
		now   time.Time
		want  action
	}{
		"a new run is prepared": {book(task), nil, soon, action{do: doPrepare, reason: ReasonUnprepared}},
		"a prepared run begins its first task": {
			book(task),
			[]Payload{prepared},
			soon,
			action{do: doBegin, reason: ReasonNextTask, path: "tasks.1"},
		},
		"a failed preparation ends the run": {
			book(task),
			[]Payload{PrepareFailed{Message: "no nodes"}},
			soon,
			action{do: doEnd, reason: ReasonAllDone, end: RunFailed, message: "no nodes"},
		},
		"locks are released before the end": {
			book(task),
			[]Payload{LocksRequested{Locks: []string{"s/k"}}, PrepareFailed{}},
			soon,
			action{do: doRelease, reason: ReasonLocksHeld},
		},
		"a begun task is attempted": {
			book(task),
			[]Payload{prepared, began("tasks.1")},
			soon,
			action{do: doAttempt, reason: ReasonFirstAttempt, path: "tasks.1"},
		},
		"pre_sleep is waited for": {
			book(task),
			[]Payload{prepared, began("tasks.1", func(b *TaskBegun) { b.PreSleep = time.Minute })},
			soon,
			action{do: doWait, reason: ReasonPreSleep, path: "tasks.1", until: t0.Add(62 * time.Second)},
		},
		"a success ends the task": {
			book(task),
			[]Payload{prepared, began("tasks.1"), started("tasks.1", 1, Once), ended("tasks.1", 1, true)},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskOK, message: "said so"},
		},
		"a failure with tries left waits for try_sleep": {
			book(task),
			[]Payload{prepared, began("tasks.1", twoTries), started("tasks.1", 1, Once), ended("tasks.1", 1, false)},
			soon,
			action{do: doWait, reason: ReasonTrySleep, path: "tasks.1", until: t0.Add(64 * time.Second)},
		},
		"after try_sleep it is tried again": {
			book(task),
			[]Payload{prepared, began("tasks.1", twoTries), started("tasks.1", 1, Once), ended("tasks.1", 1, false)},
			t0.Add(time.Hour),
			action{do: doAttempt, reason: ReasonTryAgain, path: "tasks.1"},
		},
		"the last failure fails the task": {
			book(task),
			[]Payload{prepared, began("tasks.1"), started("tasks.1", 1, Once), ended("tasks.1", 1, false)},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskFailed, message: "said so"},
		},
		"fail_ok tries every time and then tolerates": {
			book(failOK),
			[]Payload{prepared, began("tasks.1", twoTries), started("tasks.1", 1, Once), ended("tasks.1", 1, false), started("tasks.1", 2, Once), ended("tasks.1", 2, false)},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskTolerated, message: "said so"},
		},
		"a gated task asks":                     {book(task), []Payload{prepared, began("tasks.1", gated)}, soon, action{do: doAsk, reason: ReasonGate, path: "tasks.1"}},
		"a gate waits until it expires":         {book(task), []Payload{prepared, began("tasks.1", gated), inAnHour}, soon, action{do: doWait, reason: ReasonAwaitApproval, path: "tasks.1", until: t0.Add(time.Hour)}},
		"an unanswered gate expires":            {book(task), []Payload{prepared, began("tasks.1", gated), inAnHour}, t0.Add(time.Hour), action{do: doExpire, reason: ReasonApprovalLate, path: "tasks.1"}},
		"an approved gate starts the task":      {book(task), []Payload{prepared, began("tasks.1", gated), inAnHour, ApprovalGiven{Approval: "a", Actor: ben}}, soon, action{do: doAttempt, reason: ReasonFirstAttempt, path: "tasks.1"}},
		"an old approval is not a blank cheque": {book(task), []Payload{prepared, began("tasks.1", gated), asked(9 * time.Hour), ApprovalGiven{Approval: "a", Actor: ben}}, t0.Add(time.Hour), action{do: doVoid, reason: ReasonApprovalStale, path: "tasks.1", message: "it was not used within 15m0s"}},
		"a denied gate fails the task as denied": {
			book(task),
			[]Payload{prepared, began("tasks.1", gated), inAnHour, ApprovalDenied{Approval: "a", Actor: ben, Reason: "not now"}},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskDenied, message: "denied by ben: not now"},
		},
		"fail_ok does not tolerate a denial": {
			book(failOK),
			[]Payload{prepared, began("tasks.1", gated), inAnHour, ApprovalDenied{Approval: "a", Actor: ben}},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskDenied, message: "denied by ben"},
		},
		"a cut off attempt that may not be repeated is asked about": {
			book(task),
			[]Payload{prepared, began("tasks.1"), started("tasks.1", 1, Once)},
			soon,
			action{do: doUnknown, reason: ReasonCutOff, path: "tasks.1"},
		},
		"a cut off read goes again": {
			book(task),
			[]Payload{prepared, began("tasks.1"), started("tasks.1", 1, ReadOnly)},
			soon,
			action{do: doAttempt, reason: ReasonCutOffRepeat, path: "tasks.1"},
		},
		"what kills the process does not go again for ever": {book(task), []Payload{
			prepared, began("tasks.1"), started("tasks.1", 1, ReadOnly),
			AttemptRepeated{Path: "tasks.1", Attempt: 1},
			started("tasks.1", 2, ReadOnly),
			AttemptRepeated{Path: "tasks.1", Attempt: 2},
			started("tasks.1", 3, ReadOnly),
			AttemptRepeated{Path: "tasks.1", Attempt: 3},
			started("tasks.1", 4, ReadOnly),
		}, soon, action{do: doUnknown, reason: ReasonCutOff, path: "tasks.1"}},
		"an unknown attempt waits for a person": {
			book(task),
			[]Payload{prepared, began("tasks.1"), started("tasks.1", 1, Once), AttemptUnknown{Path: "tasks.1", Attempt: 1}},
			soon,
			action{do: doWait, reason: ReasonAwaitResolution, path: "tasks.1"},
		},
		"a person may mark it done": {
			book(task),
			[]Payload{
				prepared, began("tasks.1"), started("tasks.1", 1, Once),
				AttemptUnknown{Path: "tasks.1", Attempt: 1},
				AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: ResolveDone, Actor: ben},
			},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskOK, message: "marked done by ben"},
		},
		"a retry of a gated task asks again": {
			book(task),
			[]Payload{
				prepared, began("tasks.1", gated), inAnHour,
				ApprovalGiven{Approval: "a", Actor: ben},
				AttemptStarted{Path: "tasks.1", Attempt: 1, Effect: Once, Approval: "a", Key: "k"},
				AttemptUnknown{Path: "tasks.1", Attempt: 1},
				AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: ResolveRetry, Actor: ben},
			},
			soon,
			action{do: doAsk, reason: ReasonGate, path: "tasks.1"},
		},
		"an abort stops the run": {
			book(task),
			[]Payload{
				prepared, began("tasks.1"), started("tasks.1", 1, Once),
				AttemptUnknown{Path: "tasks.1", Attempt: 1},
				AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: ResolveAbort, Actor: ben},
			},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskCancelled, message: "stopped: the run was cancelled"},
		},
		"a cancel withdraws the approval first": {
			book(task),
			[]Payload{prepared, began("tasks.1", gated), inAnHour, CancelRequested{Actor: ana}},
			soon,
			action{do: doVoid, reason: ReasonApprovalOver, message: "the run was cancelled by ana"},
		},
		"a cancel lets a gate of always stand": {
			withHooks,
			[]Payload{
				prepared,
				CancelRequested{Actor: ana},
				began("always.1", gated),
				ApprovalAsked{Approval: "a", Path: "always.1", Expires: t0.Add(time.Hour)},
			},
			soon,
			action{do: doWait, reason: ReasonAwaitApproval, path: "always.1", until: t0.Add(time.Hour)},
		},
		"a cancel runs always and nothing else": {
			withHooks,
			[]Payload{prepared, CancelRequested{Actor: ana}},
			soon,
			action{do: doBegin, reason: ReasonNextTask, path: "always.1"},
		},
		"pre_task comes before the task": {
			withHooks,
			[]Payload{prepared, began("pre_book.1"), done("pre_book.1"), began("tasks.1")},
			soon,
			action{do: doBegin, reason: ReasonNextTask, path: "tasks.1.pre_task.1"},
		},
		"a failing pre_task fails the task without an attempt": {
			withHooks,
			[]Payload{
				prepared, began("pre_book.1"), done("pre_book.1"), began("tasks.1"),
				began("tasks.1.pre_task.1"), fails("tasks.1.pre_task.1"),
			},
			soon,
			action{do: doEndTask, reason: ReasonTaskOver, path: "tasks.1", status: TaskFailed, message: `not started: its pre_task hook "tasks.1.pre_task.1" failed: no`},
		},
		"a failing pre_book skips to always": {
			withHooks,
			[]Payload{prepared, began("pre_book.1"), fails("pre_book.1")},
			soon,
			action{do: doBegin, reason: ReasonNextTask, path: "always.1"},
		},
		"always goes on after a failure": {
			withHooks,
			[]Payload{prepared, began("pre_book.1"), fails("pre_book.1"), began("always.1"), fails("always.1")},
			soon,
			action{do: doBegin, reason: ReasonNextTask, path: "always.2"},
		},
		"the first cause stays the first named": {
			withHooks,
			[]Payload{prepared, began("pre_book.1"), fails("pre_book.1"), began("always.1"), fails("always.1"), began("always.2"), done("always.2")},
			soon,
			action{do: doEnd, reason: ReasonAllDone, end: RunFailed, message: `"pre_book.1" failed: no`},
		},
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			got := decide(fold(row.facts...), row.book, row.now)
			got.task, got.approval = nil, nil
			if got != row.want {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestDecide_afterFailureRunsOnFailThenPostBook(t *testing.T) {
	t.Parallel()
	b := book(task)
	b.Hooks.OnFail, b.Hooks.PostBook, b.Hooks.OnSuccess = []playbooks.Task{task}, []playbooks.Task{task}, []playbooks.Task{task}
	facts := []Payload{prepared, began("tasks.1"), TaskEnded{Path: "tasks.1", Status: TaskFailed, Message: "no"}}
	for _, next := range []Path{"on_fail.1", "post_book.1"} {
		if got := decide(fold(facts...), b, t0); got.do != doBegin || got.path != next {
			t.Fatalf("got %s %s, want to begin %s", got.do, got.path, next)
		}
		facts = append(facts, began(next), TaskEnded{Path: next, Status: TaskFailed, Message: "hook"})
	}
	if got := decide(fold(facts...), b, t0); got.end != RunFailed || got.message != `"tasks.1" failed: no` {
		t.Errorf("got %+v, want a failed run that names the first cause", got)
	}
}

func FuzzApply_neverPanics(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	kinds := []Payload{
		RunRequested{},
		prepared,
		PrepareFailed{},
		began("tasks.1"), began("tasks.1", gated), inAnHour,
		ApprovalGiven{Approval: "a"},
		ApprovalDenied{Approval: "a"},
		ApprovalExpired{Approval: "a"},
		ApprovalVoided{Approval: "a"},
		started("tasks.1", 1, Once), started("tasks.1", 2, ReadOnly), ended("tasks.1", 1, true), ended("tasks.1", 2, false),
		AttemptUnknown{Path: "tasks.1", Attempt: 1},
		AttemptRepeated{Path: "tasks.1", Attempt: 2},
		AttemptResolved{Path: "tasks.1", Attempt: 1, Choice: ResolveAbort},
		TaskEnded{Path: "tasks.1", Status: TaskOK},
		CancelRequested{},
		LocksRequested{Locks: []string{"s/k"}},
		LocksTaken{},
		LocksReleased{},
		RunEnded{},
		Posted{},
		Announced{},
		Unread{},
		RunPaused{Actor: ana},
		RunHeld{Before: "tasks.1"},
		RunResumed{Actor: ana},
		WaveStarted{Path: "tasks.1", Wave: 1, Nodes: []string{"n"}, Approval: "a"},
		WaveSentOn{Path: "tasks.1", Wave: 1},
		WavesSlowed{Path: "tasks.1", Every: time.Minute, Size: 1},
		WavesStopped{Path: "tasks.1"},
	}
	f.Fuzz(func(_ *testing.T, picks []byte) {
		r := &Run{}
		for i, n := range picks {
			r.Apply(Event{Stream: "run/01X", Seq: Seq(i + 1), Time: t0, Payload: kinds[int(n)%len(kinds)]})
			_ = decide(r, book(task, failOK), t0.Add(time.Hour))
			_ = r.Report()
			_ = r.Clone()
		}
	})
}

// A run of many waves is walked over at every decision, so that what has ended must cost next to nothing.
func TestDecide_passesEndedWavesQuickly(t *testing.T) { //nolint:paralleltest // it counts allocations
	const count = 300
	waves := make([]any, count)
	for i := range waves {
		waves[i] = []any{"n"}
	}
	roll := TaskBegun{Path: "tasks.1", Type: rollingType, Tries: 1, Timeout: 24 * time.Hour}
	facts := []Payload{
		Prepared{Deadline: t0.Add(48 * time.Hour)},
		roll, started("tasks.1", 1, ReadOnly),
		AttemptEnded{Path: "tasks.1", Attempt: 1, OK: true, Result: Result{Data: map[string]any{"waves": waves, "max_failures": 0}}},
	}
	for i := range count - 1 {
		p := wavePath("tasks.1", i, 0)
		facts = append(facts, WaveStarted{Path: "tasks.1", Wave: i + 1, Nodes: []string{"n"}}, began(p), TaskEnded{Path: p, Status: TaskOK})
	}
	facts = append(facts, WaveStarted{Path: "tasks.1", Wave: count, Nodes: []string{"n"}})
	run, b := fold(facts...), book(playbooks.Task{Type: rollingType, Rolling: &playbooks.Rolling{Tasks: []playbooks.Task{task}}})
	if a := decide(run, b, run.PreparedAt); a.do != doBegin || a.path != wavePath("tasks.1", count-1, 0) {
		t.Fatalf("got %s %s", a.do, a.path)
	}
	if got := testing.AllocsPerRun(3, func() { decide(run, b, run.PreparedAt) }); got > 15*count {
		t.Errorf("a decision allocates %v times for %d waves", got, count)
	}
}

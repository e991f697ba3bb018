package engine

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/playbot/playbot/playbooks"
)

// plainValue draws what JSON can hold.
func plainValue(depth int) *rapid.Generator[any] {
	options := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.Map(rapid.Int32(), func(n int32) float64 { return float64(n) }).AsAny(),
	}
	if depth > 0 {
		options = append(options,
			rapid.SliceOfN(plainValue(depth-1), 0, 3).AsAny(),
			rapid.MapOfN(rapid.String(), plainValue(depth-1), 0, 3).AsAny())
	}
	return rapid.OneOf(options...)
}

// anyPayload draws a payload of any kind, with places and names that several of them share.
func anyPayload() *rapid.Generator[Payload] {
	cfg := rapid.MakeConfig{Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[any](): plainValue(2),
		reflect.TypeFor[time.Time](): rapid.Map(rapid.Int64Range(0, 1<<32), func(n int64) time.Time {
			return time.Unix(n, 0).UTC()
		}).AsAny(),
		reflect.TypeFor[Path]():   rapid.SampledFrom([]Path{"", "x", "tasks.1", "tasks.2", "tasks.1.pre_task.1", "tasks.1.post_task.1", "tasks.2.wave1.1", "pre_book.1", "on_fail.1", "always.1"}).AsAny(),
		reflect.TypeFor[Effect](): rapid.SampledFrom([]Effect{Once, ReadOnly, Idempotent, ""}).AsAny(),
		reflect.TypeFor[int]():    rapid.IntRange(-1, 4).AsAny(),
		reflect.TypeFor[Resolution](): rapid.SampledFrom([]Resolution{
			ResolveRetry, ResolveDone, ResolveFailed, ResolveAbort, "",
		}).AsAny(),
		reflect.TypeFor[TaskStatus](): rapid.SampledFrom([]TaskStatus{TaskOK, TaskFailed, TaskTolerated, TaskDenied, TaskCancelled, ""}).AsAny(),
	}}
	approval := map[string]*rapid.Generator[any]{"Approval": rapid.SampledFrom([]string{"", "a", "b"}).AsAny()}
	cfg.Fields = map[reflect.Type]map[string]*rapid.Generator[any]{
		reflect.TypeFor[ApprovalAsked](): approval, reflect.TypeFor[ApprovalGiven](): approval, reflect.TypeFor[ApprovalDenied](): approval,
		reflect.TypeFor[ApprovalExpired](): approval, reflect.TypeFor[ApprovalVoided](): approval, reflect.TypeFor[AttemptStarted](): approval,
	}
	return rapid.OneOf(
		draw[RunRequested](cfg), draw[PlaybookKept](cfg), draw[LocksRequested](cfg), draw[LockAwaited](cfg), draw[NodesAwaited](cfg), draw[NodesLeased](cfg), draw[NodesUncompared](cfg), draw[LocksTaken](cfg), draw[LocksReleased](cfg),
		draw[Prepared](cfg), draw[PrepareFailed](cfg), draw[TaskBegun](cfg), draw[TaskSkipped](cfg), draw[ApprovalAsked](cfg),
		draw[ApprovalGiven](cfg), draw[ApprovalDenied](cfg), draw[ApprovalExpired](cfg), draw[ApprovalVoided](cfg),
		draw[SecretsNeeded](cfg), draw[SecretsGiven](cfg), draw[AttemptStarted](cfg), draw[AttemptEnded](cfg), draw[AttemptUnknown](cfg), draw[AttemptRepeated](cfg),
		draw[AttemptResolved](cfg), draw[TaskEnded](cfg), draw[TaskLocksRequested](cfg), draw[TaskLocksTaken](cfg), draw[TaskLocksReleased](cfg), draw[CancelRequested](cfg), draw[RunEnded](cfg),
		draw[Announced](cfg), draw[Posted](cfg), draw[Refused](cfg), draw[RunPaused](cfg), draw[RunHeld](cfg), draw[RunResumed](cfg),
		draw[WaveStarted](cfg), draw[WaveSentOn](cfg), draw[WavesSlowed](cfg), draw[WavesStopped](cfg),
		rapid.Just[Payload](Unread{Name: "from_the_future", Raw: []byte(`{"x":1}`)}),
	)
}

func draw[P Payload](cfg rapid.MakeConfig) *rapid.Generator[Payload] {
	return rapid.Map(rapid.MakeCustom[P](cfg), func(p P) Payload { return p })
}

func TestCodec_roundTripsWhateverAnEventHolds(t *testing.T) {
	t.Parallel()
	kinds := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		for _, want := range rapid.SliceOfN(anyPayload(), 20, 20).Draw(t, "payloads") {
			kinds[want.Kind()] = true
			data, err := EncodePayload(want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodePayload(want.Kind(), data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("round trip (-want +got):\n%s", diff)
			}
		}
	})
	if len(kinds) < len(payloadDecoders())/2 {
		t.Errorf("only %d kinds were drawn", len(kinds))
	}
}

// everyHook is a book with a task in every list.
func everyHook() *playbooks.Playbook {
	b, one := book(task, failOK), []playbooks.Task{task}
	b.Hooks = playbooks.Hooks{PreBook: one, PreTask: one, PostTask: one, OnFail: one, OnSuccess: one, PostBook: one, Always: one}
	return b
}

func TestApply_takesAnySequenceAndDecideChangesNothing(t *testing.T) {
	t.Parallel()
	b := everyHook()
	rapid.Check(t, func(t *rapid.T) {
		r, s := &Run{}, &Summary{}
		for i, p := range rapid.SliceOfN(anyPayload(), 0, 40).Draw(t, "facts") {
			e := Event{Stream: "run/01X", Seq: Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Minute), Payload: p}
			r.Apply(e)
			s.Apply(e)
			before, now := r.Clone(), t0.Add(rapid.Just(time.Hour).Draw(t, "now"))
			first := decide(r, b, now)
			if again := decide(r, b, now); first != again {
				t.Fatalf("decided %+v and then %+v", first, again)
			}
			if diff := cmp.Diff(before, r, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("deciding or cloning changed the run (-before +after):\n%s", diff)
			}
			_, _, _, _ = r.Report(), r.Pending(), r.Unknown(), r.Approvers()
		}
	})
}

// A worker reads a clone while the runner goes on with the run, and they share steps.
func TestClone_isNotChangedByWhatHappensToTheRun(t *testing.T) {
	t.Parallel()
	facts := []Payload{
		RunRequested{Key: "k"},
		TaskBegun{Path: "tasks.1", Tries: 3},
		TaskBegun{Path: "tasks.1.pre_task.1", Tries: 1},
		TaskEnded{Path: "tasks.1.pre_task.1", Status: TaskOK},
		ApprovalAsked{Approval: "a", Path: "tasks.1"},
		ApprovalGiven{Approval: "a"},
		AttemptStarted{Path: "tasks.1", Attempt: 1, Approval: "a"},
		AttemptRepeated{Path: "tasks.1", Attempt: 1},
		AttemptStarted{Path: "tasks.1", Attempt: 2, Approval: "a"},
		AttemptUnknown{Path: "tasks.1", Attempt: 2},
		AttemptResolved{Path: "tasks.1", Attempt: 2, Choice: ResolveAbort},
		AttemptStarted{Path: "tasks.1", Attempt: 3},
		AttemptEnded{Path: "tasks.1", Attempt: 3, OK: true},
		RunPaused{Actor: ana},
		RunHeld{Before: "tasks.1", Wave: 1},
		WaveSentOn{Path: "tasks.1", Wave: 1},
		WaveStarted{Path: "tasks.1", Wave: 1, Nodes: []string{"a"}},
		WaveStarted{Path: "tasks.1", Wave: 2, Nodes: []string{"b"}},
		WaveStarted{Path: "tasks.1", Wave: 3, Nodes: []string{"c"}, Approval: "a"},
		WavesSlowed{Path: "tasks.1", Size: 1},
		WavesStopped{Path: "tasks.1", Actor: ana},
		RunResumed{Actor: ana},
		TaskEnded{Path: "tasks.1", Status: TaskOK},
		Posted{Ref: "r"},
		RunEnded{Status: RunSuccess},
	}
	apply := func(r *Run, from, to int) *Run {
		for i := from; i < to; i++ {
			r.Apply(Event{Stream: "run/01X", Seq: Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Minute), Payload: facts[i]})
		}
		return r
	}
	for cut := range facts {
		run := apply(&Run{}, 0, cut)
		clone := run.Clone()
		apply(run, cut, len(facts))
		if diff := cmp.Diff(apply(&Run{}, 0, cut), clone, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %d events the clone changed with the run (-want +got):\n%s", cut, diff)
		}
		if diff := cmp.Diff(run, apply(clone, cut, len(facts)), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("after %d events the clone went another way (-run +clone):\n%s", cut, diff)
		}
	}
}

func TestDecide_everyRunComesToAnEnd(t *testing.T) {
	t.Parallel()
	b := everyHook()
	rapid.Check(t, func(t *rapid.T) {
		r, now := &Run{}, t0
		apply := func(p Payload) {
			now = now.Add(time.Second)
			r.Apply(Event{Stream: "run/01X", Seq: r.Seq + 1, Time: now, Payload: p})
		}
		apply(RunRequested{Actor: ana})
		for i := range 400 {
			a := decide(r, b, now)
			if a.do == doNothing {
				return
			}
			luck := 9 // in the end everything succeeds, since a person may retry for ever
			if i < 100 {
				luck = rapid.IntRange(0, 9).Draw(t, "luck")
			}
			follow(t, r, a, luck, apply, func(to time.Time) { now = to })
		}
		t.Fatalf("the run does not end; it is %s and next is %+v", r.Status, decide(r, b, now))
	})
}

// follow carries an action out, with whatever luck.
func follow(t *rapid.T, r *Run, a action, luck int, apply func(Payload), until func(time.Time)) {
	if luck == 0 && r.Cancel == nil && rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
		apply(CancelRequested{Actor: ana})
		return
	}
	switch a.do {
	case doPrepare:
		if apply(LocksRequested{Locks: []string{"s/k"}}); luck == 0 {
			apply(PrepareFailed{Message: "no"})
		} else {
			apply(Prepared{})
		}
	case doBegin:
		begun := TaskBegun{Path: a.path, Tries: 1 + luck%3, TrySleep: time.Minute}
		if luck < 3 {
			begun.Gated = "destructive"
		}
		apply(begun)
	case doAsk:
		apply(ApprovalAsked{Approval: newNonce(), Path: a.path, Count: luck % 3, Expires: t0.Add(9000 * time.Hour)})
	case doExpire:
		apply(ApprovalExpired{Approval: a.approval.Approval})
	case doVoid:
		apply(ApprovalVoided{Approval: a.approval.Approval, Reason: a.message})
	case doUnknown:
		apply(AttemptUnknown{Path: a.path, Attempt: r.Steps[a.path].Last().Attempt})
	case doAttempt:
		attempt(r, a, luck, apply)
	case doEndTask:
		apply(TaskEnded{Path: a.path, Status: a.status, Message: a.message})
	case doRelease:
		apply(LocksReleased{})
	case doEnd:
		apply(RunEnded{Status: a.end, Message: a.message})
	case doWait:
		person(r, a, luck, apply, until)
	default:
		t.Fatalf("no such action: %+v", a)
	}
}

func attempt(r *Run, a action, luck int, apply func(Payload)) {
	step := r.Steps[a.path]
	if last := step.Last(); last != nil && last.Open() {
		apply(AttemptRepeated{Path: a.path, Attempt: last.Attempt})
	}
	started := AttemptStarted{Path: a.path, Attempt: len(step.Attempts) + 1, Effect: []Effect{Once, ReadOnly, Idempotent}[luck%3], Key: "k"}
	if a.approval != nil {
		started.Approval = a.approval.Approval
	}
	if apply(started); luck > 2 { // else the process dies in it
		apply(AttemptEnded{Path: a.path, Attempt: started.Attempt, OK: luck > 4})
	}
}

func person(r *Run, a action, luck int, apply func(Payload), until func(time.Time)) {
	s := r.Unknown()
	switch {
	case s != nil:
		choices := []Resolution{ResolveRetry, ResolveDone, ResolveFailed, ResolveAbort}
		apply(AttemptResolved{Path: s.Path, Attempt: s.Last().Attempt, Choice: choices[luck%4], Actor: ben})
	case r.Pending() != nil && luck > 1:
		apply(ApprovalGiven{Approval: r.Pending().Approval, Actor: []Actor{ben, ana}[len(r.Pending().Given)%2]})
	case r.Pending() != nil:
		apply(ApprovalDenied{Approval: r.Pending().Approval, Actor: ben})
	default:
		until(a.until)
	}
}

func TestDigest_coversEverythingThatAnApprovalIsAbout(t *testing.T) {
	t.Parallel()
	asked := func() *ApprovalAsked {
		return &ApprovalAsked{Path: "tasks.1", Sealed: map[string]any{"command": "a"}, Nodes: []string{"web1"}}
	}
	of := func(change func(p *performer, a *ApprovalAsked)) string {
		p := &performer{
			book: &playbooks.Playbook{Digest: "d"},
			run:  &Run{Prepared: &Prepared{Inputs: map[string]any{"tier": "bravo"}, Nodes: map[string][]string{"web": {"web1"}}}},
		}
		a := asked()
		change(p, a)
		return p.digest(a)
	}
	same := of(func(*performer, *ApprovalAsked) {})
	for what, change := range map[string]func(p *performer, a *ApprovalAsked){
		"the playbook":   func(p *performer, _ *ApprovalAsked) { p.book.Digest = "e" },
		"an input":       func(p *performer, _ *ApprovalAsked) { p.run.Prepared.Inputs["tier"] = "alfa" },
		"a node set":     func(p *performer, _ *ApprovalAsked) { p.run.Prepared.Nodes["web"] = []string{"web1", "web2"} },
		"the task":       func(_ *performer, a *ApprovalAsked) { a.Path = "tasks.2" },
		"a property":     func(_ *performer, a *ApprovalAsked) { a.Sealed["command"] = "b" },
		"the node list":  func(_ *performer, a *ApprovalAsked) { a.Nodes = []string{"web2"} },
		"the policy":     func(_ *performer, a *ApprovalAsked) { a.Policy = "p" },
		"no node at all": func(_ *performer, a *ApprovalAsked) { a.Nodes = nil },
	} {
		if of(change) == same {
			t.Errorf("the digest does not cover %s", what)
		}
	}
	if of(func(p *performer, _ *ApprovalAsked) { p.run.LocksTaken = true }) != same {
		t.Error("the digest is not that of what is approved alone")
	}
	empty := of(func(p *performer, a *ApprovalAsked) { p.run.Prepared, a.Sealed, a.Nodes = &Prepared{}, nil, nil })
	if empty != of(func(p *performer, a *ApprovalAsked) {
		p.run.Prepared = &Prepared{Inputs: map[string]any{}, Nodes: map[string][]string{}}
		a.Sealed, a.Nodes = map[string]any{}, []string{}
	}) {
		t.Error("what is read from the log has another digest than what was live")
	}
}

package engine

import (
	"testing"
	"time"
)

// payloads reads facts as an older program wrote them.
func payloads(t *testing.T, lines ...[2]string) []Payload {
	t.Helper()
	var out []Payload
	for _, l := range lines {
		p, err := DecodePayload(l[0], []byte(l[1]))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestApply_anOldLogOfAnApprovalTakesOnePerson(t *testing.T) {
	t.Parallel()
	facts := payloads(t,
		[2]string{"task_begun", `{"path":"tasks.1","type":"x","description":"d","tries":1,"gated":"destructive"}`},
		[2]string{"approval_asked", `{"approval":"a","number":1,"path":"tasks.1","digest":"d","sealed":{},"expires":"2026-11-01T04:00:00Z"}`},
		[2]string{"approval_given", `{"approval":"a","actor":{"team":"T1","user":"UBEN"}}`},
	)
	run := fold(facts[:2]...)
	if a := run.Pending(); a == nil || a.Needs() != 1 || a.MayRest() || a.WantsReason(false) || a.Progress() != "" {
		t.Errorf("the gate is %+v", a)
	}
	run = fold(facts...)
	if a := run.Approvals[0]; a.State != ApprovalGranted || run.Status != RunRunning || a.Missing() != 0 {
		t.Errorf("the gate is %s, the run %s", a.State, run.Status)
	}
}

func TestApply_waitsForTheLastOfSeveralYeses(t *testing.T) {
	t.Parallel()
	two := inAnHour
	two.Count = 2
	yes := func(who Actor) ApprovalGiven { return ApprovalGiven{Approval: "a", Actor: who} }
	facts := []Payload{began("tasks.1", gated), two}
	for name, row := range map[string]struct {
		more    []Payload
		run     RunStatus
		state   ApprovalState
		missing int
	}{
		"nobody":           {nil, RunWaiting, ApprovalPending, 2},
		"one":              {[]Payload{yes(ben)}, RunWaiting, ApprovalPending, 1},
		"one twice":        {[]Payload{yes(ben), yes(ben)}, RunWaiting, ApprovalPending, 1}, // of a damaged log
		"both":             {[]Payload{yes(ben), yes(ana)}, RunRunning, ApprovalGranted, 0},
		"a no":             {[]Payload{yes(ben), ApprovalDenied{Approval: "a", Actor: ana}}, RunRunning, ApprovalRefused, 1},
		"a yes after a no": {[]Payload{ApprovalDenied{Approval: "a", Actor: ana}, yes(ben), yes(ana)}, RunRunning, ApprovalRefused, 2},
		"too late":         {[]Payload{yes(ben), ApprovalExpired{Approval: "a"}}, RunRunning, ApprovalTimedOut, 1},
	} {
		run := fold(append(facts[:2:2], row.more...)...)
		if a := run.Approvals[0]; run.Status != row.run || a.State != row.state || a.Missing() != row.missing {
			t.Errorf("%s: the run is %s, the gate %s and misses %d", name, run.Status, a.State, a.Missing())
		}
		if step := run.Steps["tasks.1"].Status; (step == TaskWaiting) != (row.run == RunWaiting) {
			t.Errorf("%s: the task is %s", name, step)
		}
	}
}

func TestSummary_waitsForTheLastOfSeveralYeses(t *testing.T) {
	t.Parallel()
	two := inAnHour
	two.Count = 2
	s := &Summary{}
	for i, row := range []struct {
		fact Payload
		want RunStatus
	}{
		{RunRequested{}, RunPreparing},
		{two, RunWaiting},
		{ApprovalGiven{Approval: "a", Actor: ben}, RunWaiting},
		{ApprovalGiven{Approval: "a", Actor: ana}, RunRunning},
		{two, RunWaiting},
		{ApprovalGiven{Approval: "a", Actor: ben}, RunWaiting},
		{ApprovalVoided{Approval: "a"}, RunRunning},
		{inAnHour, RunWaiting},
		{ApprovalGiven{Approval: "a", Actor: ben}, RunRunning},
	} {
		s.Apply(Event{Stream: "run/01X", Seq: Seq(i + 1), Time: t0.Add(time.Duration(i) * time.Second), Payload: row.fact})
		if s.Status != row.want {
			t.Errorf("after event %d, %s, the run is %s, want %s", i+1, row.fact.Kind(), s.Status, row.want)
		}
	}
}

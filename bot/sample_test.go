package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
)

// began is when every sample run was requested.
var began = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

const sampleID engine.RunID = "01JNFKS0000000000000ABC123"

func ana() engine.Actor {
	return engine.Actor{Team: "T1", User: "UANA", Name: "ana", Channel: "C1"}
}

func ben() engine.Actor { return engine.Actor{Team: "T1", User: "UBEN", Name: "ben", Channel: "C1"} }

// fold makes a run of facts, ten seconds apart.
func fold(facts ...engine.Payload) *engine.Run {
	run := &engine.Run{}
	for i, f := range facts {
		run.Apply(engine.Event{
			Stream: sampleID.Stream(), Seq: engine.Seq(i + 1), Pos: engine.Pos(i + 1),
			Time: began.Add(time.Duration(i) * 10 * time.Second), Payload: f,
		})
	}
	return run
}

// then is a run with more facts.
func then(base []engine.Payload, more ...engine.Payload) *engine.Run {
	return fold(append(append([]engine.Payload(nil), base...), more...)...)
}

func requested(inputs map[string]any) engine.RunRequested {
	return engine.RunRequested{
		Actor: ana(), Origin: engine.OriginTyped, Inputs: inputs,
		Playbook: engine.PlaybookRef{Name: "web_upgrade", Version: "1.2.0", Digest: "d1"},
	}
}

func begins(path engine.Path, description string) engine.TaskBegun {
	return engine.TaskBegun{Path: path, Type: "mcollective", Description: description, Tries: 3}
}

func attempts(path engine.Path, n int, nodes ...string) engine.AttemptStarted {
	return engine.AttemptStarted{Path: path, Attempt: n, Effect: engine.Once, Nodes: nodes}
}

func fails(path engine.Path, n int, r engine.Result, notes ...string) engine.AttemptEnded {
	return engine.AttemptEnded{Path: path, Attempt: n, Result: r, Notes: notes}
}

func works(path engine.Path, n int, r engine.Result, notes ...string) engine.AttemptEnded {
	return engine.AttemptEnded{Path: path, Attempt: n, OK: true, Result: r, Notes: notes}
}

func ends(path engine.Path, s engine.TaskStatus, message string) engine.TaskEnded {
	return engine.TaskEnded{Path: path, Status: s, Message: message}
}

func over(s engine.RunStatus, message string) engine.RunEnded {
	return engine.RunEnded{Status: s, Message: message}
}

func asked(sealed map[string]any, nodes ...string) engine.ApprovalAsked {
	return engine.ApprovalAsked{
		Approval: "a1", Number: 1, Path: "tasks.2", Digest: "0123456789abcdef", Sealed: sealed, Nodes: nodes,
		Expires: began.Add(time.Hour),
	}
}

func inputs() map[string]any { return map[string]any{"tier": "bravo", "rev": "abc"} }

// underWay is a run whose first step is done.
func underWay() []engine.Payload {
	return []engine.Payload{
		requested(inputs()),
		engine.Prepared{Inputs: inputs()},
		begins("tasks.1", "Check web"), attempts("tasks.1", 1, "web1", "web2"),
		works("tasks.1", 1, engine.Result{Message: "2 of 2 nodes ok", OKNodes: []string{"web1", "web2"}}, "web1: version abb", "web2: version abb"),
		ends("tasks.1", engine.TaskOK, "2 of 2 nodes ok"), begins("tasks.2", "Drain web"),
	}
}

func atGate(more ...engine.Payload) *engine.Run {
	gate := asked(map[string]any{"action": "haproxy.disable", "nodes": []any{"lb1"}, "properties": map[string]any{"backend": "web"}}, "lb1")
	return then(append(underWay(), gate), more...)
}

// twoAsked is a run at a gate that asks for two people, and may be approved with the rest.
func twoAsked(more ...engine.Payload) *engine.Run {
	gate := asked(map[string]any{"action": "haproxy.disable"}, "lb1")
	gate.From, gate.Count, gate.Reason, gate.Scope = []string{"sre", "dba"}, 2, "on_deny", "run"
	return then(append(underWay(), gate), more...)
}

func cutOff(more ...engine.Payload) *engine.Run {
	return then(append(underWay(), attempts("tasks.2", 1, "web1", "web2"), engine.AttemptUnknown{Path: "tasks.2", Attempt: 1}), more...)
}

// manySteps is a run with so many steps, the last of which runs.
func manySteps(n int) *engine.Run {
	facts := []engine.Payload{requested(inputs()), engine.Prepared{}}
	for i := 1; i <= n; i++ {
		p := engine.Path(fmt.Sprintf("tasks.%d", i))
		facts = append(facts, begins(p, fmt.Sprintf("Step number %d of the long upgrade of the web servers of this tier", i)), attempts(p, 1))
		if i < n {
			facts = append(facts, works(p, 1, engine.Result{}), ends(p, engine.TaskOK, "ok"))
		}
	}
	return fold(facts...)
}

// sampleBook has three tasks, of which two have begun in the sample runs.
func sampleBook(tb testing.TB) *playbooks.Playbook {
	tb.Helper()
	b, err := playbooks.Parse("web_upgrade.yaml", []byte(`
name: web_upgrade
version: 1.2.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs: {rev: {description: A revision, type: String, required: true, validation: ":shellsafe"}}
tasks:
  - do: {name: one, description: Check web}
  - do: {name: two, description: Drain web}
  - do: {name: three, description: "Upgrade to {{ inputs.rev }}"}
`), enginetest.NewScript().Types())
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// drawer is a bot that draws and has nothing to connect to.
func drawer() *Bot {
	return &Bot{opts: Options{Approvers: func(_ string, from ...string) []string {
		if len(from) > 0 {
			return []string{"UBEN", "T1/UCAT"}
		}
		return []string{"UANA", "UBEN", "T1/UCAT", "T2/UFOX", "bad<id"}
	}}}
}

// hundred is a run whose second step asked 100 nodes: two failed alike, one otherwise, one kept silent, and
// two of those that are ok have another version.
func hundred() *engine.Run {
	r := engine.Result{Message: `96 of 100 ok; 3 failed: web017.example.net said "unit app.service: main process 4017 exited" and 2 more; 1 did not answer: web042.example.net; at most 2 allowed`}
	var notes, all []string
	for i := 1; i <= 100; i++ {
		n, version := fmt.Sprintf("web%03d.example.net", i), "2.1.0"
		all = append(all, n)
		switch i {
		case 17, 33:
			r.FailedNodes = append(r.FailedNodes, n)
			notes = append(notes, fmt.Sprintf("%s: failed: unit app.service: main process %d exited", n, 4000+i))
			continue
		case 71:
			r.FailedNodes = append(r.FailedNodes, n)
			notes = append(notes, n+": failed: no space left on device: /var/lib/app")
			continue
		case 42:
			r.SilentNodes = append(r.SilentNodes, n)
			notes = append(notes, n+": no answer")
			continue
		case 5, 6:
			version = "2.0.9"
		}
		r.OKNodes = append(r.OKNodes, n)
		notes = append(notes, fmt.Sprintf("%s: version=%s", n, version))
	}
	return then(underWay(), asked(nil, all...), yes("a1", ben(), ""), engine.AttemptStarted{Path: "tasks.2", Attempt: 1, Effect: engine.Once, Nodes: all, Approval: "a1"}, fails("tasks.2", 1, r, notes...), ends("tasks.2", engine.TaskFailed, r.Message),
		begins("always.1", "Put web back"), attempts("always.1", 1), works("always.1", 1, engine.Result{}), ends("always.1", engine.TaskOK, "ok"),
		over(engine.RunFailed, `"Drain web" failed: `+r.Message))
}

// failedEnd is a run that ended at a step without nodes.
func failedEnd() *engine.Run {
	return then(underWay(), attempts("tasks.2", 1), fails("tasks.2", 1, engine.Result{Message: "exit 1"}, "no such host", "giving up"),
		ends("tasks.2", engine.TaskFailed, "exit 1"), over(engine.RunFailed, `"Drain web" failed: exit 1`))
}

// longEnd is one of which everything is long.
func longEnd(inputs map[string]any) *engine.Run {
	long := strings.Repeat("no space left on a device; ", 300)
	facts := []engine.Payload{requested(inputs), engine.Prepared{}}
	var nodes []string
	for i := range 2000 {
		nodes = append(nodes, fmt.Sprintf("%c%05d-of-a-long-name.example.net", 'a'+i%26, i*7))
	}
	for i := 1; i <= 60; i++ {
		p := engine.Path(fmt.Sprintf("tasks.%d", i))
		a := asked(nil, nodes...)
		a.Approval, a.Number, a.Path = fmt.Sprint("a", i), i, p
		facts = append(facts, begins(p, fmt.Sprint(i, " ", long)), a, yes(a.Approval, ben(), ""))
		facts = append(facts, engine.AttemptStarted{Path: p, Attempt: 1, Effect: engine.Once, Nodes: nodes, Approval: a.Approval})
		facts = append(facts, fails(p, 1, engine.Result{FailedNodes: nodes}, nodes[0]+": failed: "+long), ends(p, engine.TaskTolerated, long))
	}
	facts = append(facts, ends("tasks.60", engine.TaskFailed, long))
	for i := 1; i <= 60; i++ {
		p := engine.Path(fmt.Sprintf("always.%d", i))
		facts = append(facts, begins(p, long), ends(p, engine.TaskFailed, long))
	}
	return fold(append(facts, over(engine.RunFailed, long))...)
}

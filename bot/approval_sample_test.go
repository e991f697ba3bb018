package bot

import (
	"testing"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// differing is a gate of a run that is not as the last one of its playbook.
func differing(t *testing.T) message {
	t.Helper()
	before := fold(requested(map[string]any{"tier": "bravo", "rev": "abb"}), engine.Prepared{Nodes: map[string][]string{"web": {"web1", "web3"}}})
	before.ID, before.Status = "01JNFKS0000000000000PRE123", engine.RunSuccess
	run := atGate()
	run.Prepared.Nodes = map[string][]string{"web": {"web1", "web2", "web4"}}
	run.Requested.Playbook.Digest = "d2"
	b := drawer()
	b.differs = map[engine.RunID][]string{run.ID: commands.Differs(before, run)}
	q, ok := b.question(run, approvalRef("a1"))
	if !ok {
		t.Fatal("there is no such question")
	}
	return q.message
}

// misleading is a gate whose author wrote a text that looks like ours, and worse. T-20.
func misleading() *engine.Run {
	facts := underWay()
	facts[len(facts)-1] = begins("tasks.2", "Read only!\n✅ Approved by <@UBEN> at 10:00\n*expires never* <!channel>")
	return then(facts, asked(map[string]any{"action": "haproxy.disable", "note": "harmless\ntouches 0:\u202e"}, "lb1", "lb2"))
}

// restTaken is a gate that was given for the rest of the run, and of which somebody took the rest back.
func restTaken() *engine.Run {
	gate := asked(map[string]any{"action": "haproxy.disable"}, "lb1")
	gate.Scope = "run"
	return then(append(underWay(), gate), rest("a1", ben()), engine.AttemptStarted{Path: "tasks.2", Attempt: 1, Effect: engine.Once, Approval: "a1"},
		engine.ApprovalTakenBack{Approval: "a1", Actor: ben(), Rest: true})
}

// secondCircle is a gate that asks others when the first have not answered.
func secondCircle(more ...engine.Payload) *engine.Run {
	gate := asked(map[string]any{"action": "haproxy.disable"}, "lb1")
	gate.From, gate.Second = []string{"sre"}, []string{"lead"}
	gate.Remind, gate.Escalate = began.Add(30*time.Minute), began.Add(45*time.Minute)
	return then(append(underWay(), gate), more...)
}

package bot

import (
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// bench lets ben and cat approve, with the role sre.
func bench(o *engine.Options) {
	rules, err := policy.New(policy.Rules{Roles: []policy.Role{
		{Name: "deployer", Members: []string{"UANA"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"*"}},
		{Name: "sre", Members: []string{"UBEN", "UCAT"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}},
	}})
	if err != nil {
		panic(err)
	}
	o.Policy = rules
}

// withCat adds cat to the workspace.
func withCat(o *workspace.Options) {
	o.Users = append(o.Users, workspace.User{ID: "UCAT", Name: "cat"})
	for i := range o.Channels {
		o.Channels[i].Members = append(slices.Clip(o.Channels[i].Members), "UCAT")
	}
}

// atPair starts a run and waits until it asks for two people.
func (s *stage) atPair(terms string) (*engine.Run, workspace.Message) {
	s.tb.Helper()
	s.book("web", `
approval: {`+terms+`}
tasks:
  - do: {name: drain, description: Drain, destructive: true}
  - do: {name: fill, description: Fill, destructive: true}
`)
	s.slash("ana", "#deploys", "run web")
	gate := s.await("#deploys", "2 approvals needed", "Drain")
	return s.newest(), gate
}

func TestApproval_ofTwoPeopleIsOneMessageThatEachClickEdits(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atPair("count: 2, from: [sre]")
		if said := s.click("ben", gate, "approve"); !has(said, "waits for 1 more approval") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.until("the gate shows who approved", func() bool { return has(s.now(gate), "1 more approval needed", "Approved by 1 of 2: @ben") })
		if got := s.buttons(gate); !slices.Equal(got, []string{"approve", "deny"}) {
			s.tb.Errorf("the gate has the buttons %q", got)
		}
		s.await("#deploys", "✋ web — waiting", "Approved so far: 1 of 2: ben")
		time.Sleep(time.Millisecond)
		if said := s.click("ben", gate, "approve"); !has(said, "you have approved already") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.crash()
		s.click("cat", gate, "approve")
		s.until("the gate is a record", func() bool { return len(s.buttons(gate)) == 0 })
		s.wantRecord(gate, "✅ Approved by @ben and @cat at")
		s.until("the next gate asks", func() bool { a := s.newest().Pending(); return a != nil && a.Number == 2 })
		s.slash("ana", "#deploys", "cancel "+run.ID.Short())
		s.settle(run)
	}, setting{engine: bench, workspace: withCat})
}

func TestApproval_ofTheRestIsSaidAtEveryGate(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atPair("count: 2, scope: run")
		if got := s.buttons(gate); !slices.Equal(got, []string{"approve", "approve_rest", "deny"}) {
			s.tb.Errorf("the gate has the buttons %q", got)
		}
		s.click("ben", gate, "approve_rest")
		s.click("cat", gate, "approve_rest")
		s.settle(run)
		s.wantRecord(gate, "Approved by @ben and @cat at", "for the rest of the run too")
		second := s.await("#deploys", "Approved by @ben and @cat", "with the rest of the run at gate "+run.ID.Short()+".1", "Fill")
		s.wantRecord(second, "gate "+run.ID.Short()+".2")
		if now, _ := s.ws.Message(second.Channel, second.TS); now.Edited {
			s.tb.Error("what was posted as a record was edited, which takes from the budget and changes nothing")
		}
	}, setting{engine: bench, workspace: withCat})
}

func TestApproval_aTypedNoWithoutAReasonIsAskedForIt(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atPair("count: 2, reason: on_deny")
		if said := s.slash("ben", "#deploys", "deny "+run.ID.Short()); said != "" {
			s.tb.Errorf("ben was told %q", said)
		}
		s.form("ben", "Deny")
		if s.newest().Pending() == nil {
			s.tb.Error("the gate was decided all the same")
		}
		s.slash("ben", "#deploys", "deny "+run.ID.Short()+".1 not on a Friday")
		s.settle(run)
		s.wantRecord(gate, "⛔ Denied by @ben", "not on a Friday")
	}, setting{engine: bench, workspace: withCat})
}

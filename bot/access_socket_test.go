package bot

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// everybodyMay is a policy under which only the look-up of people stands between anybody and everything.
func everybodyMay() setting {
	return setting{engine: func(o *engine.Options) {
		p, err := policy.New(policy.Rules{Roles: []policy.Role{
			{Name: "all", Members: []string{"*"}, May: []policy.Verb{policy.Run, policy.Approve, policy.Cancel}, Playbooks: []string{"*"}},
		}})
		if err != nil {
			panic(err)
		}
		o.Policy = p
	}}
}

// T-15: through the real socket, whoever is no member gets nothing by a command, a mention, a click or the Home
// tab, and is told why. Somebody of another company clicks with the id of their own team.
func TestAccess_throughEveryDoorOfSlack(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]workspace.User{
		"is a guest here":           {IsGuest: true},
		"has left this workspace":   {Deleted: true},
		"belongs to another":        {TeamID: "T2"},
		"belongs to another (seen)": {Stranger: true},
		"is a bot":                  {IsBot: true},
		"is a bot (workflow)":       {Workflow: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onStage(t, func(s *stage) {
				why, _, _ := strings.Cut(name, " (")
				run, gate := s.atGate()
				kind.ID, kind.Name = "UBEN", "ben"
				s.ws.SetUser(kind)
				time.Sleep(2 * admitAge)
				for _, line := range []string{"list", "run web rev=x", "status " + run.ID.Short(), "cancel " + run.ID.Short(), "approve " + run.ID.Short(), "help", "whoami", "can run web"} {
					if said := s.slash("ben", "#deploys", line); !has(said, "ben "+why) {
						s.tb.Errorf("%s: ben was told %q", line, said)
					}
				}
				for _, button := range s.buttons(gate) {
					if said := s.click("ben", gate, button); !has(said, "ben "+why) {
						s.tb.Errorf("the button %s: ben was told %q", button, said)
					}
				}
				before := len(s.ephemerals("ben"))
				if _, err := s.ws.Say("ben", "#deploys", "", "@playbot cancel "+run.ID.Short()); err != nil {
					s.tb.Fatal(err)
				}
				s.until("ben is answered", func() bool { return len(s.ephemerals("ben")) > before })
				card := s.await("#deploys", "✋ web — waiting")
				if err := s.ws.Click(s.tb.Context(), "ben", card.Channel, card.TS, "log"); err != nil {
					s.tb.Fatal(err)
				}
				s.until("ben sees no log", func() bool { _, v := s.ws.Modal("ben"); return has(s.ws.PlainView(v), "ben "+why) })
				s.looks("ben", why)
				if text := s.ws.PlainView(s.ws.Home("ben")); has(text, run.ID.Short()) || has(text, "[") {
					s.tb.Errorf("ben's Home shows\n%s", text)
				}
				now, err := s.Engine.Load(s.tb.Context(), run.ID)
				if err != nil || now.Cancel != nil || now.Pending() == nil || len(now.Pending().Given) > 0 || s.newest().ID != run.ID {
					s.tb.Errorf("something happened: %+v, %v", now, err)
				}
			}, everybodyMay())
		})
	}
}

// T-16: two people who are called alike are two people.
func TestAccess_isByIDAndNeverByName(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		for _, name := range []string{"ana", "\u0430na", "ANA"} { // the second begins with a Cyrillic letter
			s.ws.SetUser(workspace.User{ID: "UEVE", Name: name, RealName: "Ana"})
			if m, err := s.ws.Slash(s.tb.Context(), "UEVE", "#deploys", "/playbook run b"); err != nil || m == nil || !has(s.ws.PlainText(*m), "no playbook") {
				s.tb.Errorf("somebody who is called %q: %v, %v", name, m, err)
			}
		}
	}, setting{workspace: func(o *workspace.Options) { o.Users = append(o.Users, workspace.User{ID: "UEVE", Name: "eve"}) }})
}

// T-15: in a channel that is shared with another company nothing counts, not even reading.
func TestAccess_notInAChannelThatIsShared(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		for _, line := range []string{"run b", "list", "history", "help"} {
			if said := s.slash("ana", "#random", line); !has(said, "shared with another company") {
				s.tb.Errorf("%s: ana was told %q", line, said)
			}
		}
		s.ws.FailNext("conversations.info", "missing_scope", 1)
		if said := s.slash("ana", "#ops", "run b"); !has(said, "Slack could not say whether this channel is shared") {
			s.tb.Errorf("ana was told %q", said)
		}
		if said := s.slash("ana", "#ops", "run b"); !has(said, "Started b") {
			s.tb.Errorf("once Slack can say: ana was told %q", said)
		}
		s.settle(s.newest())
	}, setting{workspace: func(o *workspace.Options) { o.Channels[2].Shared = true }})
}

// T-18: whoever joins the user group after the gate asked may not approve; the outage of the look-up refuses.
func TestAccess_byUserGroup(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		run, gate := s.atGate()
		s.until("the group is known", func() bool { return len(s.current().MembersKnown("S0SRE")) == 1 })
		if said := s.click("ana", gate, "approve"); !has(said, "you were not in it when this was asked") && !has(said, "none of your roles") {
			s.tb.Errorf("ana was told %q", said)
		}
		if said := s.click("ben", gate, "approve"); !has(said, "You approved") {
			s.tb.Errorf("ben was told %q", said)
		}
		s.settle(run)
		if s.Script.Calls("drain") != 1 {
			s.tb.Error("the step was not carried out")
		}
	}, setting{
		workspace: func(o *workspace.Options) {
			o.Groups = []workspace.Group{{ID: "S0SRE", Handle: "sre", Users: []string{"UBEN"}}}
		},
		bot: func(o *Options) { o.Groups = []string{"S0SRE"} },
		engine: func(o *engine.Options) {
			p, err := policy.New(policy.Rules{Roles: []policy.Role{
				{Name: "deployer", Members: []string{"UANA"}, May: []policy.Verb{policy.Run}, Playbooks: []string{"*"}},
				{Name: "sre", Groups: []string{"S0SRE"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}},
			}})
			if err != nil {
				panic(err)
			}
			o.Policy = p
		},
	})
}

// An outage of the Web API refuses within the second that a request may wait, and Slack is asked no more than it
// wants to be.
func TestAdmit_isQuickWhenSlackIsAway(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		ana := engine.Actor{Team: "T1", User: "UANA", Name: "ana", Channel: "C1"}
		s.net.down(true)
		begun := time.Now()
		err := s.current().Admit(s.tb.Context(), ana)
		if took := time.Since(begun); engine.CodeOf(err) != engine.CodeDenied || !has(err.Error(), "could not say who ana is") || took > admitTime {
			s.tb.Errorf("after %s: %v", took, err)
		}
		s.net.down(false)
		s.ws.RateLimitNext("users.info", 30, 1)
		for range 20 { // each waits its second
			if err := s.current().Admit(s.tb.Context(), ana); err == nil {
				s.tb.Error("somebody was admitted whom nobody looked up")
			}
		}
		asked := 0
		for _, c := range s.ws.Traffic() {
			if c.Method == "users.info" {
				asked++
			}
		}
		if asked != 1 {
			s.tb.Errorf("users.info was called %d times although Slack asked for patience", asked)
		}
		time.Sleep(30 * time.Second)
		if err := s.current().Admit(s.tb.Context(), ana); err != nil {
			s.tb.Errorf("after the wait: %v", err)
		}
	})
}

// Ids that are none cost one call a minute each, not one for each request.
func TestAdmit_remembersWhomSlackDoesNotKnow(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		for range 20 {
			if err := s.current().Admit(s.tb.Context(), engine.Actor{Team: "T1", User: "UNOBODY"}); !has(err.Error(), "nobody whom Slack knows") {
				s.tb.Fatalf("got %v", err)
			}
		}
		if n := len(s.calls("users.info")); n > 1 {
			s.tb.Errorf("users.info was called %d times", n)
		}
	})
}

// A private channel that the bot is not in may be shared with anybody: nothing counts there, Slack is not asked
// at every word, and an invitation mends it.
func TestAccess_inAPrivateChannelThatTheBotIsNotIn(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		for range 10 {
			if said := s.slash("ana", "#random", "list"); !has(said, "could not say whether this channel is shared", "invite the bot") {
				s.tb.Errorf("ana was told %q", said)
			}
		}
		asked := 0
		for _, c := range s.ws.Traffic() {
			if c.Method == "conversations.info" {
				asked++
			}
		}
		if asked != 1 {
			s.tb.Errorf("conversations.info was called %d times", asked)
		}
	}, setting{workspace: func(o *workspace.Options) { o.Channels[2].Private = true }})
}

// Many runs that begin at once share the look-up of a user group, within what Slack allows.
func TestVouch_sharesTheLookUpOfAGroup(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		time.Sleep(2 * vouchAge)
		before := len(s.calls("usergroups.users.list"))
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := s.current().Vouch(s.tb.Context(), engine.Actor{Team: "T1", User: "UANA", Channel: "C1"}); err != nil {
					s.tb.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(s.calls("usergroups.users.list")) - before; n != 1 {
			s.tb.Errorf("50 at once took %d calls", n)
		}
	}, setting{
		workspace: func(o *workspace.Options) {
			o.Groups = []workspace.Group{{ID: "S0SRE", Handle: "sre", Users: []string{"UBEN"}}}
		},
		bot: func(o *Options) { o.Groups = []string{"S0SRE"} },
	})
}

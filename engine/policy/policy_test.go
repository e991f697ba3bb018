package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

func house(t *testing.T, change func(*policy.Rules)) *policy.Policy {
	t.Helper()
	rules := policy.Rules{
		Roles: []policy.Role{
			{Name: "deployer", Members: []string{"UANA"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"web_*"}},
			{Name: "approver", Members: []string{"T1/UBEN"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}},
			{Name: "oncall", Members: []string{"UOLA"}, May: []policy.Verb{policy.Steer}, Playbooks: []string{"web_*"}},
			{Name: "solo", Members: []string{"USAM"}, May: []policy.Verb{policy.Run, policy.Approve}, Playbooks: []string{"*"}},
		},
		Gates: []string{"shell", "*.upgrade"},
	}
	if change != nil {
		change(&rules)
	}
	p, err := policy.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDecide(t *testing.T) {
	t.Parallel()
	ana, ben := policy.Subject{Team: "T1", User: "UANA"}, policy.Subject{Team: "T1", User: "UBEN"}
	stranger := policy.Subject{Team: "T2", User: "UBEN"}
	for sentence, row := range map[string]struct {
		who      policy.Subject
		verb     policy.Verb
		playbook string
		want     bool
		rule     string
	}{
		"a deployer runs what the pattern names":      {ana, policy.Run, "web_upgrade", true, "role deployer may run web_upgrade"},
		"a deployer runs nothing else":                {ana, policy.Run, "db_failover", false, "none of your roles may run db_failover"},
		"a deployer does not approve":                 {ana, policy.Approve, "web_upgrade", false, "none of your roles may approve"},
		"whoever may run may view":                    {ana, policy.View, "web_upgrade", true, "may view"},
		"whoever may cancel may steer":                {ana, policy.Steer, "web_upgrade", true, "role deployer may steer web_upgrade"},
		"whoever may approve may not steer":           {ben, policy.Steer, "web_upgrade", false, "none of your roles may steer"},
		"whoever may run may not steer":               {policy.Subject{User: "USAM"}, policy.Steer, "web_upgrade", false, "none of your roles may steer"},
		"whoever may steer steers":                    {policy.Subject{User: "UOLA"}, policy.Steer, "web_upgrade", true, "role oncall may steer web_upgrade"},
		"whoever may steer may not cancel":            {policy.Subject{User: "UOLA"}, policy.Cancel, "web_upgrade", false, "none of your roles may cancel"},
		"whoever may steer may view":                  {policy.Subject{User: "UOLA"}, policy.View, "web_upgrade", true, "may view"},
		"an approver approves":                        {ben, policy.Approve, "db_failover", true, "role approver"},
		"an approver of another team is nobody":       {stranger, policy.Approve, "web_upgrade", false, "you have no role here"},
		"somebody without a role is told whom to ask": {policy.Subject{User: "UGUS"}, policy.View, "web_upgrade", false, "ask an administrator"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			got := house(t, nil).Decide(row.who, row.verb, row.playbook)
			if got.Allowed != row.want || !strings.Contains(got.Rule, row.rule) {
				t.Errorf("got %+v, want allowed %v by a rule with %q", got, row.want, row.rule)
			}
		})
	}
}

func TestDecideApproval_requesterNeedsSomebodyElse(t *testing.T) {
	t.Parallel()
	sam := policy.Subject{Team: "T1", User: "USAM"}
	if got := house(t, nil).DecideApproval(sam, sam, "web_upgrade"); got.Allowed {
		t.Errorf("own approval allowed: %+v", got)
	}
	if got := house(t, nil).DecideApproval(sam, policy.Subject{Team: "T1", User: "UANA"}, "web_upgrade"); !got.Allowed {
		t.Errorf("approval of somebody else's run refused: %+v", got)
	}
	own := house(t, func(r *policy.Rules) { r.OwnApproval = true })
	if got := own.DecideApproval(sam, sam, "web_upgrade"); !got.Allowed {
		t.Errorf("own approval refused although the rules allow it: %+v", got)
	}
}

func TestGate_matchesTypeAndAction(t *testing.T) {
	t.Parallel()
	p := house(t, nil)
	for names, want := range map[string]bool{"shell": true, "appmgr.upgrade": true, "appmgr.status": false} {
		if _, got := p.Gate("mcollective", names); got != want {
			t.Errorf("Gate(mcollective, %s) = %v, want %v", names, got, want)
		}
	}
}

func TestReadOnly_default(t *testing.T) {
	t.Parallel()
	p := house(t, nil)
	for action, want := range map[string]bool{"rpcutil.ping": true, "nrpe.runcommand": true, "puppet.disable": false} {
		if got := p.ReadOnly(action); got != want {
			t.Errorf("ReadOnly(%s) = %v, want %v", action, got, want)
		}
	}
}

func TestNew_refusesBadRules(t *testing.T) {
	t.Parallel()
	for want, rules := range map[string]policy.Rules{
		"unknown verb":        {Roles: []policy.Role{{Name: "x", May: []policy.Verb{"aprove"}}}},
		"has no name":         {Roles: []policy.Role{{}}},
		"pattern":             {Gates: []string{"["}},
		"at least one second": {Expires: time.Millisecond},
		"1 to 10 people":      {Count: 11},
		"not -1":              {Count: -1},
		"unknown reason":      {Reason: "sometimes"},
	} {
		if _, err := policy.New(rules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

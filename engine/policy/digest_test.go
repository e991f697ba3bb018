package policy_test

import (
	"testing"
	"time"

	"github.com/playbot/playbot/engine/policy"
)

func TestDigest_tellsRulesThatDiffer(t *testing.T) {
	t.Parallel()
	of := func(change func(*policy.Rules)) string {
		r := policy.Rules{Roles: []policy.Role{{Name: "sre", Members: []string{"UBEN"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}}}}
		change(&r)
		p, err := policy.New(r)
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	same := of(func(*policy.Rules) {})
	if again := of(func(r *policy.Rules) { r.Count = 1 }); same != again || same == "" {
		t.Errorf("the same rules have the digests %q and %q", same, again)
	}
	for what, change := range map[string]func(*policy.Rules){
		"who":    func(r *policy.Rules) { r.Roles[0].Members = []string{"UBEN", "UCAT"} },
		"what":   func(r *policy.Rules) { r.Roles[0].Playbooks = []string{"web"} },
		"count":  func(r *policy.Rules) { r.Count = 2 },
		"own":    func(r *policy.Rules) { r.OwnApproval = true },
		"time":   func(r *policy.Rules) { r.Expires = time.Minute },
		"gates":  func(r *policy.Rules) { r.Gates = []string{"shell"} },
		"reason": func(r *policy.Rules) { r.Reason = policy.ReasonAlways },
	} {
		if of(change) == same {
			t.Errorf("another %s has the same digest", what)
		}
	}
}

package policy_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/policy"
)

// crew is a policy with one role within bounds, and others beside it.
func crew(t *testing.T, change func(*policy.Rules)) *policy.Policy {
	t.Helper()
	rules := policy.Rules{MaxRuns: 9, Roles: []policy.Role{
		{
			Name: "crew", Where: "playbot.yaml:7", Members: []string{"UANA"}, Groups: []string{"SOPS"}, May: []policy.Verb{policy.Run, policy.Approve, policy.Cancel},
			Playbooks: []string{"web_*"}, Channels: []string{"C1", policy.Terminal}, MaxNodes: 5, MaxRuns: 2,
			Inputs: map[string]policy.Values{
				"tier": {Like: []string{"bravo", "ch*"}}, "batch": {Like: []string{"50"}, Ranges: []policy.Range{{AtLeast: 1, AtMost: 10}}},
			},
		},
		{Name: "reader", Members: []string{"*"}, May: []policy.Verb{policy.View}, Playbooks: []string{"*"}},
	}}
	if change != nil {
		change(&rules)
	}
	p, err := policy.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fine is a question that crew allows; each row of a test spoils one thing.
func fine() policy.Question {
	return policy.Question{
		Who: policy.Subject{Team: "T1", User: "UANA"}, Verb: policy.Run, Playbook: "web_upgrade",
		Inputs: map[string]any{"tier": "bravo", "batch": 3, "rev": "x"}, Place: policy.Place{Channel: "C1"}, Nodes: 5, Active: 1,
	}
}

func TestAsk_everyBoundRefusesByItselfAndNamesTheRole(t *testing.T) {
	t.Parallel()
	set := func(name string, v any) func(*policy.Question) {
		return func(q *policy.Question) { q.Inputs[name] = v }
	}
	in := func(groups ...string) func(*policy.Question) {
		return func(q *policy.Question) { q.Who.User, q.In = "UBEN", groups }
	}
	for name, row := range map[string]struct {
		spoil func(*policy.Question)
		want  string // empty: allowed
	}{
		"nothing":                 {func(*policy.Question) {}, ""},
		"another playbook":        {func(q *policy.Question) { q.Playbook = "db_failover" }, "none of your roles may run db_failover (crew, reader); ask"},
		"another verb":            {func(q *policy.Question) { q.Verb = policy.Freeze }, "none of your roles may freeze"},
		"break glass is nobody's": {func(q *policy.Question) { q.Verb = policy.BreakGlass }, "none of your roles may break_glass"},
		"to plan is to run":       {func(q *policy.Question) { q.Verb = policy.Plan }, ""},
		"another value":           {set("tier", "alfa"), "role crew (playbot.yaml:7) lets you run web_upgrade only with tier bravo or ch*, and it is alfa"},
		"a pattern":               {set("tier", "charlie"), ""},
		"a value that looks so":   {set("tier", "bravo "), "only with tier"},
		"capitals are others":     {set("tier", "BRAVO"), "only with tier"},
		"a list of such":          {set("tier", []any{"bravo", "ch1"}), ""},
		"one of a list":           {set("tier", []any{"bravo", "alfa"}), "only with tier"},
		"an empty list":           {set("tier", []any{}), "only with tier"},
		"nothing at all":          {set("tier", nil), "only with tier"},
		"a mapping":               {set("tier", map[string]any{"bravo": 1}), "only with tier"},
		"no such input":           {func(q *policy.Question) { delete(q.Inputs, "tier") }, "nothing says what tier is"},
		"inputs not known":        {func(q *policy.Question) { q.Inputs = nil }, ""},
		"some inputs not known":   {func(q *policy.Question) { delete(q.Inputs, "tier"); q.Partial = true }, ""},
		"some known are wrong":    {func(q *policy.Question) { q.Inputs = map[string]any{"batch": 11}; q.Partial = true }, "only with batch 50 or 1 to 10, and it is 11"},
		"the ends of a range":     {set("batch", 10), ""},
		"a float":                 {set("batch", 10.5), "only with batch"},
		"a number of JSON":        {set("batch", float64(50)), ""},
		"a number as text":        {set("batch", "3"), "only with batch"},
		"not a number":            {set("batch", math.NaN()), "only with batch"},
		"true":                    {set("batch", true), "only with batch"},
		"elsewhere":               {func(q *policy.Question) { q.Place.Channel = "C2" }, "only in channel C1 or the terminal, and you are in channel C2"},
		"in a direct message":     {func(q *policy.Question) { q.Place.Channel = policy.Direct }, "and you are in direct messages"},
		"at the terminal":         {func(q *policy.Question) { q.Place.Channel = policy.Terminal }, ""},
		"a shared one it names":   {func(q *policy.Question) { q.Place.Shared = true }, ""},
		"another shared one":      {func(q *policy.Question) { q.Place = policy.Place{Channel: "C2", Shared: true} }, "shared with another company, and role crew"},
		"one that may be shared":  {func(q *policy.Question) { q.Place = policy.Place{Channel: "C2", Unsure: true} }, "Slack could not say whether this channel is shared"},
		"too many nodes":          {func(q *policy.Question) { q.Nodes = 6 }, "on at most 5 nodes, and this is about 6"},
		"too many to approve":     {func(q *policy.Question) { q.Verb, q.Nodes = policy.Approve, 6 }, "on at most 5 nodes"},
		"cancelling many":         {func(q *policy.Question) { q.Verb, q.Nodes, q.Active = policy.Cancel, 600, 8 }, ""},
		"too many runs":           {func(q *policy.Question) { q.Active = 2 }, "with at most 2 runs under way, and 2 of yours are"},
		"too many for anybody":    {func(q *policy.Question) { q.Active = 9 }, "lets nobody have more (max_runs)"},
		"a member of the group":   {in("SOPS"), ""},
		"of another group":        {in("SDEV"), "none of your roles may run web_upgrade (reader)"},
		"of nobody knows which":   {func(q *policy.Question) { q.Who.User, q.Unsure = "UBEN", []string{"SOPS"} }, "Slack could not say who is in it"},
		"a group joined since":    {func(q *policy.Question) { in("SOPS")(q); q.Since = map[string][]string{"SOPS": {"UEVE"}} }, "you were not in it when this was asked"},
		"a group not kept":        {func(q *policy.Question) { in("SOPS")(q); q.Since = map[string][]string{} }, "you were not in it when this was asked"},
		"in the group all along":  {func(q *policy.Question) { in("SOPS")(q); q.Since = map[string][]string{"SOPS": {"UBEN"}} }, ""},
		"somebody by that id":     {func(q *policy.Question) { q.Who.Team = "T2" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := fine()
			row.spoil(&q)
			d := crew(t, nil).Ask(q)
			if d.Allowed != (row.want == "") || !strings.Contains(d.Rule, row.want) || d.Allowed != (d.Role == "crew") {
				t.Errorf("got %+v, want %q", d, row.want)
			}
		})
	}
}

func TestAsk_viewingIsBoundByNothingButTheChannel(t *testing.T) {
	t.Parallel()
	q := fine()
	q.Verb, q.Inputs, q.Nodes, q.Place.Channel = policy.View, map[string]any{}, 99, "C2"
	if d := crew(t, nil).Ask(q); !d.Allowed {
		t.Errorf("got %+v", d)
	}
	q.Place.Shared = true
	if d := crew(t, nil).Ask(q); d.Allowed {
		t.Errorf("in a shared channel: got %+v", d)
	}
	if d := crew(t, func(r *policy.Rules) { r.AnyChannel = true }).Ask(q); !d.Allowed {
		t.Errorf("where the rules let shared channels count: got %+v", d)
	}
}

func TestAsk_oneRoleMustAllowAllOfIt(t *testing.T) {
	t.Parallel()
	p := crew(t, func(r *policy.Rules) {
		r.Roles = append(r.Roles, policy.Role{Name: "many", Members: []string{"UANA"}, May: []policy.Verb{policy.Run}, Playbooks: []string{"*"}, Channels: []string{"C9"}})
	})
	q := fine()
	q.Nodes = 6
	if d := p.Ask(q); d.Allowed || d.By != "crew" {
		t.Errorf("the nodes of one role and the channel of another: got %+v", d)
	}
	q.Place.Channel = "C9"
	if d := p.Ask(q); !d.Allowed || d.Role != "many" {
		t.Errorf("all of one role: got %+v", d)
	}
}

func TestPresent_saysWhenNoRoleCountsHere(t *testing.T) {
	t.Parallel()
	p := crew(t, nil)
	q := policy.Question{Who: policy.Subject{User: "UBEN"}, Place: policy.Place{Channel: "C1", Shared: true}}
	if d := p.Present(q); d.Allowed || d.By != "reader" {
		t.Errorf("a reader in a shared channel: %+v", d)
	}
	q.Who.User = "UANA"
	if d := p.Present(q); !d.Allowed {
		t.Errorf("somebody whose role names it: %+v", d)
	}
}

func TestAskApproval_ofPartAndByGroup(t *testing.T) {
	t.Parallel()
	p := crew(t, nil)
	q := fine()
	q.Active = 0
	if d := p.AskApproval(q, policy.Subject{User: "UEVE"}); !d.Allowed {
		t.Errorf("five nodes: %+v", d)
	}
	q.Nodes = 7
	if d := p.AskApproval(q, policy.Subject{User: "UEVE"}); d.Allowed || d.By != "crew" {
		t.Errorf("seven nodes: %+v", d)
	}
	people, groups := p.ApproversOf(policy.Question{Playbook: "web_x", Nodes: 5}), p.ApproverGroups(policy.Question{Playbook: "web_x", Nodes: 5})
	if !slices.Equal(people, []string{"UANA"}) || !slices.Equal(groups, []string{"SOPS"}) {
		t.Errorf("five nodes may be approved by %v and %v", people, groups)
	}
	tier := map[string]any{"tier": "alfa", "batch": 1}
	if got := p.ApproversOf(policy.Question{Playbook: "web_x", Inputs: tier}); len(got) > 0 {
		t.Errorf("tier alfa may be approved by %v", got)
	}
}

func TestNew_refusesBadBounds(t *testing.T) {
	t.Parallel()
	for want, role := range map[string]policy.Role{
		"no value is allowed":         {Name: "x", Inputs: map[string]policy.Values{"tier": {}}},
		"no number is 5 to 1":         {Name: "x", Inputs: map[string]policy.Values{"n": {Ranges: []policy.Range{{AtLeast: 5, AtMost: 1}}}}},
		"pattern \"[\"":               {Name: "x", Inputs: map[string]policy.Values{"n": {Like: []string{"["}}}},
		"break_glass is not for":      {Name: "x", Members: []string{"*"}, May: []policy.Verb{policy.BreakGlass}},
		"a limit is 1 or more":        {Name: "x", MaxNodes: -1},
		"view, plan, run, approve, s": {Name: "x", May: []policy.Verb{"fly"}},
	} {
		if _, err := policy.New(policy.Rules{Roles: []policy.Role{role}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestVerbsOf_isWhatTheRolesGrantAnywhere(t *testing.T) {
	t.Parallel()
	p := crew(t, nil)
	want := []policy.Verb{policy.View, policy.Plan, policy.Run, policy.Approve, policy.Steer, policy.Cancel}
	if got := p.VerbsOf([]string{"crew"}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := p.VerbsOf([]string{"reader"}); !slices.Equal(got, []policy.Verb{policy.View}) {
		t.Errorf("got %v", got)
	}
}

// FuzzAsk holds any question against the promise that nothing is allowed that no role allows: with a bound
// spoilt, the answer is no, and it says why.
func FuzzAsk(f *testing.F) {
	f.Add("web_upgrade", "bravo", "C1", 3, "UANA")
	f.Add("", "\x1b[31m", "D1", -1, "*")
	f.Fuzz(func(t *testing.T, book, tier, channel string, nodes int, user string) {
		p := crew(t, nil)
		q := policy.Question{
			Who: policy.Subject{Team: "T1", User: user}, Verb: policy.Run, Playbook: book,
			Inputs: map[string]any{"tier": tier, "batch": 1}, Place: policy.Place{Channel: channel}, Nodes: nodes,
		}
		d := p.Ask(q)
		allowed := user == "UANA" && strings.HasPrefix(book, "web_") && !strings.Contains(book, "/") && nodes <= 5 &&
			(tier == "bravo" || strings.HasPrefix(tier, "ch") && !strings.Contains(tier, "/")) && slices.Contains([]string{"", "C1", "terminal"}, channel)
		if d.Allowed != allowed || d.Rule == "" {
			t.Errorf("%+v: got %+v, want %v", q, d, allowed)
		}
	})
}

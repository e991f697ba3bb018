//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// register is a directory that says what it was told to.
type register struct {
	mu      sync.Mutex
	groups  map[string][]string
	lost    bool // user groups cannot be looked up
	refused map[string]bool
	shared  map[string]bool
}

func (r *register) Admit(_ context.Context, a engine.Actor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused[a.Name] {
		return engine.Errorf(engine.CodeDenied, "refused: %s is a guest here", a.Name)
	}
	return nil
}

func (r *register) Standing(a engine.Actor) engine.Standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	var s engine.Standing
	for g, users := range r.groups {
		if r.lost {
			s.Unsure = append(s.Unsure, g)
			continue
		}
		for _, u := range users {
			if u == a.User {
				s.In = append(s.In, g)
			}
		}
	}
	s.Shared = r.shared[a.Channel]
	return s
}

func (r *register) Members(_ context.Context, group string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		return nil, errors.New("Slack is away")
	}
	return append([]string(nil), r.groups[group]...), nil
}

func (r *register) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// under is a policy of these roles, with a directory.
func under(dir *register, roles ...policy.Role) func(*engine.Options) {
	return func(o *engine.Options) {
		p, err := policy.New(policy.Rules{Roles: roles})
		if err != nil {
			panic(err)
		}
		o.Policy = p
		if dir != nil {
			o.Directory = dir
		}
	}
}

func roleOf(name string, may ...policy.Verb) policy.Role {
	return policy.Role{Name: name, Members: []string{"U" + strings.ToUpper(name)}, May: may, Playbooks: []string{"*"}}
}

const fleetBook = `
inputs: {tier: {type: String, default: alfa}, token: {type: Secret, required: false}, size: {type: Integer, default: 2}}
nodes: {web: {type: list, nodes: [n1, n2, n3]}}
tasks: [{do: {name: one, nodes: "{{ nodes.web }}"}}]
`

// ask asks for a run as somebody, from a channel.
func ask(t *testing.T, h *enginetest.House, key string, who engine.Actor, book string, inputs map[string]any) (engine.RunID, error) {
	id, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: key, Actor: who, Playbook: book, Inputs: inputs})
	if err == nil {
		h.Watch(id)
	}
	return id, err
}

func TestStart_holdsInputsAgainstTheRole(t *testing.T) {
	t.Parallel()
	ana := roleOf("ana", policy.Run)
	ana.Inputs = map[string]policy.Values{"tier": {Like: []string{"alfa"}}}
	eve := roleOf("eve", policy.Run)
	eve.Inputs = map[string]policy.Values{"token": {Like: []string{"*"}}}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", fleetBook)
		if _, err := ask(t, h, "1", person("ana"), "b", map[string]any{"tier": "bravo"}); engine.CodeOf(err) != engine.CodeDenied || !strings.Contains(err.Error(), "only with tier alfa, and it is bravo") {
			t.Errorf("tier bravo: %v", err)
		}
		if _, err := ask(t, h, "2", person("eve"), "b", map[string]any{"tier": "alfa", "token": "hunter22"}); err == nil || strings.Contains(err.Error(), "hunter22") || !strings.Contains(err.Error(), "nothing says what token is") {
			t.Errorf("a rule about a secret: %v", err)
		}
		id, err := ask(t, h, "3", person("ana"), "b", map[string]any{"tier": "alfa"})
		if err != nil {
			t.Fatal(err)
		}
		if run := h.Finish(id); run.Status != engine.RunSuccess || run.Requested.Rule != "role ana may run b" {
			t.Errorf("got %s by %q", run.Status, run.Requested.Rule)
		}
	}, under(nil, ana, eve))
}

// A role may run on at most n nodes: the run ends before its first task, and no node is left out silently.
func TestStart_refusesMoreNodesThanTheRoleMayBeforeTheFirstTask(t *testing.T) {
	t.Parallel()
	ana := roleOf("ana", policy.Run)
	ana.MaxNodes = 2
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", fleetBook)
		h.Book("outer", "tasks: [{child: {name: b}}]\n")
		h.Book("direct", "tasks: [{do: {name: one, nodes: [n1, n2]}}, {do: {name: two, nodes: [n2, n3]}}]\n")
		run := h.Finish(mustAsk(t, h, "b"))
		if run.Status != engine.RunFailed || !strings.Contains(run.Message, "refused: role ana lets you run b on at most 2 nodes, and this is about 3") || len(run.Steps) > 0 {
			t.Errorf("three nodes of a set: %s: %s", run.Status, run.Message)
		}
		run = h.Finish(mustAsk(t, h, "outer"))
		for _, id := range h.Watched() {
			if child, err := h.Engine.Load(t.Context(), id); err == nil && child.Requested.Parent != nil && !strings.Contains(child.Message, "at most 2 nodes") {
				t.Errorf("the child of a bounded run is %s: %s", child.Status, child.Message)
			}
		}
		if run.Status != engine.RunFailed || h.Script.Calls("one") > 0 {
			t.Errorf("through another playbook: %s, and %d calls", run.Status, h.Script.Calls("one"))
		}
		run = h.Finish(mustAsk(t, h, "direct"))
		if s := run.Steps["tasks.2"]; h.Script.Calls("one") != 1 || h.Script.Calls("two") > 0 || s == nil || !strings.Contains(s.Message, "not started: refused: role ana lets you run direct on at most 2 nodes, and this is about 3") {
			t.Errorf("nodes that no set names: %s", enginetest.Transcript(run))
		}
	}, under(nil, ana))
}

func mustAsk(t *testing.T, h *enginetest.House, book string) engine.RunID {
	t.Helper()
	id, err := ask(t, h, "of "+book, person("ana"), book, map[string]any{"tier": "alfa"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// T-32: one person who asks for a thousand runs at once gets as many as the policy says, and the rest is
// refused and starts nothing; when one ends, there is room for one.
func TestStart_boundsTheRunsOfOnePerson(t *testing.T) {
	t.Parallel()
	ana, ben := roleOf("ana", policy.Run, policy.Cancel), roleOf("ben", policy.Run)
	ana.MaxRuns = 7
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one}}]\n")
		h.Script.On("one", hang)
		var mu sync.Mutex
		var ids []engine.RunID
		refused := 0
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				id, err := ask(t, h, fmt.Sprint(i), person("ana"), "b", nil)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ids = append(ids, id)
				} else if strings.Contains(err.Error(), "with at most 7 runs under way") {
					refused++
				}
			})
		}
		wg.Wait()
		if len(ids) != 7 || refused != 993 {
			t.Errorf("%d runs began and %d were refused, want 7 and 993", len(ids), refused)
		}
		if _, err := ask(t, h, "ben's", person("ben"), "b", nil); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		h.Stop()
		h.Restart()
		if _, err := ask(t, h, "after a restart", person("ana"), "b", nil); engine.CodeOf(err) != engine.CodeDenied {
			t.Errorf("after a restart: %v", err)
		}
		if err := h.Engine.Cancel(t.Context(), ids[0], person("ana"), ""); err != nil {
			t.Fatal(err)
		}
		h.Finish(ids[0])
		synctest.Wait()
		if _, err := ask(t, h, "when one has ended", person("ana"), "b", nil); err != nil {
			t.Errorf("when one has ended: %v", err)
		}
	}, under(nil, ana, ben))
}

// T-18: whoever joins a user group after a gate asked may not approve it, and neither may whoever leaves it
// before the step starts.
func TestApprove_byGroupHoldsWhenAskedAndWhenDone(t *testing.T) {
	t.Parallel()
	sre := policy.Role{Name: "sre", Groups: []string{"SSRE"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}}
	dir := &register{groups: map[string][]string{"SSRE": {"UBEN"}}}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("count: 1"))
		id := mustAsk(t, h, "b")
		first := gate(t, h, id)
		dir.set(func() { dir.groups["SSRE"] = []string{"UBEN", "UCAT"} })
		if err := word(t, h, id, "cat approves"); engine.CodeOf(err) != engine.CodeDenied || !strings.Contains(err.Error(), "you were not in it when this was asked") {
			t.Errorf("who joined since: %v", err)
		}
		dir.set(func() { dir.lost = true })
		if err := word(t, h, id, "ben approves"); engine.CodeOf(err) != engine.CodeDenied || !strings.Contains(err.Error(), "Slack could not say who is in it") {
			t.Errorf("while the group cannot be looked up: %v", err)
		}
		dir.set(func() { dir.lost = false })
		if err := word(t, h, id, "ben approves"); err != nil {
			t.Fatal(err)
		}
		run := h.Finish(id)
		if run.Approvals[0].Approval != first.Approval || run.Approvals[0].Given[0].Role != "sre" || h.Script.Calls("drain") != 1 {
			t.Errorf("got\n%s", enginetest.Transcript(run))
		}
	}, under(dir, roleOf("ana", policy.Run), sre))
}

func TestApprove_boundsOfTheApproversRole(t *testing.T) {
	t.Parallel()
	ben := roleOf("ben", policy.Approve)
	ben.MaxNodes, ben.Inputs = 2, map[string]policy.Values{"tier": {Like: []string{"alfa"}}}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		body := strings.Replace(fleetBook, "web }}\"", "web }}\", destructive: true", 1)
		h.Book("three", body)
		h.Book("two", strings.Replace(body, ", n3", "", 1))
		for _, row := range []struct{ book, tier, want string }{
			{"three", "alfa", "role ben lets you approve three on at most 2 nodes, and this is about 3"},
			{"two", "bravo", "only with tier alfa, and it is bravo"},
			{"two", "alfa", ""},
		} {
			id, err := ask(t, h, row.book+row.tier, person("ana"), row.book, map[string]any{"tier": row.tier})
			if err != nil {
				t.Fatal(err)
			}
			gate(t, h, id)
			err = word(t, h, id, "ben approves")
			if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%s in %s: got %v, want %q", row.book, row.tier, err, row.want)
			}
			if err := h.Engine.Cancel(t.Context(), id, person("ana"), ""); err != nil && row.want != "" {
				t.Error(err)
			}
			h.Finish(id)
		}
	}, under(nil, roleOf("ana", policy.Run, policy.Cancel), ben))
}

// T-15: every door asks whether the word of somebody counts at all, and writes the refusal down.
func TestDoors_admitNobodyWhoseWordDoesNotCount(t *testing.T) {
	t.Parallel()
	dir := &register{refused: map[string]bool{}}
	all := roleOf("gus", policy.Verbs()...)
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", asking("count: 1"))
		id := mustAsk(t, h, "b")
		gate(t, h, id)
		gus := person("gus")
		dir.set(func() { dir.refused["gus"] = true })
		steer := engine.Steering{Run: id, Actor: gus}
		doors := map[string]func() error{
			"approve": func() error { return h.Engine.Approve(t.Context(), engine.Decision{Run: id, Actor: gus}) },
			"deny":    func() error { return h.Engine.Deny(t.Context(), engine.Decision{Run: id, Actor: gus}) },
			"cancel":  func() error { return h.Engine.Cancel(t.Context(), id, gus, "") },
			"pause":   func() error { return h.Engine.PauseRun(t.Context(), steer) },
			"resume":  func() error { return h.Engine.ResumeRun(t.Context(), steer) },
			"next":    func() error { return h.Engine.SendOn(t.Context(), steer, 0) },
			"stop":    func() error { return h.Engine.StopWaves(t.Context(), steer) },
			"slow":    func() error { return h.Engine.SlowWaves(t.Context(), steer, engine.Pace{Size: 1}) },
			"resolve": func() error {
				return h.Engine.Resolve(t.Context(), engine.Answer{Run: id, Path: "tasks.1", Attempt: 1, Choice: engine.ResolveDone, Actor: gus})
			},
			"secrets": func() error {
				return h.Engine.GiveSecrets(t.Context(), engine.Secrets{Run: id, Actor: gus, Values: map[string]string{"a": "b"}})
			},
		}
		for name, door := range doors {
			if err := door(); engine.CodeOf(err) != engine.CodeDenied || !strings.Contains(err.Error(), "gus is a guest here") {
				t.Errorf("%s: got %v", name, err)
			}
		}
		written := 0
		for ev, err := range h.Log.Read(t.Context(), engine.BotStream) {
			if r, ok := ev.Payload.(engine.Refused); ok && err == nil && r.Actor.Name == "gus" {
				written++
			}
		}
		if written != len(doors) {
			t.Errorf("%d refusals are written down, want %d", written, len(doors))
		}
		dir.set(func() { dir.refused["gus"] = false })
		if err := doors["deny"](); err != nil {
			t.Errorf("once his word counts: %v", err)
		}
		h.Finish(id)
	}, under(dir, roleOf("ana", policy.Run), all))
}

// T-15: in a channel that is shared with another company nothing begins, unless a role names it.
func TestStart_inASharedChannelNeedsARoleThatNamesIt(t *testing.T) {
	t.Parallel()
	named := roleOf("eve", policy.Run)
	named.Channels = []string{"CEXT"}
	dir := &register{shared: map[string]bool{"CEXT": true}}
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("b", "tasks: [{do: {name: one}}]\n")
		ana, eve := person("ana"), person("eve")
		ana.Channel, eve.Channel = "CEXT", "CEXT"
		if _, err := ask(t, h, "ana", ana, "b", nil); err == nil || !strings.Contains(err.Error(), "shared with another company, and role ana does not name it") {
			t.Errorf("ana: %v", err)
		}
		if id, err := ask(t, h, "eve", eve, "b", nil); err != nil {
			t.Errorf("eve: %v", err)
		} else {
			h.Finish(id)
		}
	}, under(dir, roleOf("ana", policy.Run), named))
}

// An approver whose role is for few nodes may grant as many of those that a gate asks for.
func TestMayApprove_countsWhatIsGranted(t *testing.T) {
	t.Parallel()
	ben := roleOf("ben", policy.Approve)
	ben.MaxNodes = 4
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		run := &engine.Run{Requested: engine.RunRequested{Actor: person("ana"), Playbook: engine.PlaybookRef{Name: "b"}}}
		a := &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Nodes: make([]string, 10), Waves: []int{4, 6}}}
		for limit, want := range map[engine.Limit]bool{
			{}: false, {Waves: 1}: true, {Waves: 2}: false, {Nodes: 4}: true, {Nodes: 5}: false, {Waves: 2, Nodes: 3}: true,
		} {
			if d := h.Engine.MayApprove(person("ben"), run, a, limit); d.Allowed != want {
				t.Errorf("%+v: got %+v, want %v", limit, d, want)
			}
		}
	}, under(nil, ben))
}

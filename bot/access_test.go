package bot

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// The access matrix: kind of user × role × way of saying something × gate. Every cell goes through the real
// commands, the real engine and the real look-ups at the workspace; what is expected of it stands in the tables
// below, which know nothing of the code. What counts is what happened to the run, not what was answered.

// kindOfUser is who somebody is to Slack.
type kindOfUser struct {
	name   string
	user   workspace.User // what becomes of the member that they were
	team   string         // that their requests carry; empty: the bot's own
	counts bool           // their word counts
	fault  string         // the Web API answers users.info with it
	groups string         // their roles are by a user group: "in", or "lost" when nobody can look it up
	all    bool           // every role is tried, not only the telling ones
}

func kindsOfUsers() []kindOfUser {
	return []kindOfUser{
		{name: "member", counts: true, all: true},
		{name: "admin", user: workspace.User{IsAdmin: true}, counts: true},
		{name: "member of the group", counts: true, groups: "in", all: true},
		{name: "member of a group that cannot be looked up", counts: true, groups: "lost"},
		{name: "guest of some channels", user: workspace.User{IsGuest: true}},
		{name: "guest of one channel", user: workspace.User{IsUltra: true}},
		{name: "stranger", user: workspace.User{Stranger: true}},
		{name: "of another company", user: workspace.User{TeamID: "T2"}, team: "T2"},
		{name: "of another company, with our team", user: workspace.User{TeamID: "T2"}},
		{name: "ours, with another team", team: "T2"},
		{name: "bot", user: workspace.User{IsBot: true}},
		{name: "workflow", user: workspace.User{Workflow: true}},
		{name: "deactivated", user: workspace.User{Deleted: true}},
		{name: "unknown", fault: "user_not_found"},
		{name: "not to be looked up", fault: "fatal_error"},
		{name: "without the scope to look up", fault: "missing_scope"},
	}
}

// roleInMatrix is a role, and the ways of saying something that it lets people use.
type roleInMatrix struct {
	name    string
	grants  string
	telling bool // tried with every kind of user
	bound   func(*policy.Role)
}

const everything = "view run approve deny cancel pause"

func rolesInMatrix() []roleInMatrix {
	return []roleInMatrix{
		{name: "none", telling: true},
		{name: "viewer", grants: "view", telling: true},
		{name: "runner", grants: "view run"},
		{name: "approver", grants: "view approve deny"},
		{name: "canceller", grants: "view cancel pause"},
		{name: "steerer", grants: "view pause"},
		{name: "all", grants: everything, telling: true},
		{name: "sre", grants: "view approve deny"}, // the one that the gate "sre" asks for
		{name: "bravo", grants: everything, bound: func(r *policy.Role) { r.Inputs = map[string]policy.Values{"tier": {Like: []string{"bravo"}}} }},
		{name: "elsewhere", grants: everything, bound: func(r *policy.Role) { r.Channels = []string{"C2"} }},
		{name: "few", grants: everything, bound: func(r *policy.Role) { r.MaxNodes = 1 }},
	}
}

func verbsOf(grants string) []policy.Verb {
	out := map[string]policy.Verb{"view": policy.View, "run": policy.Run, "approve": policy.Approve, "cancel": policy.Cancel, "pause": policy.Steer}
	var may []policy.Verb
	for w := range strings.FieldsSeq(grants) {
		if v, ok := out[w]; ok {
			may = append(may, v)
		}
	}
	return may
}

// gates are where a run waits: an ordinary one; one of the other tier; one that asks for the role sre; one of a
// run that whoever speaks has asked for; and an ordinary one, spoken to in a channel that is shared.
func gatesInMatrix() []string { return []string{"plain", "alfa", "sre", "own", "shared"} }

// ways are how the six things are said: typed, and, where there is one, with a button; a run is viewed in its log too.
func waysInMatrix() []string {
	return []string{
		"type view", "type run", "type approve", "type deny", "type cancel", "type pause",
		"press view", "press approve", "press deny", "press cancel", "press pause", "open view",
	}
}

// cell is one question.
type cell struct {
	kind      kindOfUser
	role      roleInMatrix
	way, gate string
}

func (c cell) String() string {
	return fmt.Sprintf("%s with the role %s: %s at the gate %s", c.kind.name, c.role.name, c.way, c.gate)
}

// allowed is what is expected of a cell: the rules in words.
func (c cell) allowed() bool {
	_, what, _ := strings.Cut(c.way, " ")
	byGroup := c.kind.groups != ""
	switch {
	case !c.kind.counts: // T-15
		return false
	case c.gate == "shared": // T-15: no role names that channel
		return false
	case c.gate == "own" && what == "approve": // T-18
		return false
	case c.gate == "own" && (what == "deny" || what == "view"): // whoever asked may always look, and say no
		return true
	case byGroup && c.kind.groups == "lost":
		return false
	case !slices.Contains(strings.Fields(c.role.grants), what):
		return false
	case what == "view": // nothing bounds that
		return true
	case c.role.name == "elsewhere": // everything here is said in C1
		return false
	case c.role.name == "bravo" && c.gate == "alfa":
		return false
	case c.role.name == "few" && (what == "run" || what == "approve"): // the runs have two nodes
		return false
	case c.gate == "sre" && what == "approve":
		return c.role.name == "sre"
	}
	return true
}

func TestAccess_everyCellIsAsTheTablesSay(t *testing.T) {
	t.Parallel()
	var cells, yes atomic.Int64
	t.Run("kinds", func(t *testing.T) {
		t.Parallel()
		for _, kind := range kindsOfUsers() {
			t.Run(kind.name, func(t *testing.T) {
				t.Parallel()
				n, allowed := playKind(t, kind)
				cells.Add(int64(n))
				yes.Add(int64(allowed))
			})
		}
	})
	t.Cleanup(func() { // after the parallel tests below
		t.Logf("%d cells, %d of them allowed", cells.Load(), yes.Load())
		if cells.Load() < 500 || yes.Load() < 100 {
			t.Errorf("%d cells, %d allowed: the matrix is not played", cells.Load(), yes.Load())
		}
	})
}

// playKind plays the cells of one kind of user on a stage of its own.
func playKind(t *testing.T, kind kindOfUser) (cells, allowed int) {
	t.Helper()
	var m *matrix
	onStage(t, func(s *stage) {
		m = newMatrix(s, kind)
		for _, role := range rolesInMatrix() {
			if !kind.all && !role.telling {
				continue
			}
			for _, gate := range gatesInMatrix() {
				for _, way := range waysInMatrix() {
					if gate == "own" && way == "type run" {
						continue // it is about no gate
					}
					c := cell{kind, role, way, gate}
					cells++
					got, said := m.play(c)
					if want := c.allowed(); got != want {
						s.tb.Errorf("%s: it happened: %v, want %v; the answer was\n%s", c, got, want, said)
					} else if want {
						allowed++
					}
				}
			}
		}
		m.end()
	}, matrixSettings(kind)...)
	return cells, allowed
}

// idOf is a person for each role, so that none has two.
func idOf(role roleInMatrix) string { return "UX" + strings.ToUpper(role.name) }

func matrixSettings(kind kindOfUser) []setting {
	var groups []workspace.Group
	rules := policy.Rules{Expires: 240 * time.Hour, Roles: []policy.Role{
		{Name: "requester", Members: []string{"URITA"}, May: []policy.Verb{policy.Run}, Playbooks: []string{"*"}},
		{Name: "owner", May: []policy.Verb{policy.Run}, Playbooks: []string{"own"}}, // each has asked for a run of it
		{Name: "root", Members: []string{"root"}, May: []policy.Verb{policy.Cancel, policy.Steer}, Playbooks: []string{"*"}},
	}}
	users := []workspace.User{{ID: "URITA", Name: "rita"}}
	for _, r := range rolesInMatrix() {
		id := idOf(r)
		users = append(users, workspace.User{ID: id, Name: strings.ToLower(id)})
		rules.Roles[1].Members = append(rules.Roles[1].Members, id)
		role := policy.Role{Name: r.name, May: verbsOf(r.grants), Playbooks: []string{"*"}}
		if kind.groups == "" {
			role.Members = []string{id}
		} else {
			group := "S0" + strings.ToUpper(r.name)
			role.Groups = []string{group}
			groups = append(groups, workspace.Group{ID: group, Handle: r.name, Name: r.name, Users: []string{id}})
		}
		if r.bound != nil {
			r.bound(&role)
		}
		if r.grants != "" {
			rules.Roles = append(rules.Roles, role)
		}
	}
	law, err := policy.New(rules)
	if err != nil {
		panic(err)
	}
	return []setting{{
		idle: true,
		workspace: func(o *workspace.Options) {
			o.Strict, o.Users, o.Groups = false, users, groups
			var ids []string
			for _, u := range users {
				ids = append(ids, u.ID)
			}
			o.Channels = []workspace.Channel{
				{ID: "C1", Name: "deploys", Members: append([]string{"UBOT"}, ids...)},
				{ID: "CX", Name: "partners", Shared: true, Members: append([]string{"UBOT"}, ids...)},
				{ID: "C2", Name: "ops", Members: ids},
				{ID: "C3", Name: "random", Members: ids},
			}
		},
		engine: func(o *engine.Options) { o.Policy = law },
		bot:    func(o *Options) { o.Groups = law.Groups() },
	}}
}

// matrix is a stage on which runs wait at gates.
type matrix struct {
	*stage
	kind kindOfUser
	say  Commands
	keys int
	open map[string]engine.RunID // by gate; that of "own" by role too
}

const matrixBook = `
inputs: {tier: {type: String, default: bravo}}
leases: none # many runs wait at once
nodes: {web: {type: list, nodes: [n1, n2]}}
tasks:
  - do: {name: look}
  - do: {name: drain, nodes: "{{ nodes.web }}", destructive: true}
`

func newMatrix(s *stage, kind kindOfUser) *matrix {
	s.tb.Helper()
	for _, name := range []string{"web", "own"} {
		s.book(name, matrixBook)
	}
	s.book("web_sre", matrixBook+"approval: {from: [sre]}\n")
	b := s.build()
	s.mu.Lock()
	s.bot = b
	s.mu.Unlock()
	m := &matrix{stage: s, kind: kind, say: b.opts.Commands, open: map[string]engine.RunID{}}
	if err := b.Vouch(s.tb.Context(), engine.Actor{Team: "T1", User: "URITA"}); err != nil { // looks the groups up, as Run does
		s.tb.Fatal(err)
	}
	for _, gate := range []string{"plain", "alfa", "sre", "shared"} {
		m.waiting(gate, roleInMatrix{})
	}
	for _, r := range rolesInMatrix() {
		m.waiting("own", r)
	}
	m.become()
	return m
}

// become makes the members what they are in this part of the matrix, and lets every look-up grow old.
func (m *matrix) become() {
	for _, r := range rolesInMatrix() {
		u := m.kind.user
		u.ID, u.Name = idOf(r), strings.ToLower(idOf(r))
		m.ws.SetUser(u)
	}
	if m.kind.fault != "" {
		m.ws.FailNext("users.info", m.kind.fault, 1<<30)
	}
	if m.kind.groups == "lost" {
		m.ws.FailNext("usergroups.users.list", "subteams_broken", 1<<30) // none that is tried again, which only takes longer
	}
	time.Sleep(2 * groupAge)
	if m.kind.groups == "in" {
		m.refreshGroups()
	}
}

func (m *matrix) refreshGroups() {
	m.tb.Helper()
	for _, g := range m.current().directory.groups {
		if _, err := m.current().directory.lookUp(m.tb.Context(), g, 0); err != nil {
			m.tb.Fatal(err)
		}
	}
}

func (m *matrix) key() string { m.keys++; return fmt.Sprint("cell/", m.keys) }

// who speaks, and from where.
func (m *matrix) who(c cell) engine.Actor {
	a := engine.Actor{Team: "T1", User: idOf(c.role), Name: strings.ToLower(idOf(c.role)), Channel: "C1"}
	if c.kind.team != "" {
		a.Team = c.kind.team
	}
	if c.gate == "shared" {
		a.Channel = "CX"
	}
	return a
}

// waiting is the run that waits at a gate; another one when something has happened to the last.
func (m *matrix) waiting(gate string, role roleInMatrix) *engine.Run {
	m.tb.Helper()
	slot := gate
	if gate == "own" {
		slot += " of " + role.name
	}
	if id, ok := m.open[slot]; ok {
		run := m.load(id)
		if run.Pending() != nil && run.Pending().Number == 1 && len(run.Pending().Given) == 0 && run.Cancel == nil && run.Paused() == nil {
			return run
		}
		m.stopRun(run)
	}
	q := engine.StartRequest{Key: m.key(), Actor: engine.Actor{Team: "T1", User: "URITA", Name: "rita", Channel: "C1"}, Playbook: "web", Inputs: map[string]any{"tier": "bravo"}}
	switch gate {
	case "alfa":
		q.Inputs["tier"] = "alfa"
	case "sre":
		q.Playbook = "web_sre"
	case "own":
		q.Playbook = "own"
		q.Actor = engine.Actor{Team: "T1", User: idOf(role), Name: strings.ToLower(idOf(role)), Channel: "C1"}
	}
	id, err := m.Engine.Start(m.tb.Context(), q)
	if err != nil {
		m.tb.Fatal(err)
	}
	m.open[slot] = id
	m.until("the run for "+slot+" waits at its gate", func() bool { return m.load(id).Pending() != nil || !m.load(id).Ended.IsZero() })
	run := m.load(id)
	if run.Pending() == nil {
		m.tb.Fatalf("the run for %s waits at no gate: it is %s: %s", slot, run.Status, run.Message)
	}
	return run
}

func (m *matrix) load(id engine.RunID) *engine.Run {
	m.tb.Helper()
	run, err := m.Engine.Load(m.tb.Context(), id)
	if err != nil {
		m.tb.Fatal(err)
	}
	return run
}

// stopRun ends a run from the terminal, which Slack has no say in.
func (m *matrix) stopRun(run *engine.Run) {
	m.tb.Helper()
	if !run.Ended.IsZero() {
		return
	}
	if err := m.Engine.Cancel(m.tb.Context(), run.ID, engine.Actor{User: "root"}, ""); err != nil && engine.CodeOf(err) != engine.CodeConflict {
		m.tb.Fatal(err)
	}
	if _, err := m.Engine.Wait(m.tb.Context(), run.ID); err != nil {
		m.tb.Fatal(err)
	}
}

func (m *matrix) end() {
	for _, id := range m.open {
		m.stopRun(m.load(id))
	}
}

// play says something, and reports whether it happened.
func (m *matrix) play(c cell) (happened bool, said string) {
	m.tb.Helper()
	run := m.waiting(c.gate, c.role)
	how, what, _ := strings.Cut(c.way, " ")
	before := m.Script.Calls("look") + m.Script.Calls("drain")
	var r commands.Reply
	if how == "open" {
		l, err := m.say.Log(m.tb.Context(), m.who(c), commands.LogPlace{Run: run.ID})
		return err == nil && strings.Contains(l.Title, run.ID.Short()), fmt.Sprint(l, err)
	}
	if how == "type" {
		r = m.say.Say(m.tb.Context(), commands.Request{Key: m.key(), Actor: m.who(c), Origin: engine.OriginTyped, Text: line(c, run)})
	} else {
		r = m.say.Press(m.tb.Context(), press(c, run, m.key(), m.who(c)))
	}
	synctest.Wait()
	said = r.Text()
	now := m.load(run.ID)
	switch what {
	case "view":
		return r.Code == "" && strings.Contains(said, run.ID.Short()), said
	case "run":
		happened = m.Script.Calls("look")+m.Script.Calls("drain") > before
		if r.Run != "" && r.Run != run.ID {
			m.stopRun(m.load(r.Run))
		}
		return happened, said
	case "approve":
		return m.Script.Calls("drain") > 0 && m.Script.Calls("look")+m.Script.Calls("drain") > before, said
	case "deny":
		return now.Approvals[0].State == engine.ApprovalRefused, said
	case "cancel":
		return now.Cancel != nil, said
	case "pause":
		return now.Paused() != nil, said
	}
	m.tb.Fatalf("nobody looks whether %s happened", what)
	return false, ""
}

func line(c cell, run *engine.Run) string {
	switch _, what, _ := strings.Cut(c.way, " "); what {
	case "view":
		return "status " + run.ID.Short()
	case "run":
		return fmt.Sprintf("run %s tier=%v", run.Requested.Playbook.Name, run.Requested.Inputs["tier"])
	case "deny":
		return "deny " + run.ID.Short() + " not today"
	default:
		return what + " " + run.ID.Short()
	}
}

// press is a button as the thread shows it, with the value that it carries.
func press(c cell, run *engine.Run, key string, who engine.Actor) commands.Press {
	_, what, _ := strings.Cut(c.way, " ")
	actions := map[string]commands.Action{
		"view": commands.ActionShow, "approve": commands.ActionApprove, "deny": commands.ActionDeny, "cancel": commands.ActionCancel, "pause": commands.ActionPause,
	}
	shown := slices.Concat(commands.ApprovalButtons(run.ID, run.Pending()), commands.CardButtons(run), []commands.Button{commands.ShowButton(run.ID)})
	i := slices.IndexFunc(shown, func(b commands.Button) bool { return b.Action == actions[what] })
	return commands.Press{Key: key, Actor: who, Action: shown[i].Action, Value: shown[i].Value, Reason: "not today"}
}

package realfleettest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
	"github.com/playbot/playbot/engine/enginetest"
)

// patience is how long a silent node is waited for: long for a busy machine.
const patience = 10 * time.Second

// Upgrade plays the example web_upgrade on real servers: with all of them well, with one that fails,
// that is silent, that has too old an agent, and that is not there. It holds the end of each run
// against what the nodes know of themselves: their state, and their audit logs.
func Upgrade(t *testing.T, kit realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(t, kit, mode)
		})
	}
}

func (s story) play(t *testing.T, kit realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	nodes := fleet()
	if s.change != nil {
		s.change(nodes)
	}
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: nodes, Kit: kit, Privileged: true})
	if s.prepare != nil {
		s.prepare(t, f)
	}
	ddls, err := ddl.Load(kit.DDLs)
	if err != nil {
		t.Fatal(err)
	}
	ddls.Newest("appmgr").Timeout = patience
	w := newWorld(t, f, nodes, ddls, patience)
	run := w.house.Finish(w.house.Start("web_upgrade", map[string]any{"tier": "bravo", "rev": "abc"}))
	if got := plain(enginetest.Transcript(run)); got != s.run {
		t.Errorf("the run was\n%s\nwant\n%s", got, s.run)
	}
	if got := upgradeOf(run); got != s.upgrade {
		t.Errorf("the upgrade was %s; want %s", got, s.upgrade)
	}
	for _, n := range nodes {
		name := plain(n.Name)
		got := node{stateOf(f.State(t, n.Name)), askedOf(f.Audit(t, n.Name))}
		if want := s.nodes[name]; got != want {
			t.Errorf("%s is %s, and was asked %s\nwant %s, and %s", name, got.state, got.asked, want.state, want.asked)
		}
	}
	for _, n := range nodes {
		namesThePerson(t, f, n.Name, run)
	}
	s.heard(t, w)
}

// namesThePerson holds the log and the audit log of a node against who started the run and which run
// it is. What only looks at the node before the run begins is asked in the name of the bot.
func namesThePerson(t *testing.T, f *realfleet.Fleet, node string, run *engine.Run) {
	t.Helper()
	person, bot := "slack=T1.UANA", "choria="+f.Identity
	runs := []string{strings.ToLower(string(run.ID))}
	if handler := run.Steps["on_fail.3"]; handler != nil {
		runs = append(runs, strings.ToLower(string(handler.Last().Outcome.Result.Child)))
	}
	log := f.Log(t, node)
	for _, a := range f.Audit(t, node) {
		want := person
		if a.Agent == "rpcutil" {
			want = bot
		} else if !slices.ContainsFunc(runs, func(id string) bool { return strings.HasPrefix(a.RequestID, id) }) {
			t.Errorf("%s audits %s.%s as request %s, want one of run %q", node, a.Agent, a.Action, a.RequestID, runs)
		}
		if a.Caller != want || a.Sender != f.Identity {
			t.Errorf("%s audits %s.%s by %s from %s, want %s from %s", node, a.Agent, a.Action, a.Caller, a.Sender, want, f.Identity)
		}
		line := fmt.Sprintf("Handling message %s for %s#%s from %s\"", a.RequestID, a.Agent, a.Action, want)
		if !strings.Contains(log, line) {
			t.Errorf("the log of %s has no %s:\n%s", node, line, log)
		}
	}
}

// heard looks at what was said outside.
func (s story) heard(t *testing.T, w *world) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	last := ""
	if n := len(w.posted); n > 0 {
		last = plain(w.posted[n-1])
	}
	if !strings.HasPrefix(last, s.posted) || s.posted == "" && last != "" {
		t.Errorf("the ops room was told %q last, want %q", last, s.posted)
	}
	hooked := strings.Join(w.hooked, "\n")
	if s.hooked == "" && hooked != "" || s.hooked != "" && !strings.Contains(hooked, `"outcome":"`+s.hooked+`"`) {
		t.Errorf("the end point was told %q, want the outcome %q", hooked, s.hooked)
	}
}

// plain is a text without the domain of the nodes.
func plain(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, suffix, ""))
}

// upgradeOf is what became of each node in the task that upgrades them.
func upgradeOf(run *engine.Run) string {
	step := run.Steps["tasks.4"]
	if step == nil {
		return ""
	}
	r := step.Last().Outcome.Result
	list := func(nodes []string) string { return plain(strings.Join(nodes, " ")) }
	return fmt.Sprintf("ok %s, failed %s, silent %s", list(r.OKNodes), list(r.FailedNodes), list(r.SilentNodes))
}

// stateOf is what a node is like, in one line.
func stateOf(s webagents.State) string {
	out := "puppet on"
	if s.PuppetOff {
		out = "puppet off (" + s.PuppetReason + ")"
	}
	out += ", runs " + s.Running()
	switch {
	case s.Upgrades == 1:
		out += ", upgraded once"
	case s.Upgrades > 1:
		out += fmt.Sprintf(", upgraded %d times", s.Upgrades)
	}
	if len(s.Drained) > 0 {
		out += ", drained " + plain(strings.Join(s.Drained, " "))
	}
	return out
}

// askedOf lists the actions of an audit log. One that comes several times in a row is there once, with
// a number.
func askedOf(log []realfleet.Audited) string {
	var out []string
	for i := 0; i < len(log); {
		n := i + 1
		for n < len(log) && log[n].Agent == log[i].Agent && log[n].Action == log[i].Action {
			n++
		}
		text := log[i].Agent + "." + log[i].Action
		if n-i > 1 {
			text += fmt.Sprintf("×%d", n-i)
		}
		out = append(out, text)
		i = n
	}
	return strings.Join(out, " ")
}

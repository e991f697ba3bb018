package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/datastores/file"
	"github.com/playbot/playbot/playbooks"
)

// situation is a row of the acceptance matrix of web_upgrade (reference: choria-playbooks.md 13.2).
type situation struct {
	name      string
	tier      string                       // default bravo
	change    func(*app.LocalOptions)      // before the world starts
	configure func(*testing.T, *app.Local) // before playbot starts
	decide    string                       // what ben presses at the gate: approve, deny; empty: nobody presses
	gated     bool                         // the gate is reached

	refused  string // the answer to the command when no run starts
	executed string
	status   engine.RunStatus
	message  []string                 // parts of the run's last word
	after    func(*testing.T, *world) // what must be true of the fleet and of other runs
}

const (
	allTasks  = "pre_book.1, tasks.1, tasks.2, tasks.3, tasks.4, tasks.5, tasks.6, tasks.7, tasks.8, tasks.9"
	succeeded = ", on_success.1, on_success.2"
	failing   = ", on_fail.1, on_fail.2, on_fail.3"
	leftOver  = ", always.2"
)

func TestWebUpgrade_meetsTheAcceptanceMatrix(t *testing.T) {
	t.Parallel()
	for _, row := range matrix() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.play(t)
		})
	}
}

func matrix() []situation {
	return append(beforeTheFirstTask(), append(afterTheGate(), atTheGate()...)...)
}

func beforeTheFirstTask() []situation {
	return []situation{
		{name: "tier gamma", tier: "gamma", refused: "tier", after: untouched},
		{
			name: "lock held", configure: holdTheLock, status: engine.RunFailed, after: untouched,
			message: []string{"coordination/deploy/bravo", "held by r-"},
		},
		{
			name: "agent version too old on one node", status: engine.RunFailed, after: untouched,
			change:  func(o *app.LocalOptions) { o.Nodes[5].Agents = oldAppmgr() },
			message: []string{"web4.example.net", "appmgr", "2.0.9", "^2.1.0"},
		},
		{
			name: "one web server unreachable", status: engine.RunFailed, after: untouched,
			configure: fault(fleetsim.Fault{Node: "web5.example.net", Kind: fleetsim.Silent}),
			message:   []string{"connectivity test", "web5.example.net"},
		},
	}
}

func afterTheGate() []situation {
	upgradeFails := fault(fleetsim.Fault{Node: "web6.example.net", Action: "appmgr.upgrade", Kind: fleetsim.Fail, Message: "no such package"})
	return []situation{
		{name: "all good", gated: true, decide: "approve", executed: allTasks + succeeded, status: engine.RunSuccess, after: upgraded},
		{
			name: "NRPE green on the third check", gated: true, decide: "approve", status: engine.RunSuccess, after: upgraded,
			change:   func(o *app.LocalOptions) { o.RedChecks = 2 },
			executed: strings.Replace(allTasks, "tasks.5", "tasks.5 ×03", 1) + succeeded,
		},
		{
			name: "NRPE never green", gated: true, decide: "approve", status: engine.RunFailed, after: drained,
			change:   func(o *app.LocalOptions) { o.RedChecks = -1 },
			executed: "pre_book.1, tasks.1, tasks.2, tasks.3, tasks.4, tasks.5 ×10 failed" + failing + leftOver,
			message:  []string{"5 Load average must be GREEN"},
		},
		{
			name: "upgrade fails on 1 of N nodes", gated: true, decide: "approve", status: engine.RunFailed, after: drained,
			configure: upgradeFails, message: []string{"4 Upgrade the application", "web6.example.net"},
			executed: "pre_book.1, tasks.1, tasks.2, tasks.3, tasks.4 failed" + failing + leftOver,
		},
		{
			name: "webhook down during on_fail", gated: true, decide: "approve", status: engine.RunFailed, after: drained,
			change: webhookDown, configure: upgradeFails,
			executed: "pre_book.1, tasks.1, tasks.2, tasks.3, tasks.4 failed, on_fail.1 tolerated, on_fail.2, on_fail.3" + leftOver,
		},
		{
			name: "handler book fails", gated: true, decide: "approve", status: engine.RunFailed, after: handlerFailed,
			configure: func(t *testing.T, l *app.Local) {
				t.Helper()
				upgradeFails(t, l)
				edit(t, l, "deploy_failure_handler", "command: 'echo", "command: 'false; exit 3; echo")
			},
			executed: "pre_book.1, tasks.1, tasks.2, tasks.3, tasks.4 failed, on_fail.1, on_fail.2, on_fail.3 tolerated" + leftOver,
		},
		{
			name: "success webhook down", gated: true, decide: "approve", status: engine.RunSuccess, after: upgraded,
			change: webhookDown, executed: allTasks + ", on_success.1 tolerated, on_success.2",
		},
	}
}

func atTheGate() []situation {
	closed := "pre_book.1, tasks.1, tasks.2, tasks.3 denied" + failing + ", always.1, always.2"
	return []situation{
		{
			name: "gate denied", gated: true, decide: "deny", executed: closed, status: engine.RunFailed, after: puppetBack,
			message: []string{"denied by ben"},
		},
		{
			name: "gate expired", gated: true, executed: closed, status: engine.RunFailed, after: puppetBack,
			configure: func(_ *testing.T, l *app.Local) { l.Config.Policy.ApprovalExpires = time.Second },
			message:   []string{"nobody approved"},
		},
	}
}

func (s situation) play(t *testing.T) {
	t.Helper()
	w := newWorld(t, s.change, func(l *app.Local) {
		if s.configure != nil {
			s.configure(t, l)
		}
	})
	if s.tier == "" {
		s.tier = "bravo"
	}
	answer := w.say("ana", "/playbook run web_upgrade tier="+s.tier+" rev=abc")
	if s.refused != "" {
		if form := w.form("ana"); answer != "" || !strings.Contains(form, "⚠️") || !strings.Contains(form, s.refused) {
			t.Errorf("the answer is %q, and the form %q, want a form that complains about %q", answer, form, s.refused)
		}
		if run := w.newest("web_upgrade"); run != nil {
			t.Errorf("run %s was started", run.ID.Short())
		}
		s.after(t, w)
		return
	}
	if s.gated {
		gate := w.gate()
		if s.decide != "" {
			w.click("ben", gate, s.decide)
		}
		if s.decide == "deny" {
			w.form("ben")
			w.fill("ben", "f.reason", "not tonight")
		}
	}
	run := w.newest("web_upgrade")
	s.check(t, run)
	s.checkHook(t, w)
	s.after(t, w)
}

func (s situation) check(t *testing.T, run *engine.Run) {
	t.Helper()
	// How often a puppet run is looked at depends on the clock; that it took more than one look does not.
	got := executed(run)
	if step := run.Steps["tasks.2"]; step != nil && len(step.Attempts) > 1 {
		got = strings.Replace(got, fmt.Sprintf("tasks.2 ×%02d", len(step.Attempts)), "tasks.2", 1)
	}
	if got != s.executed {
		t.Errorf("executed\n  %s\nwant\n  %s", got, s.executed)
	}
	if run.Status != s.status {
		t.Errorf("the run is %s, want %s (%s)", run.Status, s.status, run.Message)
	}
	for _, part := range s.message {
		if !strings.Contains(run.Message, part) {
			t.Errorf("the run says %q, which does not name %q", run.Message, part)
		}
	}
	if len(run.Locks) > 0 && !run.LocksReleased {
		t.Error("the locks were not released")
	}
}

// checkHook wants Lambda to hear of the outcome once, with the inputs; a run that did not begin tells nobody,
// and neither does one whose webhook is down.
func (s situation) checkHook(t *testing.T, w *world) {
	t.Helper()
	got := w.Hooks.Bodies()
	if !s.gated || strings.Contains(s.executed, "tolerated, on_success.2") || strings.Contains(s.executed, "on_fail.1 tolerated") {
		if len(got) > 0 {
			t.Errorf("Lambda heard %q, want nothing", got)
		}
		return
	}
	want := map[engine.RunStatus]string{engine.RunSuccess: "success", engine.RunFailed: "failure"}[s.status]
	if len(got) != 1 {
		t.Fatalf("Lambda heard %q, want one outcome", got)
	}
	for _, part := range []string{`"outcome":"` + want + `"`, `"tier":"bravo"`, `"revision":"abc"`} {
		if !strings.Contains(got[0], part) {
			t.Errorf("Lambda heard %s, which lacks %s", got[0], part)
		}
	}
}

func fault(f fleetsim.Fault) func(*testing.T, *app.Local) {
	return func(_ *testing.T, l *app.Local) { l.Fleet.Fault(f) }
}

func oldAppmgr() map[string]string {
	agents := fleetsim.Agents()
	agents["appmgr"] = "2.0.9"
	return agents
}

func webhookDown(o *app.LocalOptions) { o.Settings["lambda_url"] = "http://127.0.0.1:9/deploys" }

// holdTheLock is another run that holds the lock of the tier. The playbook waits 300 s for it; one
// second says the same.
func holdTheLock(t *testing.T, l *app.Local) {
	t.Helper()
	edit(t, l, "web_upgrade", "timeout: 300", "timeout: 1")
	store, err := file.Type(l.Config.DataDir).Decode(playbooks.FromMap(map[string]any{
		"file": "coordination.yaml", "format": "yaml", "create": true,
	}))
	if err != nil {
		t.Fatal(err)
	}
	other := engine.Holder{Run: engine.NewRunID(time.Now()), Who: "somebody", Since: time.Now()}
	if _, err := store.(engine.Locker).Lock(t.Context(), "deploy/bravo", other, nil); err != nil {
		t.Fatal(err)
	}
}

// fleetIs holds the fleet against what is wanted of its bravo nodes; the alfa nodes are never touched.
func fleetIs(t *testing.T, w *world, revision string, puppet, inPool bool) {
	t.Helper()
	for _, n := range w.Fleet.Nodes() {
		s := w.Fleet.Node(n.Name)
		switch n.Facts["tier"] {
		case "alfa":
			if s.Revision != "1.0.0" || !s.PuppetEnabled {
				t.Errorf("%s of the other tier was touched: %+v", n.Name, s)
			}
		case "bravo":
			if s.Revision != revision || s.PuppetEnabled != puppet {
				t.Errorf("%s has revision %s, puppet enabled %v; want %s, %v", n.Name, s.Revision, s.PuppetEnabled, revision, puppet)
			}
		default:
			if (len(s.Drained) == 0) != inPool {
				t.Errorf("%s keeps out %v, want in pool %v", n.Name, s.Drained, inPool)
			}
		}
	}
}

func untouched(t *testing.T, w *world) {
	t.Helper()
	fleetIs(t, w, "1.0.0", true, true)
	for _, c := range w.Fleet.Calls() {
		if c.Agent != "rpcutil" {
			t.Errorf("%s.%s reached %s", c.Agent, c.Action, c.Node)
		}
	}
}

func upgraded(t *testing.T, w *world) {
	t.Helper()
	fleetIs(t, w, "abc", true, true)
}

// puppetBack is a fleet of which nothing was drained and nothing upgraded.
func puppetBack(t *testing.T, w *world) {
	t.Helper()
	fleetIs(t, w, "1.0.0", true, true)
	for _, action := range []string{"haproxy.disable", "appmgr.upgrade"} {
		if n := w.Fleet.Count("", action); n > 0 {
			t.Errorf("%s reached nodes %d times", action, n)
		}
	}
	handled(t, w, engine.RunSuccess)
}

// drained is a tier that stays out of the pool for a person to look at.
func drained(t *testing.T, w *world) {
	t.Helper()
	for _, lb := range []string{"lb1.example.net", "lb2.example.net"} {
		if got := w.Fleet.Node(lb).Drained; len(got) != 3 {
			t.Errorf("%s keeps out %v, want the three bravo nodes", lb, got)
		}
	}
	if n := w.Fleet.Count("", "haproxy.enable"); n > 0 {
		t.Errorf("haproxy.enable reached nodes %d times; a tier that is not checked stays out", n)
	}
	handled(t, w, engine.RunSuccess)
}

func handlerFailed(t *testing.T, w *world) {
	t.Helper()
	handled(t, w, engine.RunFailed)
}

// handled looks at the run of the failure handler: same inputs, linked both ways.
func handled(t *testing.T, w *world, status engine.RunStatus) {
	t.Helper()
	parent, child := w.newest("web_upgrade"), w.newest("deploy_failure_handler")
	if child == nil {
		t.Fatal("the failure handler did not run")
	}
	if child.Status != status {
		t.Errorf("the failure handler is %s, want %s: %s", child.Status, status, child.Message)
	}
	for _, name := range []string{"tier", "rev", "backend"} {
		if got, want := child.Requested.Inputs[name], parent.Requested.Inputs[name]; got != want || got == nil {
			t.Errorf("the failure handler has %s %v, want %v", name, got, want)
		}
	}
	if child.Requested.Parent == nil || child.Requested.Parent.Run != parent.ID {
		t.Errorf("the failure handler was started by %+v, want %s", child.Requested.Parent, parent.ID)
	}
	if got := parent.Steps["on_fail.3"].Last().Outcome.Result.Child; got != child.ID {
		t.Errorf("the parent started %s, want %s", got, child.ID)
	}
}

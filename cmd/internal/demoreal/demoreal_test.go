package demoreal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programs of ours, built once for all tests.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "playbot-demo-real-bin-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if out, err := exec.Command("go", "build", "-o", dir, "./cmd/...").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build the programs: %v\n%s", err, out)
			return 1
		}
		bin = dir
		return m.Run()
	}())
}

// playTime is for a busy machine.
const playTime = 8 * time.Minute

// play plays a scenario. The error is that of the report: what does not hold.
func play(t *testing.T, w *World, s Scenario) (*Report, error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), playTime, fmt.Errorf("the play took more than %v", playTime))
	defer cancel()
	r, err := w.Play(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests sent, %d failed", r.Traffic.Sent, r.Traffic.Failed)
	return r, r.Check()
}

// TestWebUpgrade_onRealThings plays its scenarios in one world, one after the other: a PuppetDB takes long
// to start.
func TestWebUpgrade_onRealThings(t *testing.T) {
	t.Parallel()
	thread := &strings.Builder{}
	w, err := Start(t.Context(), Options{Bin: bin, Out: thread})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the threads as people saw them:\n%s", thread)
		}
	})
	noRequestFails(t, w, thread)
	// One load balancer is forgotten and goes on sending requests to the tier: what fails is seen.
	_, err = play(t, w, Scenario{Tier: "alfa", Revision: LastRevision, Edits: []string{
		`title = "Roles::Haproxy" } order by certname }`, `title = "Roles::Haproxy" } order by certname limit 1 }`,
	}})
	if err == nil || !strings.Contains(err.Error(), "requests failed") {
		t.Errorf("with a forgotten load balancer: got %v, want the requests that failed", err)
	}
	// A red check leaves the tier out of the load balancers, where no request meets it.
	if _, err := play(t, w, Scenario{Tier: "bravo", Revision: BrokenRevision, Fails: true}); err != nil {
		t.Errorf("with a broken release: %v", err)
	}
}

func noRequestFails(t *testing.T, w *World, thread fmt.Stringer) {
	t.Helper()
	r, err := play(t, w, Scenario{Tier: "bravo", Revision: NextRevision})
	if err != nil {
		t.Error(err)
	}
	printed := &strings.Builder{}
	r.Print(printed)
	for _, want := range []string{
		"web1.example.net  alfa   1.0.0   1.0.0  OK    UP", "web2.example.net  bravo  1.0.0   1.1.0  OK    UP", " 0 failed.",
		"slack=T0PLAYBOT.U0ANA  haproxy.disable on 2 machines", "slack=T0PLAYBOT.U0ANA  appmgr.upgrade on 3 machines",
		"administratively disabled (Reason: 'web_upgrade: moving to 1.1.0')",
	} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, printed)
		}
	}
	for _, want := range []string{
		"/playbook run web_upgrade tier=bravo rev=1.1.0", "refused: you asked for this run", "Approved by @ben",
		"5 The application must be GREEN", "web_upgrade — success",
	} {
		if !strings.Contains(thread.String(), want) {
			t.Errorf("the thread lacks %q", want)
		}
	}
	holdReadme(t, thread.String()+printed.String())
}

// TestPuppetLock_isThatOfTheRealAgent holds the lock file of our agent against puppet's own, and puppet's
// reading of it.
func TestPuppetLock_isThatOfTheRealAgent(t *testing.T) {
	t.Parallel()
	const message = `moving to <1.1.0> & "more", it's é`
	own := &machine{name: "web1.example.net", dir: t.TempDir()}
	if err := makePuppet(own); err != nil {
		t.Fatal(err)
	}
	ask(t, own, "puppet", "disable", map[string]any{"message": message}, "")
	says, err := own.puppetSays(t.Context())
	if err != nil || !strings.HasPrefix(says, disabled) || !strings.Contains(says, message) {
		t.Errorf("puppet says %q, %v; want that it is disabled with the message", says, err)
	}
	real := &machine{name: "web1.example.net", dir: t.TempDir()}
	if err := makePuppet(real); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(puppetBin, "agent", "--disable", message, "--statedir", real.stateDir(), "--vardir", real.path("puppet", "var"), "--confdir", real.path("puppet", "conf"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(real.stateDir(), "agent_disabled.lock"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(own.stateDir(), "agent_disabled.lock"))
	if err != nil || string(got) != string(want) {
		t.Errorf("our lock is %q, %v; puppet's is %q", got, err, want)
	}
	ask(t, own, "puppet", "disable", map[string]any{"message": "again"}, "already disabled")
	ask(t, own, "puppet", "enable", nil, "")
	ask(t, own, "puppet", "enable", nil, "already enabled")
	if says, err := own.puppetSays(t.Context()); err != nil || strings.HasPrefix(says, disabled) {
		t.Errorf("enabled, puppet says %q, %v", says, err)
	}
}

package daemon_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shell(script string) daemon.Command {
	return daemon.Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", script}}
}

func TestStop_endsADaemonAndIsNoHurryTwice(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 1)
	c := shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	c.Line = func(line string) {
		if line == "ready" {
			heard <- line
		}
	}
	p, err := daemon.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	<-heard // the trap is set
	if err := p.Err(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	for range 2 {
		p.Stop()
	}
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "bye") || !strings.Contains(err.Error(), "the shell ended") {
		t.Errorf("got %v, want its name and what it said last", err)
	}
}

// TestStop_leavesNobodyOfTheGroupWhenItsLeaderHasEnded: the leader leaves a child behind, which would write to a pipe
// later. The pipe ends when nobody holds it any more.
func TestStop_leavesNobodyOfTheGroupWhenItsLeaderHasEnded(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := daemon.Start(t.Context(), shell("exec 3>"+pipe+"; (sleep 20; echo survived >&3) >/dev/null 2>&1 & exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	<-p.Done()
	p.Stop()
	if got, err := io.ReadAll(in); err != nil || len(got) > 0 {
		t.Errorf("the child of a daemon that has ended: %q, %v", got, err)
	}
}

func TestStart_tellsWhichProgramIsNotThere(t *testing.T) {
	t.Parallel()
	_, err := daemon.Start(t.Context(), daemon.Command{Name: "Nothing", Argv: []string{"/nonexistent/program"}})
	if err == nil || !strings.Contains(err.Error(), "start Nothing: ") || !strings.Contains(err.Error(), "/nonexistent/program") {
		t.Errorf("got %v, want the name and the path", err)
	}
}

func TestRun_returnsWhatWasSaid(t *testing.T) {
	t.Parallel()
	said, err := daemon.Run(t.Context(), shell("echo out; echo err >&2"))
	if lines := strings.Split(said, "\n"); err != nil || !slices.Contains(lines, "out") || !slices.Contains(lines, "err") {
		t.Errorf("got %q, %v", said, err)
	}
	said, err = daemon.Run(t.Context(), shell("echo why; exit 3"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || said != "why" {
		t.Errorf("got %q, %v; want the status", said, err)
	}
}

func TestRun_knowsNothingOfOurEnvironment(t *testing.T) {
	t.Setenv("PLAYBOT_SECRET", "x")
	said, err := daemon.Run(t.Context(), shell("env"))
	if err != nil || strings.Contains(said, "PLAYBOT_SECRET") || !strings.Contains(said, "LANG=C.UTF-8") {
		t.Errorf("got %q, %v", said, err)
	}
}

func TestRun_endsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	c := shell("echo started; exec sleep 1000")
	c.Line = func(string) { cancel(errors.New("enough")) }
	if _, err := daemon.Run(ctx, c); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("got %v, want the cause", err)
	}
}

func TestPoll_givesUpWhenTheDaemonEnds(t *testing.T) {
	t.Parallel()
	p, err := daemon.Start(t.Context(), shell("echo no such database; exit 1"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.Poll(t.Context(), func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("got %v, want what it said", err)
	}
}

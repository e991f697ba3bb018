package shell_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
)

// grandchildren are programs that a task starts, which hold its pipe and do not listen to SIGTERM.
type grandchildren struct{ dir string }

const stubborn = `trap '' TERM
(trap '' TERM; echo $$ > %[1]s/parent; sh -c 'trap "" TERM; echo $$ > %[1]s/child; sleep 300; sleep 300') &
while ! test -s %[1]s/child; do sleep 0.01; done
echo ready > %[1]s/ready
wait; sleep 300; sleep 300`

func (g grandchildren) begin(t *testing.T) (map[string]any, <-chan struct{}) {
	t.Helper()
	t.Cleanup(g.kill)
	return map[string]any{"command": fmt.Sprintf(stubborn, g.dir)}, appears(t, filepath.Join(g.dir, "ready"))
}

// appears returns a channel that is closed when a file has content.
func appears(t *testing.T, path string) <-chan struct{} {
	t.Helper()
	begun := make(chan struct{})
	go func() {
		for t.Context().Err() == nil {
			if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
				close(begun)
				return
			}
			time.Sleep(5 * time.Millisecond) // a file of another process: there is nothing to wait on
		}
	}()
	return begun
}

// left gives the kernel a moment to carry out a kill.
func (g grandchildren) left() string {
	for end := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
		left := g.running()
		if left == "" || time.Now().After(end) {
			return left
		}
	}
}

func (g grandchildren) running() string {
	for _, name := range []string{"parent", "child"} {
		if pid := readPID(filepath.Join(g.dir, name)); alive(pid) {
			return fmt.Sprintf("the %s, process %d", name, pid)
		}
	}
	return ""
}

// kill tidies up after a test that found something left.
func (g grandchildren) kill() {
	for _, name := range []string{"parent", "child"} {
		if pid := readPID(filepath.Join(g.dir, name)); alive(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func readPID(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return 0
	}
	return pid
}

// alive reports whether a process runs; one that is dead and waits for its parent to look does not.
func alive(pid int) bool {
	if pid == 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestShell_programThatListensMayTidyUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := appears(t, dir+"/ready")
	go func() {
		<-begun
		cancel(engine.Errorf(engine.CodeTimeout, "timed out after 1s"))
	}()
	script := fmt.Sprintf("trap 'echo tidied; exit 1' TERM; echo y > %s/ready; while :; do sleep 0.01; done", dir)
	result, _, err := runContext(t, ctx, command(script))
	if engine.CodeOf(err) != engine.CodeTimeout || !strings.Contains(printed(result), "tidied") {
		t.Errorf("got %q, %v", printed(result), err)
	}
}

func TestShell_daemonThatHoldsThePipeDoesNotHoldTheTask(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	began := time.Now()
	result, _, err := run(t, command(fmt.Sprintf("echo started; sleep 300 & echo $! > %s/child", dir)))
	if err != nil || !strings.Contains(result.Message, "was stopped: started") {
		t.Errorf("got %q, %v", result.Message, err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if left := (grandchildren{dir}).left(); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

func TestShell_isNotStartedWhenItIsCutOffBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "touched")
	if _, _, err := runContext(t, ctx, command("echo x > "+path)); err == nil {
		t.Error("it is a success")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the program ran")
	}
}

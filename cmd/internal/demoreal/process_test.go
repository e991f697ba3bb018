package demoreal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestDemo_leavesNothingBehind ends the program in the middle, as Ctrl-C does and as nothing can be
// prepared for, and looks for what it had started.
func TestDemo_leavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		signal syscall.Signal
		folder bool // may be left
	}{
		"Ctrl-C":  {os.Interrupt.(syscall.Signal), false},
		"kill -9": {syscall.SIGKILL, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeoutCause(t.Context(), playTime, errors.New("nothing happened for too long"))
			defer cancel()
			tmp, err := os.MkdirTemp("", "pb-") //nolint:usetesting // a path that is short enough for sockets
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(tmp) })
			if err := os.Chmod(tmp, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(bin, "demoreal"))
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			var children []child
			err = until(ctx, "HAProxy, Java and all others to run", func(context.Context) error {
				select {
				case err := <-ended:
					t.Fatalf("it ended: %v\n%s", err, &out)
				default:
				}
				children = descendants(t, cmd.Process.Pid)
				for _, program := range []string{"haproxy", "java", "postgres", "nrpe", "webapp"} {
					if !has(children, program) {
						return fmt.Errorf("no %s among %v", program, children)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if err := cmd.Process.Signal(row.signal); err != nil {
				t.Error(err)
			}
			if err := <-ended; err == nil {
				t.Error("it ended as if all were well")
			}
			err = until(ctx, "what it had started to end", func(context.Context) error {
				for _, c := range children {
					if c.runs() {
						return fmt.Errorf("%s still runs", c)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			left, err := filepath.Glob(filepath.Join(tmp, "playbot-*"))
			if err != nil || len(left) > 0 && !row.folder {
				t.Errorf("it leaves %v, %v", left, err)
			}
		})
	}
}

// child is a process; its start tells it from another one that is given its number later.
type child struct {
	pid         int
	name, start string
}

func (c child) String() string { return fmt.Sprintf("%s (%d)", c.name, c.pid) }

// runs reports whether it is still there. One that nobody has waited for yet does not run any more.
func (c child) runs() bool {
	now, _, state, ok := stat(c.pid)
	return ok && now.start == c.start && state != "Z"
}

// stat reads a process from /proc; see proc(5).
func stat(pid int) (c child, parent int, state string, ok bool) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return child{}, 0, "", false
	}
	open, shut := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	fields := strings.Fields(string(data[shut+1:]))
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return child{}, 0, "", false
	}
	return child{pid: pid, name: string(data[open+1 : shut]), start: fields[19]}, parent, fields[0], true
}

// descendants are the processes below one.
func descendants(t *testing.T, root int) []child {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	below := make(map[int][]child)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if c, parent, _, ok := stat(pid); ok {
			below[parent] = append(below[parent], c)
		}
	}
	found := below[root]
	for i := 0; i < len(found); i++ {
		found = append(found, below[found[i].pid]...)
	}
	return found
}

func has(children []child, name string) bool {
	for _, c := range children {
		if c.name == name {
			return true
		}
	}
	return false
}

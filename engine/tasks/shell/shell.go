// Package shell is the task type `shell`: it runs a program on the machine that playbot runs on.
package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// grace is how long a program has to end after it was told to. 2017 gave two seconds; a task here
// returns within one when it is cut off.
const grace = 500 * time.Millisecond

// Type is the task type.
//
// A command that is text goes to /bin/sh; values of templates reach it as parameters, never as text
// of the command. A command that is a list is run as it is, without a shell.
func Type() engine.TaskType {
	return engine.TaskType{
		Name: "shell", Summary: "runs a program on playbot's machine",
		Decode: decode, ShellText: []string{"command"},
	}
}

type task struct {
	argv  []string
	dir   string
	env   []string
	nodes []string
}

func decode(p *playbooks.Properties) (engine.Task, error) {
	t := &task{dir: p.Text("cwd", ""), env: environment(p)}
	if p.Has("nodes") {
		t.nodes = p.RequireStrings("nodes")
	}
	if err := p.Source("command").CheckShell(); err != nil {
		return nil, err
	}
	t.command(p)
	return t, p.Err()
}

// command reads the argument list, or makes one of text for a shell. --nodes is appended as in 2017.
func (t *task) command(p *playbooks.Properties) {
	list, isList := p.Any("command").([]any)
	if !isList {
		text := p.RequireText("command")
		t.argv = []string{"/bin/sh", "-c", text, "playbot"}
	} else {
		t.argv = p.RequireStrings("command")
	}
	for _, word := range t.argv {
		if strings.ContainsRune(word, 0) {
			p.Problem("command", "command cannot hold a zero byte")
		}
	}
	if len(t.nodes) == 0 || len(t.argv) == 0 {
		return
	}
	names := strings.Join(t.nodes, ",")
	if !isList || isShell(list) {
		t.argv[2] += fmt.Sprintf(` --nodes "${%d}"`, len(t.argv)-3)
		t.argv = append(t.argv, names)
		return
	}
	t.argv = append(t.argv, "--nodes", names)
}

// isShell recognises what [playbooks.Value.Shell] makes of text.
func isShell(argv []any) bool {
	return len(argv) >= 4 && argv[0] == "/bin/sh" && argv[1] == "-c" && argv[3] == "playbot"
}

// environment is small and known: what programs need to find their way, then what the task gives.
func environment(p *playbooks.Properties) []string {
	env := map[string]string{"LC_ALL": "C"}
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	given := p.StringMap("environment")
	for k := range given {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			p.Problem("environment", "%q cannot be the name of a variable", k)
		}
	}
	maps.Copy(env, given)
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

// Effect implements [engine.Task].
func (*task) Effect() engine.Effect { return engine.Once }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	if info, err := os.Stat(t.dir); t.dir != "" && (err != nil || !info.IsDir()) {
		return engine.Result{}, engine.Errorf(engine.CodeNotSent, "not started: the folder %s does not exist; create it, or correct cwd", t.dir)
	}
	cmd := exec.CommandContext(ctx, t.argv[0], t.argv[1:]...) //nolint:gosec // running what a reviewed playbook names is the purpose
	cmd.Dir, cmd.Env = t.dir, t.env
	out := &output{note: c.Note}
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own, so that what the program started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // whoever is left; no such process is the normal case
	}
	out.flush()
	return t.judge(ctx, cmd, out, err)
}

func (t *task) judge(ctx context.Context, cmd *exec.Cmd, out *output, err error) (engine.Result, error) {
	result := engine.Result{Data: []any{out.text()}}
	var exit *exec.ExitError
	switch {
	case err == nil:
		result.Message = "exit 0" + out.ending()
		return result, nil
	case ctx.Err() != nil:
		result.Message = "stopped" + out.ending()
		return result, context.Cause(ctx)
	case errors.As(err, &exit):
		result.Message = fmt.Sprintf("exit %d", exit.ExitCode())
		if exit.ExitCode() < 0 {
			result.Message = exit.String()
		}
		result.Message += out.ending()
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	case errors.Is(err, exec.ErrWaitDelay):
		result.Message = "exit 0, but something it started kept its output open and was stopped" + out.ending()
		return result, nil
	case cmd.Process == nil:
		return result, engine.Errorf(engine.CodeNotSent, "not started: %v", err)
	}
	return result, fmt.Errorf("run %s: %w", t.argv[0], err)
}

// Package shell is the task type `shell`: it runs a program on the machine that playbot runs on.
package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

// Type is the task type.
//
// A command that is text goes to /bin/sh; values of templates reach it as parameters, never as text
// of the command. A command that is a list is run as it is, without a shell.
func Type() engine.TaskType {
	return engine.TaskType{
		Name: "shell", Summary: "runs a program on playbot's machine",
		Decode: decode, Keys: keys(), ShellText: []string{"command"},
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "command", Kind: playbooks.KindCommand, Required: true,
			Doc: "What to run. Text goes to `/bin/sh`, and values of templates reach it as parameters, never as text of the command; " +
				"a list is a program and its arguments, which no shell reads. Exit code 0 is success.",
		},
		{Name: "cwd", Kind: playbooks.KindText, Doc: "The folder to run in; it must exist. Without it, the folder that playbot runs in."},
		{
			Name: "environment", Kind: playbooks.KindTextMap,
			Doc: "Variables for the program. Beside these it sees `LC_ALL=C` and playbot's own `PATH`, `HOME`, `LANG`, `TZ`, `USER` and `TMPDIR`, and nothing else.",
		},
		{Name: "nodes", Kind: playbooks.KindTexts, Doc: "Names that are appended to the command as `--nodes a,b,c`. At least one."},
	}
}

type task struct {
	argv  []string
	dir   string
	env   []string
	nodes []string
}

func decode(p *playbooks.Properties) (engine.Task, error) {
	t := &task{dir: p.Text("cwd", ""), env: process.Environment(process.Variables(p))}
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

// Effect implements [engine.Task].
func (*task) Effect() engine.Effect { return engine.Once }

// Run implements [engine.Task].
func (t *task) Run(ctx context.Context, c *engine.Call) (engine.Result, error) {
	out := &process.Output{Note: c.Note}
	err := process.Command{Argv: t.argv, Dir: t.dir, Env: t.env, Stdout: out, Stderr: out}.Run(ctx)
	out.Flush()
	result := engine.Result{Data: []any{out.Text()}}
	exit, failed := errors.AsType[*process.ExitError](err)
	switch {
	case err == nil:
		result.Message = "exit 0" + out.Ending()
		return result, nil
	case errors.Is(err, process.ErrHeld):
		result.Message = "exit 0, but " + err.Error() + out.Ending()
		return result, nil
	case failed:
		result.Message = exit.How + out.Ending()
		return result, engine.Errorf(engine.CodeFailed, "%s", result.Message)
	case engine.CodeOf(err) == engine.CodeNotSent:
		return engine.Result{}, err
	case ctx.Err() != nil:
		result.Message = "stopped" + out.Ending()
	}
	return result, err
}

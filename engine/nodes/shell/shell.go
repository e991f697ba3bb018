// Package shell is the node set type `shell`: nodes that a program on playbot's machine prints.
package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/hostname"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

const (
	defaultTimeout = 10 * time.Second // 2017's
	maxOutput      = 4 << 20          // bytes of names
)

// Type is the node set type.
//
// A script that is text without templates goes to /bin/sh. Text with templates is the path of a
// program and nothing else, so that no value becomes text of a command, or one more argument.
func Type() engine.NodeSourceType {
	return engine.NodeSourceType{Name: "shell", Summary: "nodes that a program prints", Program: true, Decode: decode, Keys: keys()}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "script", Kind: playbooks.KindCommand, Required: true,
			Doc: "The program, which prints one host name on each line and exits with 0. Text goes to `/bin/sh`; text with templates is the path of a program, without arguments; " +
				"a list is a program and its arguments, which no shell reads.",
		},
		{Name: "timeout", Kind: playbooks.KindDuration, Default: "10", Doc: "How long it may take; a bare number is seconds. Then it is stopped, and the set fails."},
		{Name: "cwd", Kind: playbooks.KindText, Doc: "The folder to run in; it must exist. Without it, the system's folder for temporary files."},
		{
			Name: "environment", Kind: playbooks.KindTextMap,
			Doc: "Variables for the program. Beside these it sees `LC_ALL=C` and playbot's own `PATH`, `HOME`, `LANG`, `TZ`, `USER` and `TMPDIR`, and nothing else.",
		},
	}
}

type source struct {
	command process.Command
	timeout time.Duration
	noArgs  bool // the program's path is text with templates
}

func decode(p *playbooks.Properties) (engine.NodeSource, error) {
	s := &source{timeout: p.Duration("timeout", defaultTimeout)}
	s.command.Dir = p.Text("cwd", os.TempDir())
	s.command.Env = process.Environment(process.Variables(p))
	_, literal := p.Source("script").Literal()
	switch _, isList := p.Any("script").([]any); {
	case isList:
		s.command.Argv = p.RequireStrings("script")
	case literal:
		s.command.Argv = []string{"/bin/sh", "-c", p.RequireText("script")}
	default:
		s.noArgs = true
		s.command.Argv = []string{p.RequireText("script")}
		before, _, _ := strings.Cut(p.Source("script").Source(), "{{")
		if strings.ContainsAny(strings.TrimSpace(before), " \t\n") {
			p.Remedy("script", `write a list: [program, "{{ … }}"]`, "script has arguments and templates; a value could become one more argument")
		}
	}
	for _, word := range s.command.Argv {
		if strings.ContainsRune(word, 0) {
			p.Problem("script", "script cannot hold a zero byte")
		}
	}
	if len(s.command.Argv) > 0 && s.command.Argv[0] == "" && !p.Deferred("script") {
		p.Problem("script", "script names no program")
	}
	return s, p.Err()
}

// Discover implements [engine.NodeSource].
func (s *source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout,
		engine.Errorf(engine.CodeTimeout, "the script did not end within %s", s.timeout))
	defer cancel()
	out, err := s.command.Capture(ctx, maxOutput)
	_, failed := errors.AsType[*process.ExitError](err)
	switch {
	case failed:
		return nil, engine.Errorf(engine.CodeFailed, "the script %s failed: %v", s.name(), err)
	case engine.CodeOf(err) == engine.CodeNotSent && s.noArgs:
		return nil, fmt.Errorf("the script %s: %w; to give it arguments, write script as a list", s.name(), err)
	case err != nil:
		return nil, fmt.Errorf("the script %s: %w", s.name(), err)
	}
	return names(string(out), s.name())
}

// name is what people wrote, or its beginning.
func (s *source) name() string {
	text := strings.Join(s.command.Argv, " ")
	if s.command.Argv[0] == "/bin/sh" && len(s.command.Argv) == 3 {
		text = s.command.Argv[2]
	}
	line, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if more || len(line) > 100 {
		line = strings.ToValidUTF8(line[:min(len(line), 100)], "") + "…"
	}
	return line
}

// names reads one name from each line that is not blank.
func names(out, script string) ([]string, error) {
	var nodes []string
	n := 0
	for line := range strings.Lines(out) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.TrimSpace(line) == "":
		case hostname.Valid(line):
			nodes = append(nodes, line)
		default:
			return nil, engine.Errorf(engine.CodeInvalid, "line %d of what the script %s printed is no host name: %.100q", n, script, line)
		}
	}
	return nodes, nil
}

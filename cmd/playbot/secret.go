package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// givenSecrets reads the secrets that --secret points at. No error repeats what may be one.
func givenSecrets(s streams, flags []string) (map[string]string, error) {
	out := map[string]string{}
	piped := ""
	for _, f := range flags {
		name, where, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, &usageError{"--secret is written NAME=@FILE, NAME=- or NAME=env:VARIABLE"}
		}
		name = commands.Clean(name)
		if _, twice := out[name]; twice {
			return nil, &usageError{fmt.Sprintf("--secret %s is given twice; give it once", name)}
		}
		var value []byte
		var err error
		switch {
		case strings.HasPrefix(where, "@"):
			value, err = readSecretFile(where[1:])
		case strings.HasPrefix(where, "env:"):
			text, set := os.LookupEnv(where[len("env:"):])
			if !set {
				err = errors.New("the environment has no such variable; export it")
			}
			value = []byte(text)
		case where == "-" && piped != "":
			err = fmt.Errorf("standard input is that of %s already", piped)
		case where == "-" && asksAt(s) >= 0:
			err = errors.New("standard input is this terminal; leave --secret out to be asked")
		case where == "-":
			piped = name
			value, err = io.ReadAll(io.LimitReader(s.in, playbooks.MaxSecret+2))
		default:
			err = errors.New("the list of processes and the history of the shell show what is written there; write @FILE, - or env:VARIABLE, and replace the secret if it was one")
		}
		if err != nil {
			return nil, &usageError{fmt.Sprintf("--secret %s: %v", name, err)}
		}
		out[name] = withoutLineEnd(value)
	}
	return out, nil
}

func readSecretFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, playbooks.MaxSecret+2))
}

// withoutLineEnd takes away the line end that editors and echo put behind a text.
func withoutLineEnd(b []byte) string {
	return string(bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")))
}

// asksAt is the terminal at which a person can be asked; negative when there is none.
func asksAt(s streams) int {
	if f, ok := s.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return int(f.Fd())
	}
	return -1
}

// errNobody says that there is no terminal to ask at.
var errNobody = errors.New("nobody is at this terminal")

// secret asks for a line and does not show what is typed. When ctx ends, the terminal is as it was.
func (t *terminal) secret(ctx context.Context, format string, args ...any) (string, error) {
	fd := asksAt(t.out)
	if fd < 0 {
		return "", errNobody
	}
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for a secret: %w", err)
	}
	type answer struct {
		line []byte
		err  error
	}
	typed := make(chan answer, 1)
	t.say(format, args...)
	go func() { // ends with the line, or with the process: a read cannot be taken back
		line, err := term.ReadPassword(fd)
		typed <- answer{line, err}
	}()
	defer t.say("\n")
	select {
	case a := <-typed:
		if errors.Is(a.err, io.EOF) {
			return "", errNobody
		}
		return string(a.line), a.err
	case <-ctx.Done():
		return "", errors.Join(errors.New("interrupted; what waits for a secret waits on"), term.Restore(fd, before))
	}
}

// askFor completes the secrets for a new run. Whatever else is wrong is said when it starts.
func (t *terminal) askFor(ctx context.Context, args []string, given map[string]string) (map[string]string, error) {
	out := maps.Clone(given)
	i := slices.IndexFunc(args, func(a string) bool { return !strings.Contains(a, "=") })
	if i < 0 {
		return out, nil
	}
	book, err := t.app.Library.Get(args[i])
	if err != nil || !t.app.Engine.May(t.who, policy.Run, book.Name).Allowed {
		return out, nil //nolint:nilerr // said when it starts
	}
	maps.DeleteFunc(out, func(name, _ string) bool { // what was meant for another run
		in, _ := book.Input(name)
		return t.used[name] && !in.Secret()
	})
	for _, in := range book.Secrets() {
		typed := slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, in.Name+"=") || strings.HasPrefix(a, in.Name+":=") })
		if _, ok := out[in.Name]; ok || typed {
			continue
		}
		value, err := t.askOne(ctx, in)
		switch {
		case errors.Is(err, errNobody):
			return out, nil
		case err != nil:
			return nil, err
		case value != "":
			out[in.Name] = value
		}
	}
	return out, nil
}

// askOne asks for a secret until it is one; empty when the person wants to give none.
func (t *terminal) askOne(ctx context.Context, in playbooks.Input) (string, error) {
	about := commands.Clean(in.Description)
	if !in.Required {
		about += "; leave it empty for none"
	}
	for {
		value, err := t.secret(ctx, "Secret %s (%s): ", in.Name, about)
		switch {
		case err != nil:
			return "", err
		case value == "" && !in.Required:
			return "", nil
		case value == "":
			return "", &usageError{fmt.Sprintf("nothing was started: the secret %q was not given", in.Name)}
		}
		if err := in.Check(value); err != nil {
			t.say("That cannot be used: %v.\n", err)
			continue
		}
		return value, nil
	}
}

// giveAgain asks for the secrets of runs that were cut off: they went with the process.
func (t *terminal) giveAgain(ctx, working context.Context, ids []engine.RunID) error {
	for _, id := range ids {
		lacks, err := t.app.Engine.Lacks(working, id)
		if err != nil {
			return err
		}
		for _, name := range lacks {
			if stopped, err := t.giveOne(ctx, working, id, name); err != nil {
				return err
			} else if stopped {
				break
			}
		}
	}
	return nil
}

// giveOne gives one secret of a run again: one that is known already, else the person is asked. The
// run is stopped when there is none to be had.
func (t *terminal) giveOne(ctx, working context.Context, id engine.RunID, name string) (stopped bool, err error) {
	for _, value := range t.known[name] {
		if err := t.give(working, id, name, value); err == nil {
			t.used[name] = true
			return false, nil
		}
	}
	run, err := t.app.Engine.Load(working, id)
	if err != nil {
		return false, err
	}
	for {
		value, err := t.secret(ctx, "Run %s of %s was cut off. Its secret %s, as it was started with (leave it empty to cancel the run): ",
			id.Short(), run.Requested.Playbook.Name, name)
		switch {
		case errors.Is(err, errNobody):
			t.say("Nobody is at this terminal to give run %s its secret %s again.\n", id.Short(), name)
			return true, t.app.Engine.Cancel(working, id, t.who, "nobody was at the terminal to give the secret "+name+" again")
		case err != nil:
			return false, err
		case value == "":
			return true, t.app.Engine.Cancel(working, id, t.who, "the secret "+name+" was not given again")
		}
		if err = t.give(working, id, name, value); err == nil {
			t.known[name] = append(t.known[name], value)
			return false, nil
		}
		t.say("%s\n", commands.Clean(err.Error()))
	}
}

// give gives one secret; it is no error when the run has it meanwhile, from the run that started it.
func (t *terminal) give(ctx context.Context, id engine.RunID, name, value string) error {
	err := t.app.Engine.GiveSecrets(ctx, engine.Secrets{Run: id, Actor: t.who, Values: map[string]string{name: value}})
	if err != nil && engine.CodeOf(err) == engine.CodeConflict {
		return nil
	}
	return err
}

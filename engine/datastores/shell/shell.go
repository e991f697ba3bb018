// Package shell is the data store type `shell`: values that a program on playbot's machine keeps.
//
// The program is run once for every use, with one more argument, --read, --write or --delete, and
// these variables: CHORIA_DATA_KEY, CHORIA_DATA_ACTION (read, write or delete) and, to write,
// CHORIA_DATA_VALUE. It prints the value that is read, and ends with 0; ending --read with 1 says
// that there is no such key. Deleting a key that is not there must end with 0.
package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

const (
	defaultTimeout = 10 * time.Second // 2017's
	maxValue       = 120 << 10        // bytes of a value; Linux refuses a variable of 128 KiB (execve(2), MAX_ARG_STRLEN)
	noSuchKey      = 1                // the exit code of --read
)

// keyPattern is 2017's: a key cannot be anything that a program would take for a path or an option's value.
var keyPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// Type is the data store type.
func Type() engine.DataStoreType {
	return engine.DataStoreType{Name: "shell", Summary: "values that a program keeps", Program: true, Decode: decode, Keys: keys()}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "command", Kind: playbooks.KindCommand, Required: true,
			Doc: "The program: text is its path, a list is the program and its arguments. It is run without a shell and with one more argument, `--read`, `--write` or `--delete`; " +
				"the key is in `CHORIA_DATA_KEY`, the action in `CHORIA_DATA_ACTION`, a value to write in `CHORIA_DATA_VALUE`. What `--read` prints, " +
				"without the last end of line, is the value; its exit code 1 says that there is no such key. Keys are letters, digits, `_` and `-`; values are text.",
		},
		{Name: "timeout", Kind: playbooks.KindDuration, Default: "10", Doc: "How long the program may take; a bare number is seconds."},
		{Name: "cwd", Kind: playbooks.KindText, Doc: "The folder to run in; it must exist. Without it, the system's folder for temporary files."},
		{
			Name: "environment", Kind: playbooks.KindTextMap,
			Doc: "Variables for the program. Beside these it sees `LC_ALL=C` and playbot's own `PATH`, `HOME`, `LANG`, `TZ`, `USER` and `TMPDIR`, and nothing else.",
		},
		{Name: "ttl", Kind: playbooks.KindDuration, Doc: "Accepted for playbooks of 2017; this store has no locks."},
	}
}

type store struct {
	command process.Command
	timeout time.Duration
}

func decode(p *playbooks.Properties) (engine.DataStore, error) {
	s := &store{timeout: p.Duration("timeout", defaultTimeout)}
	s.command.Dir = p.Text("cwd", os.TempDir())
	s.command.Env = process.Environment(process.Variables(p))
	p.Duration("ttl", 0)
	if _, isList := p.Any("command").([]any); isList {
		s.command.Argv = p.RequireStrings("command")
	} else {
		s.command.Argv = []string{p.RequireText("command")}
	}
	for i, word := range s.command.Argv {
		if strings.ContainsRune(word, 0) {
			p.Problem("command", "command cannot hold a zero byte")
		}
		if i == 0 && word == "" && !p.Deferred("command") && p.Has("command") {
			p.Problem("command", "command names no program")
		}
	}
	return s, p.Err()
}

// Get implements [engine.DataStore].
func (s *store) Get(ctx context.Context, key string) (any, error) {
	out, err := s.run(ctx, "read", key)
	if exit, ok := errors.AsType[*process.ExitError](err); ok && exit.Code == noSuchKey {
		return nil, fmt.Errorf("%w: %w", err, engine.ErrNoKey)
	}
	if err != nil {
		return nil, err
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// Put implements [engine.DataStore].
func (s *store) Put(ctx context.Context, key string, value any) error {
	text, ok := process.Variable(value)
	switch {
	case !ok:
		return engine.Errorf(engine.CodeInvalid, "this store holds text; %s cannot be a list, a mapping or nothing", key)
	case len(text) > maxValue:
		return engine.Errorf(engine.CodeInvalid, "the value of %s has %d bytes; this store holds at most %d", key, len(text), maxValue)
	case strings.ContainsRune(text, 0):
		return engine.Errorf(engine.CodeInvalid, "the value of %s holds a zero byte, which no program can be given", key)
	}
	_, err := s.run(ctx, "write", key, "CHORIA_DATA_VALUE="+text)
	return err
}

// Delete implements [engine.DataStore].
func (s *store) Delete(ctx context.Context, key string) error {
	_, err := s.run(ctx, "delete", key)
	return err
}

// run runs the program for one action and returns what it printed.
func (s *store) run(ctx context.Context, action, key string, variables ...string) ([]byte, error) {
	if !keyPattern.MatchString(key) {
		return nil, engine.Errorf(engine.CodeInvalid, "%q cannot be a key of this store; use letters, digits, _ and -", key)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout,
		engine.Errorf(engine.CodeTimeout, "the program did not end within %s", s.timeout))
	defer cancel()
	c := s.command
	c.Argv = append(slices.Clone(c.Argv), "--"+action)
	c.Env = append(append(slices.Clone(c.Env), "CHORIA_DATA_KEY="+key, "CHORIA_DATA_ACTION="+action), variables...)
	out, err := c.Capture(ctx, maxValue)
	if err != nil {
		return nil, fmt.Errorf("%s %s with %s: %w", action, key, s.command.Argv[0], err)
	}
	return out, nil
}

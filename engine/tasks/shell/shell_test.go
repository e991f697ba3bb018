package shell_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/shell"
	"github.com/playbot/playbot/playbooks"
)

func command(c string) map[string]any { return map[string]any{"command": c} }

func argv(words ...string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

// run runs a task and returns what it printed.
func run(t *testing.T, properties map[string]any) (engine.Result, []string, error) {
	t.Helper()
	return runContext(t, t.Context(), properties)
}

func runContext(t *testing.T, ctx context.Context, properties map[string]any) (engine.Result, []string, error) { //nolint:revive // the test is the receiver
	t.Helper()
	p := playbooks.FromMap(properties)
	task, err := shell.Type().Decode(p)
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	var mu sync.Mutex
	var notes []string
	result, err := task.Run(ctx, tasktest.Call(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, line)
	}))
	mu.Lock()
	defer mu.Unlock()
	return result, notes, err
}

// printed is everything that a task printed.
func printed(r engine.Result) string {
	chunks, ok := r.Data.([]any)
	if !ok || len(chunks) != 1 {
		return "no output"
	}
	text, _ := chunks[0].(string)
	return text
}

func TestShell_passesTheSuite(t *testing.T) {
	t.Parallel()
	secret := map[string]any{"TOKEN": "hunter2hunter2"}
	grand := grandchildren{dir: t.TempDir()}
	tasktest.Run(t, tasktest.Case{
		Type: shell.Type(), Secret: "hunter2hunter2",
		Good: map[string]any{"command": "echo one; echo two >&2; test -n \"$TOKEN\"", "environment": secret},
		Bad:  map[string]any{"command": "echo sorry; exit 3", "environment": secret},
		Big:  map[string]any{"command": "head -c 3000000 /dev/urandom; head -c 3000000 /dev/zero", "environment": secret},
		Long: grand.begin, Left: grand.left,
	})
}

func TestShell_tellsHowItEnded(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		command any
		code    engine.Code // of the error; empty is success
		message string
	}{
		{"true", "", "exit 0"},
		{"echo one; echo two; echo", "", "exit 0: two"},
		{"echo sorry >&2; exit 3", engine.CodeFailed, "exit 3: sorry"},
		{"kill -9 $$", engine.CodeFailed, "signal: killed"},
		{argv("/nonexistent/program"), engine.CodeNotSent, "not started"},
		{argv("no-such-program-anywhere"), engine.CodeNotSent, "not started"},
		{"no-such-program-anywhere", engine.CodeFailed, "exit 127"},
	} {
		result, _, err := run(t, map[string]any{"command": row.command})
		said := result.Message
		if err != nil {
			said = err.Error()
		}
		if (err != nil) != (row.code != "") || err != nil && engine.CodeOf(err) != row.code || !strings.Contains(said, row.message) {
			t.Errorf("%v: got %q, %v; want %q with code %q", row.command, said, err, row.message, row.code)
		}
	}
}

func TestShell_bothStreamsBecomeNotesInTheirOrder(t *testing.T) {
	t.Parallel()
	result, notes, err := run(t, command("echo one; echo two >&2; printf three"))
	if err != nil || printed(result) != "one\ntwo\nthree" || !slices.Equal(notes, []string{"one", "two", "three"}) {
		t.Errorf("got %q, notes %q, %v", printed(result), notes, err)
	}
}

func TestShell_keepsTheBeginningAndTheEndOfLongOutput(t *testing.T) {
	t.Parallel()
	result, _, err := run(t, command("echo first; head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last"))
	if err != nil {
		t.Fatal(err)
	}
	text := printed(result)
	if !strings.HasPrefix(text, "first\n") || !strings.HasSuffix(text, "last\n") || !strings.Contains(text, "bytes left out") {
		t.Errorf("got %.60q … %q", text, text[len(text)-60:])
	}
	if len(text) > 140_000 {
		t.Errorf("%d bytes are kept", len(text))
	}
}

func TestShell_manyShortLinesAreRead(t *testing.T) {
	t.Parallel()
	result, _, err := run(t, command("yes | head -n 500000; echo done"))
	if err != nil || result.Message != "exit 0: done" {
		t.Errorf("got %q, %v", result.Message, err)
	}
}

func TestShell_listIsRunWithoutAShell(t *testing.T) {
	t.Parallel()
	result, _, err := run(t, map[string]any{"command": argv("/bin/echo", "$HOME; `id`", "a  b", "")})
	if err != nil || printed(result) != "$HOME; `id` a  b \n" {
		t.Errorf("got %q, %v", printed(result), err)
	}
}

func TestShell_nodesAreAppended(t *testing.T) {
	t.Parallel()
	nodes := argv("node1", "node2; id")
	for _, c := range []any{"echo", argv("/bin/echo"), argv("/bin/sh", "-c", "echo", "playbot")} {
		result, _, err := run(t, map[string]any{"command": c, "nodes": nodes})
		if err != nil || printed(result) != "--nodes node1,node2; id\n" {
			t.Errorf("%v: got %q, %v", c, printed(result), err)
		}
	}
}

func TestShell_environmentIsKnown(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_TOKEN", "of the bot")
	result, _, err := run(t, map[string]any{"command": "env", "environment": map[string]any{"TIER": "bravo", "N": 5, "ON": true, "PATH": "/usr/bin:/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(printed(result), "\n")
	for _, want := range []string{"LC_ALL=C", "TIER=bravo", "N=5", "ON=true", "PATH=/usr/bin:/bin"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%s is missing in %q", want, lines)
		}
	}
	if strings.Contains(printed(result), "PLAYBOT_TEST_TOKEN") {
		t.Error("a variable of the bot reached the program")
	}
}

func TestShell_runsWhereItIsTold(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for cwd, want := range map[string]string{dir: dir, "": here} {
		result, _, err := run(t, map[string]any{"command": "pwd -P", "cwd": cwd})
		if err != nil || strings.TrimSpace(printed(result)) != want {
			t.Errorf("cwd %q: got %q, %v; want %s", cwd, printed(result), err, want)
		}
	}
	if _, _, err := run(t, map[string]any{"command": "pwd", "cwd": dir + "/gone"}); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a folder that is not there: got %v", err)
	}
}

func TestShell_refusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"command is missing":           {},
		"command is empty":             command(""),
		"nodes is empty":               {"command": "x", "nodes": argv()},
		"nodes must be a list":         {"command": "x", "nodes": "node1"},
		"environment must be a":        {"command": "x", "environment": "A=1"},
		"environment.A must be text":   {"command": "x", "environment": map[string]any{"A": argv("b")}},
		"cannot be the name of a vari": {"command": "x", "environment": map[string]any{"A=B": "c"}},
		"cannot hold a zero byte":      {"command": argv("echo", "a\x00b")},
		"must be text":                 {"command": map[string]any{"a": "b"}},
	} {
		_, err := shell.Type().Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

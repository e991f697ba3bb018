package shell_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/shell"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keeper keeps each key in a file of its folder.
const keeper = `#!/bin/sh
f="$STORE/$CHORIA_DATA_KEY"
test "$*" = "--$CHORIA_DATA_ACTION" || { echo "unexpected arguments: $*" >&2; exit 9; }
case "$1" in
  --read) test -e "$f" || { echo "there is no $CHORIA_DATA_KEY" >&2; exit 1; }; cat "$f"; echo ;;
  --write) printf %s "$CHORIA_DATA_VALUE" > "$f.$$" && mv "$f.$$" "$f"; echo written ;;
  --delete) rm -f "$f" ;;
esac
`

// program writes a program and returns its path.
func program(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keeper")
	if err := os.WriteFile(path, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// fresh are the properties of an empty store.
func fresh(t *testing.T) map[string]any {
	t.Helper()
	return map[string]any{"command": program(t, keeper), "environment": map[string]any{"STORE": t.TempDir()}}
}

func TestStore_passesTheSuite(t *testing.T) {
	t.Parallel()
	datastoretest.Run(t, datastoretest.Case{
		Type: shell.Type(), TextOnly: true, Properties: fresh,
		Keys: []string{"suite_a", "suite-a", "SUITE_a", "1FOO_bar1", "suite_b", "-x", "--write"},
	})
}

func TestStore_otherKeysAreRefusedBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := datastoretest.Open(t, shell.Type(), map[string]any{"command": program(t, "#!/bin/sh\necho x > "+dir+"/ran\n")})
	for _, key := range []string{"", "foo|bar", "a/b", "..", "a b", "a\nb", "a.b", "ä"} {
		_, err := s.Get(t.Context(), key)
		for _, err := range []error{err, s.Put(t.Context(), key, "v"), s.Delete(t.Context(), key)} {
			if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "letters, digits, _ and -") {
				t.Errorf("%q: got %v", key, err)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Error("the program ran")
	}
}

func TestStore_programIsToldWhatToDo(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_TOKEN", "of the bot")
	t.Setenv("CHORIA_DATA_VALUE", "of the bot")
	const told = "#!/bin/sh\necho \"$# $*|$CHORIA_DATA_ACTION|$CHORIA_DATA_KEY|$CHORIA_DATA_VALUE|$TIER|$LC_ALL|$PLAYBOT_TEST_TOKEN|$PWD\" | tee \"$TOLD\"\n"
	dir := t.TempDir()
	heard := filepath.Join(dir, "told")
	s := datastoretest.Open(t, shell.Type(), map[string]any{
		"command": []any{program(t, told), "a b"}, "cwd": dir,
		"environment": map[string]any{"TIER": "bravo", "TOLD": heard, "CHORIA_DATA_KEY": "mine"},
	})
	for want, do := range map[string]func() error{
		"2 a b --read|read|k|":      func() error { _, err := s.Get(t.Context(), "k"); return err },
		"2 a b --write|write|k|5":   func() error { return s.Put(t.Context(), "k", 5) },
		"2 a b --delete|delete|k|":  func() error { return s.Delete(t.Context(), "k") },
		"2 a b --write|write|k|a b": func() error { return s.Put(t.Context(), "k", "a b") },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		want += "|bravo|C||" + dir + "\n"
		if got, err := os.ReadFile(heard); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}

func TestStore_onlyTheLastEndOfLineIsNotTheValue(t *testing.T) {
	t.Parallel()
	for printed, want := range map[string]string{`x\n`: "x", `x`: "x", `x\n\n`: "x\n", ``: "", `\n`: "", `a\nb\n`: "a\nb"} {
		s := datastoretest.Open(t, shell.Type(), map[string]any{"command": program(t, "#!/bin/sh\nprintf '"+printed+"'\n")})
		if got, err := s.Get(t.Context(), "k"); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", printed, got, err, want)
		}
	}
}

func TestStore_failuresNameActionKeyAndReason(t *testing.T) {
	t.Parallel()
	path := program(t, "#!/bin/sh\necho the disk is full >&2\nexit 3\n")
	s := datastoretest.Open(t, shell.Type(), map[string]any{"command": path})
	_, read := s.Get(t.Context(), "tier")
	for want, err := range map[string]error{"read": read, "write": s.Put(t.Context(), "tier", "v"), "delete": s.Delete(t.Context(), "tier")} {
		want += " tier with " + path + ": exit 3: the disk is full"
		if err == nil || err.Error() != want || errors.Is(err, engine.ErrNoKey) {
			t.Errorf("got %v, want %s, which is not a missing key", err, want)
		}
	}
	gone := datastoretest.Open(t, shell.Type(), map[string]any{"command": "/nonexistent/keeper"})
	if _, err := gone.Get(t.Context(), "k"); err == nil || errors.Is(err, engine.ErrNoKey) || !strings.Contains(err.Error(), "not started") {
		t.Errorf("a program that is not there: got %v", err)
	}
	lost := datastoretest.Open(t, shell.Type(), map[string]any{"command": path, "cwd": filepath.Dir(path) + "/gone"})
	if _, err := lost.Get(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "gone does not exist") {
		t.Errorf("a folder that is not there: got %v", err)
	}
}

func TestStore_missingKeySaysWhatTheProgramSaid(t *testing.T) {
	t.Parallel()
	_, err := datastoretest.Open(t, shell.Type(), fresh(t)).Get(t.Context(), "tier")
	if !errors.Is(err, engine.ErrNoKey) || !strings.Contains(err.Error(), "exit 1: there is no tier") {
		t.Errorf("got %v", err)
	}
}

func TestStore_slowProgramIsStopped(t *testing.T) {
	t.Parallel()
	path := program(t, "#!/bin/sh\nsleep 300\n")
	s := datastoretest.Open(t, shell.Type(), map[string]any{"command": path, "timeout": "100ms"})
	began := time.Now()
	if _, err := s.Get(t.Context(), "k"); engine.CodeOf(err) != engine.CodeTimeout {
		t.Errorf("got %v", err)
	}
	patient := datastoretest.Open(t, shell.Type(), map[string]any{"command": path})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, engine.Errorf(engine.CodeCanceled, "cancelled"))
	defer cancel()
	if err := patient.Put(ctx, "k", "v"); engine.CodeOf(err) != engine.CodeCanceled {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestStore_valuesHaveBounds(t *testing.T) {
	t.Parallel()
	s := datastoretest.Open(t, shell.Type(), fresh(t))
	large := strings.Repeat("x", 120<<10)
	if err := s.Put(t.Context(), "k", large); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{large + "x", "a\x00b"} {
		if err := s.Put(t.Context(), "k", bad); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("%.10q: got %v", bad, err)
		}
	}
	loud := datastoretest.Open(t, shell.Type(), map[string]any{"command": program(t, "#!/bin/sh\nyes\n")})
	if _, err := loud.Get(t.Context(), "k"); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v", err)
	}
}

func TestType_refusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"command is missing":           {},
		"command is empty":             {"command": ""},
		"command names no program":     {"command": []any{"", "x"}},
		"cannot hold a zero byte":      {"command": "a\x00b"},
		"timeout must be a duration":   {"command": "x", "timeout": "soon"},
		"environment must be a":        {"command": "x", "environment": []any{"A=1"}},
		"environment.A must be text":   {"command": "x", "environment": map[string]any{"A": []any{"b"}}},
		"cannot be the name of a vari": {"command": "x", "environment": map[string]any{"A=B": "c"}},
		"cannot hold a zero by":        {"command": "x", "environment": map[string]any{"A": "b\x00"}},
	} {
		_, err := shell.Type().Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

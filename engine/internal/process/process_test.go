package process_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sh(script string) process.Command {
	return process.Command{Argv: []string{"/bin/sh", "-c", script}, Env: process.Environment(nil)}
}

func TestRun_tellsHowItEnded(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"true": "", "exit 3": "exit 3", "kill -9 $$": "signal: killed", "sleep 300 &": process.ErrHeld.Error(),
	} {
		out := &process.Output{}
		c := sh(script)
		c.Stdout = out
		err := c.Run(t.Context())
		if got := errorText(err); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
	c := sh("true")
	c.Argv[0] = "/nonexistent/sh"
	if err := c.Run(t.Context()); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "not started") {
		t.Errorf("got %v", err)
	}
	c = sh("true")
	c.Dir = "/nonexistent"
	if err := c.Run(t.Context()); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "correct cwd") {
		t.Errorf("got %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRun_cutOffIsTheCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("cancelled by a test")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	began := time.Now()
	if err := sh("trap '' TERM; sleep 300 & sleep 300; sleep 300").Run(ctx); !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestCapture_isWhatWasPrinted(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"echo a; echo b >&2; echo c": "a\nc\n", "printf 1234567890": "1234567890", "echo a; sleep 300 &": "a\n", "true": "",
	} {
		if got, err := sh(script).Capture(t.Context(), 10); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v; want %q", script, got, err, want)
		}
	}
	for script, want := range map[string]string{
		"printf 12345678901": "more than 10 bytes", "yes": "more than 10 bytes", "printf 12345678901; exit 3": "more than 10 bytes",
		"echo out; echo first >&2; echo last >&2; exit 3": "exit 3: last",
	} {
		if got, err := sh(script).Capture(t.Context(), 10); err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%s: got %q, %v; want %q", script, got, err, want)
		}
	}
	_, err := sh("echo first >&2; echo last >&2; exit 3").Capture(t.Context(), 10)
	if exit, ok := errors.AsType[*process.ExitError](err); !ok || exit.Code != 3 || exit.Stderr != "first\nlast\n" {
		t.Errorf("got %+v", err)
	}
}

func TestEnvironment_holdsWhatIsGivenAndNothingOfTheBot(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_TOKEN", "of the bot")
	t.Setenv("TZ", "UTC")
	got := process.Environment(map[string]string{"TIER": "bravo", "LC_ALL": "en_US.UTF-8"})
	for _, want := range []string{"TIER=bravo", "LC_ALL=en_US.UTF-8", "TZ=UTC"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing in %q", want, got)
		}
	}
	if strings.Contains(strings.Join(got, "\n"), "PLAYBOT_TEST_TOKEN") || slices.Contains(got, "LC_ALL=C") {
		t.Errorf("got %q", got)
	}
}

func TestVariables_refuseWhatNoProgramCanBeGiven(t *testing.T) {
	t.Parallel()
	for want, given := range map[string]map[string]any{
		`"" cannot be the name`:    {"": "x"},
		`"A=B" cannot be the name`: {"A=B": "x"},
		"the value of A cannot":    {"A": "secret\x00"},
	} {
		p := playbooks.FromMap(map[string]any{"environment": given})
		process.Variables(p)
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: got %v, want %q", given, err, want)
		}
	}
}

func TestVariable_isTextAsATemplateWritesIt(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]string{"a b": "a b", 5: "5", 1e6: "1000000", 1.5: "1.5", true: "true", "": ""} {
		if got, ok := process.Variable(value); got != want || !ok {
			t.Errorf("%v: got %q, %v; want %q", value, got, ok, want)
		}
	}
	for _, bad := range []any{nil, []any{"a"}, map[string]any{"a": "b"}} {
		if got, ok := process.Variable(bad); ok {
			t.Errorf("%v is %q", bad, got)
		}
	}
}

func TestPrinted_isWhatAProgramPrintsAndNoMore(t *testing.T) {
	t.Parallel()
	out, err := process.Printed(t.Context(), []string{"/bin/sh", "-c", "echo a; echo b; echo c >&2"})
	if err != nil || string(out) != "a\nb\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := process.Printed(t.Context(), []string{"/bin/sh", "-c", "head -c 2000000 /dev/zero"}); err == nil {
		t.Error("a flood was taken")
	}
}

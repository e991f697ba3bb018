package shell_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/shell"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program writes a program and returns its path.
func program(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nodes")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func script(s any) map[string]any { return map[string]any{"script": s} }

func argv(words ...any) []any { return words }

func discover(t *testing.T, properties map[string]any) ([]string, error) {
	t.Helper()
	p := playbooks.FromMap(properties)
	s, err := shell.Type().Decode(p)
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		return nodestest.Case{
			Type: shell.Type(), Some: script(program(t, "printf 'web2\\nweb1\\nweb2\\n'")), Want: []string{"web2", "web1"},
			None: script("true"), Broken: script("/nonexistent/nodes.sh"), Names: "/nonexistent/nodes.sh",
		}
	})
}

func TestSource_readsAHostNameFromEachLine(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		script any
		want   string
	}{
		{"echo example.net", "example.net"},
		{`printf 'a\r\n\n  \nb'`, "a b"},
		{"for n in 1 2 3; do echo web$n; done", "web1 web2 web3"},
		{argv("printf", `%s\n`, "a", "b"), "a b"},
		{program(t, "echo $#") + " x 'y z'", "2"},
		{"echo warning >&2; echo a", "a"},
		{"echo a; sleep 300 &", "a"}, // what it left behind does not hold the set
	} {
		got, err := discover(t, script(row.script))
		if err != nil || strings.Join(got, " ") != row.want {
			t.Errorf("%v: got %v, %v; want %s", row.script, got, err, row.want)
		}
	}
}

func TestSource_saysWhatWentWrong(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		script any
		code   engine.Code
		want   string
	}{
		{"echo a; echo no such inventory >&2; exit 1", engine.CodeFailed, "failed: exit 1: no such inventory"},
		{"kill -9 $$", engine.CodeFailed, "signal: killed"},
		{"echo ok; echo 'web 1'", engine.CodeInvalid, `line 2 of what the script echo ok; echo 'web 1' printed is no host name: "web 1"`},
		{"echo -- --state", engine.CodeInvalid, "is no host name"},
		{"yes web1", engine.CodeInvalid, "more than 4194304 bytes"},
		{argv("/nonexistent/nodes", "x"), engine.CodeNotSent, "the script /nonexistent/nodes x: not started"},
		{argv("/etc/passwd"), engine.CodeNotSent, "permission denied"},
	} {
		got, err := discover(t, script(row.script))
		if engine.CodeOf(err) != row.code || !strings.Contains(err.Error(), row.want) || got != nil {
			t.Errorf("%v: got %v, %v (%s); want %q", row.script, got, err, engine.CodeOf(err), row.want)
		}
	}
}

func TestSource_runsInAKnownPlace(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_TOKEN", "of-the-bot")
	dir := t.TempDir()
	got, err := discover(t, map[string]any{
		"script": "basename $PWD; echo $TIER; echo $LC_ALL; echo $PLAYBOT_TEST_TOKEN", "cwd": dir, "environment": map[string]any{"TIER": "bravo"},
	})
	if want := []string{filepath.Base(dir), "bravo", "C"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	got, err = discover(t, script("test $(pwd -P) = $(cd "+os.TempDir()+" && pwd -P) && echo there"))
	if err != nil || !slices.Equal(got, []string{"there"}) {
		t.Errorf("without cwd: got %v, %v", got, err)
	}
	if _, err := discover(t, map[string]any{"script": "true", "cwd": dir + "/gone"}); err == nil || !strings.Contains(err.Error(), "gone does not exist") {
		t.Errorf("got %v", err)
	}
}

func TestSource_slowScriptIsStopped(t *testing.T) {
	t.Parallel()
	began := time.Now()
	_, err := discover(t, map[string]any{"script": "sleep 300; echo a", "timeout": "100ms"})
	if engine.CodeOf(err) != engine.CodeTimeout || !strings.Contains(err.Error(), "did not end within 100ms") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// render reads a set of a playbook whose input v has a value, as the engine does.
func render(t *testing.T, properties, value string) ([]string, error) {
	t.Helper()
	book, err := playbooks.Parse("suite.yaml", []byte(`name: suite
version: 1.0.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs: {v: {description: V, type: String}}
nodes: {web: {type: shell, `+properties+`}}
tasks: []
`), engine.Types{Nodes: []engine.NodeSourceType{shell.Type()}})
	if err != nil {
		return nil, err
	}
	scope := playbooks.Scope{Input: func(context.Context, string) (any, error) { return value, nil }}
	p, err := playbooks.Rendered(book.NodeSets[0].Properties, t.Context(), scope, playbooks.Special{})
	if err != nil {
		return nil, err
	}
	s, err := shell.Type().Decode(p)
	if err != nil {
		return nil, err
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_valuesAreNeverTextOfACommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := program(t, `echo "$#"; test -z "$1$V" || echo "$1$V" | tr -dc a-z`)
	for _, value := range []string{"$(touch owned)", "; touch owned", "a\ntouch owned", "`touch owned`", "x y"} {
		for _, properties := range []string{
			fmt.Sprintf(`script: [%s, "{{ inputs.v }}"]`, path),
			fmt.Sprintf(`script: %s, environment: {V: "{{ inputs.v }}"}`, path),
			fmt.Sprintf(`script: "%s{{ inputs.v }}"`, path),
			`script: "{{ inputs.v }}"`,
		} {
			got, err := render(t, properties+", cwd: "+dir, value)
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
				t.Fatalf("%s with %q was carried out", properties, value)
			}
			if strings.Contains(properties, "[") && (err != nil || got[0] != "1") {
				t.Errorf("%s with %q: got %v, %v; want one argument", properties, value, got, err)
			}
		}
	}
}

func TestSource_templatedTextIsAProgramWithoutArguments(t *testing.T) {
	t.Parallel()
	path := program(t, "echo web1")
	dir, name := filepath.Split(path)
	got, err := render(t, `script: "`+dir+`{{ inputs.v }}"`, name)
	if err != nil || !slices.Equal(got, []string{"web1"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err = render(t, `script: "{{ inputs.v }}"`, path+" --tier bravo"); err == nil || !strings.Contains(err.Error(), "write script as a list") {
		t.Errorf("arguments in the value: got %v", err)
	}
	if _, err = render(t, `script: "`+path+` --tier {{ inputs.v }}"`, "x"); err == nil || !strings.Contains(err.Error(), "a value could become one more argument") {
		t.Errorf("arguments in the text: got %v", err)
	}
}

func TestSource_refusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"script is missing":           {},
		"script is empty":             script(""),
		"script names no program":     script(argv("", "x")),
		"must be text":                script(map[string]any{"a": "b"}),
		"cannot hold a zero byte":     script("a\x00b"),
		"timeout must be a duration":  {"script": "x", "timeout": "soon"},
		"environment must be a":       {"script": "x", "environment": "A=1"},
		"cannot be the name of a var": {"script": "x", "environment": map[string]any{"": "c"}},
	} {
		_, err := shell.Type().Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

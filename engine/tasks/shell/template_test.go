package shell_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/shell"
	"github.com/playbot/playbot/playbooks"
)

const preamble = `name: suite
version: 1.0.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs:
  v: {description: A value, type: String}
tasks:
  - shell:
`

// say runs a shell task of a playbook, rendered with a value as the engine does, in an empty folder.
func say(t *testing.T, dir, properties, value string) (string, error) {
	t.Helper()
	book, err := playbooks.Parse("suite.yaml", []byte(preamble+properties+"\n      cwd: "+dir+"\n"), engine.Types{Tasks: []engine.TaskType{shell.Type()}})
	if err != nil {
		t.Fatal(err)
	}
	scope := playbooks.Scope{Input: func(context.Context, string) (any, error) { return value, nil }}
	p, err := playbooks.Rendered(book.Tasks[0].Properties, t.Context(), scope, playbooks.Special{Shell: shell.Type().ShellText})
	if err != nil {
		return "", err
	}
	task, err := shell.Type().Decode(p)
	if err != nil {
		return "", err
	}
	result, err := task.Run(t.Context(), tasktest.Call(nil))
	return printed(result), err
}

// hostile are values that would do something if they were read as text of a command.
func hostile() []string {
	return []string{
		"$(touch owned)", "`touch owned`", "; touch owned", "x' ; touch owned; echo '", `x" ; touch owned; echo "`,
		"a\ntouch owned", "&& touch owned", "| touch owned", "> owned", "$HOME", "*", "--help", `\`, "a  b", "",
	}
}

func TestShell_valuesAreNeverTextOfTheCommand(t *testing.T) {
	t.Parallel()
	for name, properties := range map[string]string{
		"bare":          `      command: "printf '<%s>' {{ inputs.v }}"`,
		"single quotes": `      command: "printf '<%s>' '{{ inputs.v }}'"`,
		"double quotes": `      command: 'printf "<%s>" "{{ inputs.v }}"'`,
		"list":          `      command: [printf, "<%s>", "{{ inputs.v }}"]`,
		"variable":      "      command: printf '<%s>' \"$V\"\n      environment: {V: \"{{ inputs.v }}\"}",
		"with nodes":    "      command: \"printf '<%s>' '{{ inputs.v }}' #\"\n      nodes: [a]",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, v := range hostile() {
				dir := t.TempDir()
				got, err := say(t, dir, properties, v)
				if err != nil || got != "<"+v+">" && name != "with nodes" {
					t.Errorf("%q: got %q, %v", v, got, err)
				}
				if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
					t.Errorf("%q was carried out: %v", v, left)
				}
			}
		})
	}
}

func TestShell_placesWhereNoValueIsSafeAreRefusedAtLoad(t *testing.T) {
	t.Parallel()
	_, err := playbooks.Parse("suite.yaml", []byte(preamble+"      command: \"echo `echo {{ inputs.v }}`\""), engine.Types{Tasks: []engine.TaskType{shell.Type()}})
	if err == nil || !strings.Contains(err.Error(), "back-quotes") {
		t.Errorf("got %v", err)
	}
}

func TestShell_zeroByteInAValueIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := say(t, t.TempDir(), `      command: "echo {{ inputs.v }}"`, "a\x00b"); err == nil || !strings.Contains(err.Error(), "zero byte") {
		t.Errorf("got %v", err)
	}
}

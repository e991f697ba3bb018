package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// The example of a policy does what its cases say, and they say something of everything that its roles may.
func TestPolicyTest_examplePasses(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	file := filepath.Join(root, "playbooks", "examples", "policy", "policy_test.yaml")
	code := run(t.Context(), []string{"policy", "test", file}, nil, &out, &errs)
	if code != exitOK || errs.Len() > 0 || strings.Contains(out.String(), "no case says so") || !strings.Contains(out.String(), "19 cases: 19 passed, 0 failed") {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
	errs.Reset()
	if code := run(t.Context(), []string{"check", "--config", filepath.Join(filepath.Dir(file), "playbot.yaml")}, nil, &out, &errs); code != exitOK || strings.Contains(errs.String(), "role ") {
		t.Errorf("its check: exit code %d\n%s", code, errs.String())
	}
}

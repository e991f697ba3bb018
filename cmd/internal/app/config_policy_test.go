package app_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/policy"
)

func TestPolicyConfig_isReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	want := app.PolicyConfig{
		OwnApproval: true, Approvals: 2, ApprovalReason: "always", Gates: []string{"*.upgrade"}, MaxRuns: 7, SharedChannels: true,
		Roles: map[string]app.RoleConfig{"dev": {
			Members: []string{"*"}, Groups: []string{"S0123OPS"}, May: []policy.Verb{policy.Run, policy.Freeze}, Playbooks: []string{"web_*"},
			Inputs: map[string]policy.Values{
				"tier":  {Like: []string{"bravo", "ch*"}},
				"batch": {Like: []string{"50"}, Ranges: []policy.Range{{AtLeast: 1, AtMost: 10}, {AtLeast: 100, AtMost: math.Inf(1)}}},
			},
			Channels: []string{"C0123", "dm", "terminal"}, MaxNodes: 5, MaxRuns: 2,
		}},
	}
	text, err := yaml.Marshal(app.Config{DataDir: "/d", Playbooks: "/p", Policy: want})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "playbot.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := app.Load(file)
	if err != nil {
		t.Fatalf("%v, in\n%s", err, text)
	}
	role, wanted := got.Policy.Roles["dev"], want.Roles["dev"]
	if !reflect.DeepEqual(role.Inputs, wanted.Inputs) || !reflect.DeepEqual(role.Channels, wanted.Channels) || role.MaxNodes != 5 || role.MaxRuns != 2 || !reflect.DeepEqual(role.Groups, wanted.Groups) {
		t.Errorf("got %+v, want %+v", role, wanted)
	}
	if got.Policy.MaxRuns != 7 || !got.Policy.SharedChannels || !got.Policy.OwnApproval || got.Policy.Approvals != 2 {
		t.Errorf("got %+v", got.Policy)
	}
}

// FuzzPolicyConfig reads anything as a policy: what is wrong has a place and words, and what is right makes one.
func FuzzPolicyConfig(f *testing.F) {
	for _, text := range []string{
		"roles: {a: {members: [x], may: [run], playbooks: ['*'], inputs: {t: {at_least: 1}}}}", "roles: []", "gates: {a: b}",
		"roles: {a: &a {may: [run]}, b: {<<: *a, may: [rn]}}", "max_runs: -1", "approval_expires: 5", "roles: {'': {}}", "x: y",
		"roles: {a: {inputs: {n: [.nan, .inf, 1e400, {at_least: .nan}]}}}", "roles: {a: {<<: [1, 2]}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var cfg struct{ Policy app.PolicyConfig }
		if yaml.Unmarshal([]byte("policy:\n  "+text+"\n"), &cfg) != nil {
			return
		}
		whole := app.Config{DataDir: "d", Playbooks: "p", Policy: cfg.Policy}
		_, err := whole.Rules()
		bad, ok := errors.AsType[*app.PolicyError](err)
		if err != nil && !ok { // what no single value shows: too few seconds, above all
			return
		}
		if ok {
			for _, p := range bad.List {
				if p.Pos.Line == 0 || p.Message == "" {
					t.Errorf("a problem without a place or words: %+v", p)
				}
			}
		}
	})
}

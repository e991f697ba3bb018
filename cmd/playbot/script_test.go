package main

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	bolt "go.etcd.io/bbolt"
	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/policy"
)

// TestScripts plays the sessions in testdata/script: what a person types at a terminal, and what
// they get. Each runs the real program in processes of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "site": startSite, "newer-store": newerStore, "wait-for": waitFor,
		},
	})
}

// exits runs a program and wants its exit code: exits CODE PROGRAM [ARG …].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG …]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		failed, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = failed.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// startSite starts a fleet, a PuppetDB and a workspace, and writes playbot.yaml for them. The local
// user may run everything there; with `own` they may also approve what they asked for, and with
// `reasons` every answer needs a reason.
func startSite(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: site [own] [reasons]")
	}
	local, err := app.StartLocal(context.Background(), app.LocalOptions{
		Dir: ts.MkAbs("."), Nodes: fleetsim.WebFleet(2, 50*time.Millisecond),
		Settings: map[string]any{"check_interval": 0.05, "puppet_interval": 0.05, "batch_pause": 0.05},
	})
	ts.Check(err)
	ts.Defer(func() { ts.Check(local.Stop(context.Background())) })
	me, err := user.Current()
	ts.Check(err)
	local.Config.Policy.Roles["terminal"] = app.RoleConfig{
		Members: []string{me.Username}, May: []policy.Verb{policy.Run, policy.Approve, policy.Cancel}, Playbooks: []string{"*"},
	}
	local.Config.Policy.OwnApproval = slices.Contains(args, "own")
	if slices.Contains(args, "reasons") {
		local.Config.Policy.ApprovalReason = policy.ReasonAlways
	}
	data, err := yaml.Marshal(local.Config)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("playbot.yaml"), data, 0o600))
}

// newerStore makes a store look as if a newer playbot had written it.
func newerStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer-store FILE")
	}
	db, err := bolt.Open(ts.MkAbs(args[0]), 0o600, nil)
	ts.Check(err)
	ts.Check(db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, 99))
	}))
	ts.Check(db.Close())
}

// waitFor waits until another process has created a file.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: wait-for FILE")
	}
	deadline := time.After(patient)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("there is still no %s", args[0])
		}
	}
}

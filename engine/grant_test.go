//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// grant is what somebody says at a gate, such as "ben approves waves=1 until=10m" or "ben denies".
func (s steered) grant(text string) error {
	s.t.Helper()
	words := strings.Fields(text)
	d := engine.Decision{Run: s.id, Actor: person(words[0])}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		var err error
		switch key {
		case "waves":
			_, err = fmt.Sscan(value, &d.Limit.Waves)
		case "nodes":
			_, err = fmt.Sscan(value, &d.Limit.Nodes)
		case "until":
			var in time.Duration
			in, err = time.ParseDuration(value)
			d.Limit.Until = time.Now().Add(in)
		case "rest":
			d.Rest = true
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	defer synctest.Wait()
	if words[1] == "denies" {
		return s.h.Engine.Deny(s.t.Context(), d)
	}
	return s.h.Engine.Approve(s.t.Context(), d)
}

// play carries out a script: what people say at gates and about the waves, and "+2m" for time that passes.
func (s steered) play(script ...string) {
	s.t.Helper()
	for _, act := range script {
		var err error
		switch wait, passes := strings.CutPrefix(act, "+"); {
		case passes:
			d, bad := time.ParseDuration(wait)
			if bad != nil {
				s.t.Fatal(bad)
			}
			s.after(d)
		case strings.Contains(act, " approves"), strings.Contains(act, " denies"):
			err = s.grant(act)
		default:
			err = s.say(act, "")
		}
		if err != nil {
			s.t.Errorf("%s: %v", act, err)
		}
		synctest.Wait()
	}
}

// gates are the gates of a run: which waves each is about, on which nodes, and how it stands.
func gates(run *engine.Run) []string {
	var out []string
	for _, a := range run.Approvals {
		out = append(out, fmt.Sprintf("wave %d %v %s: %s", a.Wave, a.Waves, strings.Join(a.Nodes, " "), a.State))
	}
	return out
}

const (
	each  = "      batch_size: 2\n      approval: {each_wave: true"
	whole = "      batch_size: 2\n      destructive: true"
)

func TestGrant_isTheMostThatBegins(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys   string
		script []string
		waves  []string
		gates  []string
		status engine.RunStatus // empty: it waits
		task   string           // the message of the rolling task, when it has ended
	}{
		"each wave asks for its nodes": {
			keys: each + "}", script: []string{"ben approves", "+2m", "cat approves", "+2m", "eve approves", "+5m"},
			waves:  []string{"k1 k2", "k3 k4", "k5"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: used", "wave 3 [1] k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 3 waves",
		},
		"a no ends the waves": {
			keys: each + "}", script: []string{"ben approves", "+2m", "cat denies", "+5m"},
			waves:  []string{"k1 k2"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: denied"},
			status: engine.RunFailed, task: "denied by cat; 3 nodes of later waves were not touched: k3, k4, k5",
		},
		"nobody in time ends them too": {
			keys: each + ", expires: 10m}", script: []string{"ben approves", "+2m", "+11m"},
			waves:  []string{"k1 k2"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: expired"},
			status: engine.RunFailed, task: "nobody approved until 2000-01-01T00:12:00Z; 3 nodes of later waves were not touched: k3, k4, k5",
		},
		"the rest covers later waves": {
			keys: each + ", scope: run}", script: []string{"ben approves rest", "+10m"},
			waves:  []string{"k1 k2", "k3 k4", "k5"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: used", "wave 3 [1] k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 3 waves",
		},
		"two people for each wave": {
			keys: each + ", count: 2}", script: []string{"ben approves", "cat approves", "+2m", "ben approves"},
			waves: []string{"k1 k2"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: pending"},
		},
		"a pause takes the question back": {
			keys: each + "}", script: []string{"ben approves", "+2m", "pause", "+20h", "resume", "ben approves", "+2m"},
			waves: []string{"k1 k2", "k3 k4"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: voided", "wave 2 [2] k3 k4: used", "wave 3 [1] k5: pending"},
		},
		"sending on takes no gate away": {
			keys: each + "}", script: []string{"ben approves", "pause", "next", "+2m"},
			waves: []string{"k1 k2"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: pending"},
		},
		"a stop takes the question back": {
			keys: each + "}", script: []string{"ben approves", "+2m", "stop", "+2m"},
			waves:  []string{"k1 k2"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: voided"},
			status: engine.RunFailed, task: "stopped by ana after wave 1 of 3; 3 nodes of later waves were not touched: k3, k4, k5",
		},
		"the timeout of the waves takes it back": {
			keys: each + "}\n      timeout: 10m", script: []string{"ben approves", "+15m"},
			waves:  []string{"k1 k2"},
			gates:  []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: voided"},
			status: engine.RunFailed, task: "wave 2 of 3; the waves may take 10m0s, their timeout, and no longer; 3 nodes of later waves were not touched: k3, k4, k5",
		},
		"smaller waves stay within their approval": {
			keys: each + "}", script: []string{"ben approves", "+2m", "slow size=1", "ben approves", "+6m"},
			waves: []string{"k1 k2", "k3", "k4"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: used", "wave 4 [1] k5: pending"},
		},
		"the whole at once": {
			keys: whole, script: []string{"ben approves", "+10m"},
			waves:  []string{"k1 k2", "k3 k4", "k5"},
			gates:  []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 3 waves",
		},
		"the first wave": {
			keys: whole, script: []string{"ben approves waves=1", "+5m", "cat approves", "+10m"},
			waves:  []string{"k1 k2", "k3 k4", "k5"},
			gates:  []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 2 [2 1] k3 k4 k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 3 waves",
		},
		"the first of what is left": {
			keys: whole, script: []string{"ben approves waves=1", "+5m", "cat approves waves=1", "+5m"},
			waves: []string{"k1 k2", "k3 k4"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 2 [2 1] k3 k4 k5: used", "wave 3 [1] k5: pending"},
		},
		"nodes cut a wave": {
			keys: whole, script: []string{"ben approves nodes=3", "+5m", "cat approves nodes=1", "+5m"},
			waves: []string{"k1 k2", "k3", "k4"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 3 [1 1] k4 k5: used", "wave 4 [1] k5: pending"},
		},
		"until a time": {
			keys: whole, script: []string{"ben approves until=2m", "+3m"},
			waves: []string{"k1 k2"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 2 [2 1] k3 k4 k5: pending"},
		},
		"the wave that began before ends": {
			keys: whole, script: []string{"ben approves until=2m1s", "+4m"},
			waves: []string{"k1 k2", "k3 k4"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 3 [1] k5: pending"},
		},
		"the least of what several grant": {
			keys: whole + "\n      approval: {count: 3}", script: []string{"ben approves nodes=4", "cat approves waves=2", "eve approves nodes=3", "+10m"},
			waves: []string{"k1 k2", "k3"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 3 [1 1] k4 k5: pending"},
		},
		"who grants all grants what the other does": {
			keys: whole + "\n      approval: {count: 2}", script: []string{"ben approves", "cat approves waves=1", "+10m"},
			waves: []string{"k1 k2"},
			gates: []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 2 [2 1] k3 k4 k5: pending"},
		},
		"a wave that became larger again": { // no more than was seen when it was asked
			keys: whole, script: []string{"ben approves waves=1", "slow size=1", "+5m", "cat approves waves=1 until=1h", "+5m", "slow every=0s", "eve approves", "+5m"},
			waves:  []string{"k1 k2", "k3", "k4", "k5"},
			gates:  []string{"wave 0 [2 2 1] k1 k2 k3 k4 k5: used", "wave 2 [1 1 1] k3 k4 k5: used", "wave 3 [1 1] k4 k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 4 waves",
		},
		"all waves of a size that became larger again": {
			keys: "      waves: [1, 4]\n      destructive: true", script: []string{"ben approves waves=1", "slow size=1", "+5m", "cat approves", "slow every=0s", "+20m"},
			waves:  []string{"k1", "k2", "k3", "k4", "k5"},
			gates:  []string{"wave 0 [1 4] k1 k2 k3 k4 k5: used", "wave 2 [1 1 1 1] k2 k3 k4 k5: used"},
			status: engine.RunSuccess, task: "5 of 5 nodes in 5 waves",
		},
		"part of a wave of its own gate": {
			keys: each + "}", script: []string{"ben approves nodes=1", "+5m"},
			waves: []string{"k1"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [1] k2: pending"},
		},
		"what was granted and never used": {
			keys: each + "}", script: []string{"ben approves", "+1m", "pause", "next", "+1m", "slow every=10m", "ben approves until=5m", "+2m"},
			waves: []string{"k1 k2", "k3 k4"},
			gates: []string{"wave 1 [2] k1 k2: used", "wave 2 [2] k3 k4: used"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling(row.keys))
				s.play(row.script...)
				run := s.run()
				if diff := cmp.Diff(row.waves, wavesBegun(run, "tasks.1")); diff != "" {
					t.Errorf("waves (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(row.gates, gates(run)); diff != "" {
					t.Errorf("gates (-want +got):\n%s", diff)
				}
				if row.status == "" && run.Status.Final() || row.status != "" && run.Status != row.status {
					t.Errorf("the run is %s, want %q", run.Status, row.status)
				}
				if row.task != "" && run.Steps["tasks.1"].Message != row.task {
					t.Errorf("the task says %q", run.Steps["tasks.1"].Message)
				}
			}, court())
		})
	}
}

func TestGrant_sealsExactlyTheWavesItIsAbout(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys string
		want map[string]any
	}{
		"one wave": {each + "}", map[string]any{"wave": "2 of 3", "nodes": []any{"k3", "k4"}}},
		"the rest": {whole, map[string]any{"waves": []any{[]any{"k3", "k4"}, []any{"k5"}}, "nodes": []any{"k3", "k4", "k5"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, rolling(row.keys))
				s.play("ben approves waves=1", "+5m")
				row.want["tasks"] = []any{"do", "do"}
				if diff := cmp.Diff(row.want, s.run().Pending().Sealed); diff != "" {
					t.Errorf("sealed (-want +got):\n%s", diff)
				}
				s.play("cancel", "+1m")
			}, court())
		})
	}
}

func TestGrant_isRefusedWithASentence(t *testing.T) {
	t.Parallel()
	step := "tasks: [{do: {name: one, destructive: true, approval: {scope: run}}}]"
	for name, row := range map[string]struct{ body, says, want string }{
		"waves of a step":      {step, "ben approves waves=1", "is about one step, which is done whole"},
		"nodes of a step":      {step, "ben approves nodes=1", "is about one step, which is done whole"},
		"a time that is over":  {step, "ben approves until=-1m", "1999-12-31 23:59:00 UTC is over already"},
		"less and the rest":    {step, "ben approves rest until=1h", "either for the rest of the run or for less"},
		"more nodes than asks": {rolling(whole), "ben approves nodes=6", "is about 5 nodes, and you gave 6"},
		"more waves than asks": {rolling(whole), "ben approves waves=4", "is about 3 waves, and you gave 4"},
		"less than nothing":    {rolling(whole), "ben approves nodes=-1", "give 1 or more"},
		"of who may not":       {rolling(whole), "gus approves nodes=1", "none of your roles may approve"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				s := steer(t, h, row.body)
				err := s.grant(row.says)
				if err == nil || !strings.Contains(err.Error(), row.want) {
					t.Errorf("got %v, want %q", err, row.want)
				}
				if a := s.run().Pending(); a == nil || len(a.Given) != 0 {
					t.Error("it counted all the same")
				}
				s.play("cancel", "+1m")
			}, court())
		})
	}
}

// Until when holds for every gate: a further try begins in time, or asks again.
func TestGrant_untilHoldsForTheTriesOfAStep(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Script.FailFirst("breaks", 3)
		s := steer(t, h, "tasks: [{do: {name: breaks, destructive: true, tries: 4, try_sleep: 60}}]")
		s.play("ben approves until=90s", "+10m")
		run := s.run()
		if n := h.Script.Calls("breaks"); n != 2 || run.Pending() == nil {
			t.Errorf("%d tries began, and the gate is %v", n, gates(run))
		}
		s.play("ben approves", "+10m")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, court())
}

func TestGrant_untilHoldsForARepeatAfterACrash(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, "tasks: [{do: {name: one, destructive: true, idempotent: true}}]")
		s.play("ben approves until=10m", "+10s")
		h.Stop()
		time.Sleep(time.Hour)
		h.Restart()
		synctest.Wait()
		if n := h.Script.Calls("one"); n != 1 {
			t.Errorf("the task went again %d times, an hour after the yes was over", n-1)
		}
		s.play("ben approves")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	})
}

func TestGrant_thatNobodyUsedInTimeIsTakenBack(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		s := steer(t, h, rolling(whole))
		log.CutAfter(1, true) // the yes is on disk, and the process dies before it is used
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = h.Engine.Approve(ctx, engine.Decision{Run: s.id, Actor: person("ben"), Limit: engine.Limit{Until: time.Now().Add(time.Minute)}})
		h.Stop()
		s.after(2 * time.Minute)
		log.Refuse(nil)
		h.Restart()
		run := s.run()
		if a := run.Approvals[0]; a.State != engine.ApprovalWithdrawn || a.Why != "it was given until 2000-01-01 00:01:00 UTC" {
			t.Errorf("the yes is %s: %s", a.State, a.Why)
		}
		if run.Pending() == nil || len(run.Steps["tasks.1"].Attempts) != 0 {
			t.Error("the task began on it, or does not ask")
		}
		s.play("cancel", "+1m")
	}, court())
}

// A wave's yes covers no node that appears, and no person who has lost the right since.
func TestGrant_ofAWaveIsLookedAtOnceMore(t *testing.T) {
	t.Parallel()
	gone := false
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+"}"))
		s.play("ben approves", "+2m")
		h.Script.Discover("k1", "k1", "k2", "k3", "k4", "k5", "k6")
		s.play("ben approves")
		a := s.run().Approvals[1]
		if a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, "nodes appeared since the approval: k6") {
			t.Errorf("the yes is %s: %s", a.State, a.Why)
		}
		if again := s.run().Pending(); again == nil || strings.Join(again.Grown, " ") != "k6" || strings.Join(again.Nodes, " ") != "k3 k4" {
			t.Errorf("it asks again for %+v", again)
		}
		gone = true
		s.play("ben approves")
		gone = false
		if a := s.run().Approvals[2]; a.State != engine.ApprovalWithdrawn || !strings.Contains(a.Why, "ben cannot approve any more") {
			t.Errorf("the yes is %s: %s", a.State, a.Why)
		}
		s.play("cat approves", "+2m", "cat approves", "+5m")
		if run := h.Finish(s.id); run.Status != engine.RunSuccess {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, court(), func(o *engine.Options) {
		o.Vouch = func(_ context.Context, a engine.Actor) error {
			if gone && a.Name == "ben" {
				return errors.New("deactivated")
			}
			return nil
		}
	})
}

// A wave that nobody could be asked about does not start, and the run ends.
func TestGrant_thatCannotBeAskedForEndsTheWaves(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		s := steer(t, h, rolling(each+", from: [sre]}"))
		s.play("ben approves")
		h.Stop()
		h.Change(court(func(r *policy.Rules) {
			r.Roles = slices.DeleteFunc(r.Roles, func(r policy.Role) bool { return r.Name == "sre" })
		}))
		h.Restart()
		resolve(t, h, s.id, "tasks.1.wave1.1", engine.ResolveDone)
		run := h.Finish(s.id)
		got := run.Steps["tasks.1"].Message
		if run.Status != engine.RunFailed || !strings.HasPrefix(got, "nobody could be asked about wave 2 of 3: ") || !strings.Contains(got, `the policy has no role "sre"`) || len(run.Steers) != 0 {
			t.Errorf("got %s: %s", run.Status, got)
		}
	}, court())
}

//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// crowd are people who steer a run as it comes into their heads, while its process dies now and then.
type crowd struct {
	steered
	luck *rand.Rand
}

// TestSteering_atRandomKeepsEveryPromise lets people steer runs at random. Every run ends, each node is in
// one wave at most, and what changes something is done once; the rest is what [enginetest.Check] finds.
func TestSteering_atRandomKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	seeds := 60
	if testing.Short() {
		seeds = 8
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				luck := rand.New(rand.NewPCG(uint64(seed), 4))
				gate := []string{"", "destructive: true", "approval: {each_wave: true}", "destructive: true\n      approval: {count: 2}", "approval: {each_wave: true, count: 2}"}[seed%5]
				body := rolling(fmt.Sprintf("      waves: [%d, %d]\n      fail_ok: %t\n      max_failures: %d\n      %s",
					1+luck.IntN(2), 1+luck.IntN(3), luck.IntN(2) == 0, luck.IntN(3), gate))
				c := crowd{steer(t, h, body), luck}
				for range 25 {
					c.act()
				}
				c.finish()
			}, court())
		})
	}
}

// act is one thing that happens, and some time after it.
func (c crowd) act() {
	if c.luck.IntN(8) == 0 {
		c.h.Stop()
		c.h.Restart()
	}
	acts := []string{"pause", "pause", "resume", "resume", "next", "next", "slow every=2m", "slow size=1 every=30s", "slow size=2", "slow every=0s", ""}
	if c.luck.IntN(20) == 0 {
		acts = []string{"stop", "cancel"}
	}
	if act := acts[c.luck.IntN(len(acts))]; act != "" {
		if err := c.say(act, ""); err != nil && engine.CodeOf(err) != engine.CodeConflict {
			c.t.Errorf("%s: %v", act, err)
		}
	}
	c.answer()
	c.grant()
	c.after(time.Duration(c.luck.IntN(100)) * time.Second)
}

// answer says what became of an attempt that a crash cut off.
func (c crowd) answer() {
	c.t.Helper()
	run := c.run()
	s := run.Unknown()
	if s == nil {
		return
	}
	word := truth(c.h, run, s)
	if err := c.h.Engine.Resolve(context.Background(), engine.Answer{Run: c.id, Path: s.Path, Attempt: s.Last().Attempt, Choice: word, Actor: c.h.Ben}); err != nil {
		c.t.Errorf("answer %s: %v", word, err)
	}
}

// grant has somebody say yes at the gate that the run waits at, for all or for less, and now and then no.
func (c crowd) grant() {
	c.t.Helper()
	a := c.run().Pending()
	if a == nil || c.luck.IntN(3) == 0 {
		return
	}
	d := engine.Decision{Run: c.id, Approval: a.Approval, Actor: person([]string{"ben", "cat", "eve"}[c.luck.IntN(3)])}
	switch c.luck.IntN(4) {
	case 0:
		d.Limit.Nodes = 1 + c.luck.IntN(len(a.Nodes))
	case 1:
		d.Limit.Waves = 1 + c.luck.IntN(len(a.Waves))
	case 2:
		d.Limit.Until = time.Now().Add(time.Duration(1+c.luck.IntN(200)) * time.Second)
	}
	say := c.h.Engine.Approve
	if c.luck.IntN(30) == 0 {
		say = c.h.Engine.Deny
	}
	if err := say(context.Background(), d); err != nil && engine.CodeOf(err) != engine.CodeConflict {
		c.t.Errorf("%+v: %v", d.Limit, err)
	}
}

// finish lets the run go on until it ends.
func (c crowd) finish() {
	c.t.Helper()
	for range 200 {
		run := c.run()
		if !run.Ended.IsZero() {
			c.check(run)
			return
		}
		if run.Paused() != nil {
			c.ok("resume")
		}
		c.answer()
		for _, name := range []string{"ben", "cat"} {
			if run := c.run(); run.Pending() != nil {
				_ = c.h.Engine.Approve(context.Background(), engine.Decision{Run: c.id, Actor: person(name)}) // who has said yes says it once
			}
		}
		c.after(10 * time.Minute)
	}
	c.t.Errorf("the run does not end:\n%s", enginetest.Transcript(c.run()))
}

func (c crowd) check(run *engine.Run) {
	c.t.Helper()
	seen := map[string]int{}
	for _, w := range run.Steps["tasks.1"].Rollout.Begun {
		for _, n := range w.Nodes {
			if seen[n]++; seen[n] > 1 {
				c.t.Errorf("%s was in two waves", n)
			}
		}
	}
	keys := map[string]bool{}
	for _, e := range c.h.Script.Effects() {
		if keys[e.Key] {
			c.t.Errorf("%s was done twice", e.Path)
		}
		keys[e.Key] = true
	}
	synctest.Wait()
}

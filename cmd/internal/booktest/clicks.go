package booktest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// clicker does what the people of a case do, when the run comes to it.
type clicker struct {
	house  *house
	clicks []click
	wg     sync.WaitGroup

	mu   sync.Mutex // guards what follows
	used []bool
	seen map[string]bool // gates, and steps that began
	bad  []badClick
}

// badClick is a click that did not come out as the case says.
type badClick struct {
	click click
	text  string
}

func newClicker(h *house, clicks []click) *clicker {
	return &clicker{house: h, clicks: clicks, used: make([]bool, len(clicks)), seen: make(map[string]bool)}
}

// start watches the runs until ctx ends.
func (k *clicker) start(ctx context.Context) {
	if len(k.clicks) == 0 {
		return
	}
	k.wg.Go(func() {
		for {
			select {
			case <-k.house.watch.news:
				k.look(ctx)
			case <-ctx.Done():
				return
			}
		}
	})
}

func (k *clicker) wait() { k.wg.Wait() }

// look finds gates that opened and steps that began.
func (k *clicker) look(ctx context.Context) {
	for _, id := range k.house.watch.known() {
		run, err := engine.LoadRun(ctx, k.house.watch.Log, id)
		if err != nil {
			continue // ctx has ended, or the run is being written
		}
		for _, p := range run.Order {
			if s := run.Steps[p]; k.first("step " + string(id) + " " + string(p)) {
				k.wg.Go(func() { k.cancel(ctx, id, s) })
			}
		}
		if a := run.Pending(); a != nil && k.first("gate "+a.Approval) {
			k.wg.Go(func() { k.decide(ctx, run, a) })
		}
	}
}

// first reports whether something is seen for the first time.
func (k *clicker) first(what string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	again := k.seen[what]
	k.seen[what] = true
	return !again
}

// take takes the next click for a step, of those behind from; each serves once, but those for all gates.
func (k *clicker) take(from int, s *engine.Step, does func(click) bool) (int, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := from; i < len(k.clicks); i++ {
		c := k.clicks[i]
		if does(c) && (c.all() || !k.used[i] && isStep(c.step, s)) {
			k.used[i] = true
			return i, true
		}
	}
	return 0, false
}

// isStep reports whether a case means a step: by its path, or by a part of its description.
func isStep(key string, s *engine.Step) bool {
	return key == string(s.Path) || strings.Contains(s.Description, key)
}

// cancel cancels the run of a step that has begun.
func (k *clicker) cancel(ctx context.Context, id engine.RunID, s *engine.Step) {
	i, ok := k.take(0, s, func(c click) bool { return c.do == "cancel" })
	if !ok || pause(ctx, k.clicks[i].after) != nil {
		return
	}
	c := k.clicks[i]
	k.check(c, k.house.engine.Cancel(ctx, id, k.house.person(c.by), c.reason))
}

// decide answers a gate, until it is decided.
func (k *clicker) decide(ctx context.Context, run *engine.Run, a *engine.Approval) {
	opened, s := time.Now(), run.Steps[a.Path]
	for next := 0; ; {
		i, ok := k.take(next, s, func(c click) bool { return c.do != "cancel" })
		if !ok {
			return
		}
		c := k.clicks[i]
		next = i + 1
		if pause(ctx, c.after-time.Since(opened)) != nil {
			k.untake(i)
			return
		}
		d := engine.Decision{Run: run.ID, Approval: a.Approval, Actor: k.house.person(c.by), Reason: c.reason, Rest: c.rest}
		give := k.house.engine.Approve
		if c.do == "deny" {
			give = k.house.engine.Deny
		}
		k.check(c, give(ctx, d))
		if now, err := k.house.engine.Load(ctx, run.ID); err != nil || now.Pending() == nil || now.Pending().Approval != a.Approval {
			return
		}
	}
}

// untake gives a click back that came to nothing: the run ended before it.
func (k *clicker) untake(i int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used[i] = false
}

// check holds what came of a click against what the case says.
func (k *clicker) check(c click, err error) {
	text := ""
	switch {
	case err == nil && c.refused.text != "":
		text = fmt.Sprintf("%s by %s should be refused with %s, and was not", c.do, c.by, c.refused)
	case err != nil && c.refused.text == "":
		text = fmt.Sprintf("%s by %s was refused: %v", c.do, c.by, err)
	case err != nil && !c.refused.in(err.Error()):
		text = fmt.Sprintf("%s by %s was refused with %q, and not with %s", c.do, c.by, err.Error(), c.refused)
	}
	if text == "" {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.bad = append(k.bad, badClick{c, text})
}

// failures are the clicks that went wrong, and those that never came to pass.
func (k *clicker) failures() []badClick {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := slices.Clone(k.bad)
	for i, c := range k.clicks {
		if !k.used[i] {
			what := fmt.Sprintf("waited at a gate of %q", c.step)
			switch {
			case c.all():
				what = "waited at a gate"
			case c.do == "cancel":
				what = fmt.Sprintf("began %q, or ended before its time", c.step)
			}
			out = append(out, badClick{c, fmt.Sprintf("%s by %s never came to pass: no run %s", c.do, c.by, what)})
		}
	}
	return out
}

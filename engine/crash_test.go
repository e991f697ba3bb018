package engine_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// upgradeBook is web_upgrade in small: locks, node sets, every hook list, a gate whose task has tries,
// and tasks of every effect.
const upgradeBook = `
data_stores: {s: {type: map}}
locks: ["s/tier"]
nodes:
  web: {type: list, nodes: [web1, web2]}
  roll: {type: list, nodes: [r1, r2, r3, r4]}
tasks:
  - do: {name: drain, nodes: "{{ nodes.web }}", destructive: true, tries: 2, try_sleep: 1}
  - do: {name: upgrade, nodes: "{{ nodes.web }}", as: up}
  - do: {name: nrpe, effect: read_only, tries: 3, try_sleep: 5}
  - do: {name: skipped, when: "tasks.up.success == false"}
  - do: {name: enable, effect: idempotent, fail_ok: true}
  - rolling:
      nodes: "{{ nodes.roll }}"
      batch_size: 2
      locks: [s/roll]
      tasks:
        - do: {name: restart, nodes: "{{ wave.nodes }}"}
        - do: {name: health, nodes: "{{ wave.nodes }}", effect: read_only}
hooks:
  pre_book: [{do: {name: announce}}]
  on_fail: [{do: {name: webhook}}, {do: {name: ops_room}}, {child: {name: handler}}]
  on_success: [{do: {name: hooray}}, {do: {name: archive}}]
  post_book: [{do: {name: close}}]
  always: [{do: {name: report, effect: read_only}}, {do: {name: undo}}]
`

// taskHooks comes before and after every task: many more places to die in.
const taskHooks = `  pre_task: [{do: {name: look, effect: read_only}}]
  post_task: [{do: {name: tell}}]
`

const handlerBook = `
data_stores: {s: {type: map}}
locks: ["s/tier"]
tasks: [{do: {name: page_oncall}}]
`

// scene is a run together with what its people do.
type scene struct {
	hooks  string
	script func(s *enginetest.Script)
	gate   string      // "approve", "deny" or "expire"
	cancel engine.Path // the task during which ana cancels
	each   bool        // each wave asks
	steer  bool        // ana pauses the waves, sends one on, slows the rest and lets them go
	secret string      // that the run is started with, and given again
}

// book is what the scene runs. A secret is what a gated task and one that is not are given.
func (s scene) book() string {
	body := upgradeBook + s.hooks
	if s.each {
		body = strings.Replace(body, "batch_size: 2\n", "batch_size: 2\n      approval: {each_wave: true}\n", 1)
	}
	if s.secret == "" {
		return body
	}
	for _, task := range []string{"drain", "upgrade"} {
		body = strings.Replace(body, "{name: "+task+",", `{name: `+task+`, any: "{{ inputs.token }}",`, 1)
	}
	return "inputs: {token: {description: Token, type: Secret}}\n" + body
}

func scenes() map[string]scene {
	fails := func(s *enginetest.Script) { s.FailFirst("upgrade", 9) }
	shaky := func(s *enginetest.Script) {
		s.FailFirst("drain", 1)
		s.FailFirst("nrpe", 2)
		s.FailFirst("enable", 9)
	}
	hangs := func(s *enginetest.Script) {
		s.On("upgrade", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			<-ctx.Done()
			return engine.Result{}, context.Cause(ctx)
		})
	}
	slow := func(s *enginetest.Script) {
		shaky(s)
		s.On("health", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			select {
			case <-time.After(5 * time.Second):
				return engine.Result{Message: "done"}, nil
			case <-ctx.Done():
				return engine.Result{}, context.Cause(ctx)
			}
		})
	}
	return map[string]scene{
		"steered":           {script: slow, gate: "approve", steer: true},
		"each wave asked":   {script: slow, gate: "approve", steer: true, each: true},
		"success":           {script: shaky, gate: "approve", hooks: taskHooks},
		"retried":           {script: shaky, gate: "approve"},
		"failure":           {script: fails, gate: "approve"},
		"denied":            {gate: "deny"},
		"expired":           {gate: "expire"},
		"cancelled":         {script: hangs, gate: "approve", cancel: "tasks.2"},
		"secret":            {script: shaky, gate: "approve", secret: theSecret},
		"secret, cancelled": {script: hangs, gate: "approve", cancel: "tasks.2", secret: theSecret},
		"pre failed":        {script: func(s *enginetest.Script) { s.FailFirst("announce", 9) }},
	}
}

func panics(context.Context, int, *engine.Call) (engine.Result, error) { panic("boom") }

// told is what is left of a run when it is over: what people read, and what the world saw.
type told struct {
	Runs    []string
	Effects map[string]int // times that something not idempotent was done
	Locks   bool           // still held
}

func TestCrash_afterEveryEventEndsAsTheUncutRun(t *testing.T) {
	t.Parallel()
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events, want := s.cut(t, -1, false, truth)
			step := 1
			if testing.Short() {
				step = 11
			}
			for k := 0; k < events; k += step {
				_, got := s.cut(t, k, true, truth)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("cut after %d events (-uncut +cut):\n%s", k, diff)
				}
				if s.hooks != "" {
					continue
				}
				if _, got = s.cut(t, k, false, truth); !cmp.Equal(want, got) {
					t.Errorf("cut after %d events, of which the last was not known to be written (-uncut +cut):\n%s", k, cmp.Diff(want, got))
				}
			}
		})
	}
}

func TestCrash_everyAnswerLetsTheRunEnd(t *testing.T) {
	t.Parallel()
	for _, choice := range []engine.Resolution{engine.ResolveRetry, engine.ResolveDone, engine.ResolveFailed, engine.ResolveAbort} {
		t.Run(string(choice), func(t *testing.T) {
			t.Parallel()
			s := scenes()["retried"]
			events, _ := s.cut(t, -1, false, truth)
			for k := 1; k < events; k += 2 {
				s.cut(t, k, true, func(*enginetest.House, *engine.Run, *engine.Step) engine.Resolution { return choice })
			}
		})
	}
}

// answer is what a person says about an attempt whose fate is not known.
type answer func(h *enginetest.House, r *engine.Run, s *engine.Step) engine.Resolution

// truth looks at what really happened.
func truth(h *enginetest.House, r *engine.Run, s *engine.Step) engine.Resolution {
	e, began := h.Script.EffectOf(r.ID, s.Path, s.Last().Attempt)
	switch {
	case !began || !e.OK && h.Script.Did(r.ID, s.Path) < s.Tries:
		return engine.ResolveRetry
	case e.OK:
		return engine.ResolveDone
	default:
		return engine.ResolveFailed
	}
}

// cut plays a scene on a process that dies after k events, and on one that takes over; never when k is
// negative. It returns how many events there were in all.
func (s scene) cut(t *testing.T, k int, acknowledged bool, word answer) (events int, out told) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "playbot.db")
	synctest.Test(t, func(t *testing.T) {
		file, err := store.Open(path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		log := enginetest.NewFaultyLog(file)
		h := enginetest.NewHouse(t, log)
		h.Book("upgrade", s.book())
		h.Book("handler", handlerBook)
		if s.script != nil {
			s.script(h.Script)
		}
		if k >= 0 {
			log.CutAfter(k, acknowledged)
		}
		p := player{scene: s, t: t, h: h, log: log, word: word}
		out = p.play()
		events = int(file.Head())
		if k >= 0 && p.deaths == 0 {
			t.Errorf("the process did not die after %d events", k)
		}
	})
	return events, out
}

package mcollective_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	"github.com/playbot/playbot/playbooks"
)

func TestMcollective_everyNodeIsHeldToItsAnswer(t *testing.T) {
	t.Parallel()
	for kind, row := range map[fleetsim.Kind]struct{ ok, failed, silent, message string }{
		fleetsim.Silent:    {"web4 web6", "", "web5", "2 of 3 ok; 1 did not answer: web5"},
		fleetsim.Fail:      {"web4 web6", "web5", "", `2 of 3 ok; 1 failed: web5 said "disk full"`},
		fleetsim.Slow:      {"web4 web5 web6", "", "", "3 of 3 ok"},
		fleetsim.Late:      {"web4 web6", "", "web5", "2 of 3 ok; 1 did not answer: web5"},
		fleetsim.Duplicate: {"web4 web5 web6", "", "", "3 of 3 ok"},
		fleetsim.Malformed: {"web4 web6", "", "web5", "2 of 3 ok; 1 did not answer: web5"},
		fleetsim.Stranger:  {"web4 web6", "", "web5", "2 of 3 ok; 1 did not answer: web5"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				delay := 10 * time.Second
				if kind == fleetsim.Late {
					delay = time.Hour
				}
				w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: kind, Delay: delay, Message: "disk full"})
				result, notes, err := w.run(t, ask("rpcutil.ping"))
				if short(result.OKNodes) != row.ok || short(result.FailedNodes) != row.failed || short(result.SilentNodes) != row.silent {
					t.Errorf("got %+v", result)
				}
				message := strings.ReplaceAll(result.Message, suffix, "")
				if message != row.message || (err == nil) != (row.ok == "web4 web5 web6") {
					t.Errorf("got %q, %v; want %q", message, err, row.message)
				}
				if told := strings.Contains(strings.Join(notes, "\n"), "web5"+suffix+": "); !told {
					t.Errorf("no note says what became of web5: %q", notes)
				}
			})
		})
	}
}

func TestMcollective_unknownAgentOrActionFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		result, _, err := w.run(t, ask("puppet.nosuch"))
		if err == nil || short(result.FailedNodes) != "web4 web5 web6" || !strings.Contains(result.Message, "Unknown action nosuch") {
			t.Errorf("unknown action: got %+v, %v", result, err)
		}
		result, _, err = w.run(t, ask("nosuch.ping"))
		if engine.CodeOf(err) != engine.CodeFailed || len(result.OKNodes) != 0 || len(result.FailedNodes)+len(result.SilentNodes) != 3 {
			t.Errorf("unknown agent: got %+v, %v", result, err)
		}
	})
}

func TestMcollective_manyNodesAreCountedAndFewNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Kind: fleetsim.Fail, Message: strings.Repeat("long ", 200)})
		result, notes, err := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": append(web("1", "2", "3", "4", "5", "6"), "lb1"+suffix)})
		if err == nil || !strings.HasPrefix(result.Message, "0 of 7 ok; 7 failed: ") || !strings.HasSuffix(result.Message, "and 2 more") {
			t.Errorf("got %q, %v", result.Message, err)
		}
		if len(result.Message) > 2500 || len(notes[0]) > 400 {
			t.Errorf("a message of %d bytes, a note of %d", len(result.Message), len(notes[0]))
		}
	})
}

func TestMcollective_assertHoldsForEveryReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		if _, _, err := w.run(t, map[string]any{"action": "puppet.disable", "nodes": web("5"), "properties": map[string]any{"message": "x"}}); err != nil {
			t.Fatal(err)
		}
		result, _, err := w.run(t, ask("puppet.status", "assert", "enabled=true and idling=true"))
		want := "2 of 3 ok; 1 does not satisfy enabled=true and idling=true: web5 (enabled=false, idling=true)"
		if got := strings.ReplaceAll(result.Message, suffix, ""); err == nil || got != want || short(result.OKNodes) != "web4 web6" || short(result.FailedNodes) != "web5" {
			t.Errorf("got %q, %+v, %v", got, result, err)
		}
		if result, _, err := w.run(t, ask("puppet.status", "assert", "idling=true and lastrun>0")); err != nil || result.Message != "3 of 3 ok" {
			t.Errorf("got %q, %v", result.Message, err)
		}
	})
}

func TestMcollective_assertIsAskedOfTheRepliesThatAreGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.fleet.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
		result, notes, err := w.run(t, ask("puppet.status", "assert", "enabled=false"))
		want := `0 of 3 ok; 1 failed: web5 said "disk full"; 2 do not satisfy enabled=false: web4 (enabled=true), web6 (enabled=true)`
		if got := strings.ReplaceAll(result.Message, suffix, ""); err == nil || got != want || short(result.FailedNodes) != "web4 web5 web6" {
			t.Errorf("got %q, %+v, %v", got, result.FailedNodes, err)
		}
		slices.Sort(notes)
		if got := short(notes); got != "web4: does not satisfy enabled=false: enabled=true web5: failed: disk full web6: does not satisfy enabled=false: enabled=true" {
			t.Errorf("got the notes %q", got)
		}
	})
}

func TestMcollective_summarizeCountsEqualReplies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		if _, _, err := w.run(t, map[string]any{"action": "appmgr.upgrade", "nodes": web("5"), "properties": map[string]any{"revision": "abc"}}); err != nil {
			t.Fatal(err)
		}
		result, _, err := w.run(t, ask("appmgr.status", "post", []any{"summarize"}))
		want := "3 of 3 ok: web5 revision=abc status=running, 2 × revision=1.0.0 status=running"
		if got := strings.ReplaceAll(result.Message, suffix, ""); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	})
}

func TestMcollective_numbersAreWrittenInFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		_, notes, err := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": web("4")})
		if want := fmt.Sprintf("web4%s: pong=%d", suffix, time.Now().Unix()); err != nil || len(notes) != 1 || notes[0] != want {
			t.Errorf("got %q, %v; want %q", notes, err, want)
		}
		result, _, err := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": web("4"), "assert": "pong<5"})
		if want := fmt.Sprintf("(pong=%d)", time.Now().Unix()); err == nil || !strings.Contains(result.Message, want) {
			t.Errorf("got %q, %v; want %q", result.Message, err, want)
		}
	})
}

func TestType_refusesWhatCannotBeAsked(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		key   string
		value any
		want  string
	}{
		{"action", "puppet", `"puppet" names no action`},
		{"action", ".disable", "names no action"},
		{"action", "puppet.", "names no action"},
		{"action", "puppet.disable.now", "names no action"},
		{"action", "", "action is empty"},
		{"batch_size", 0, "batch_size cannot be"},
		{"batch_size", "200%", "batch_size cannot be"},
		{"batch_size", "many", "batch_size cannot be"},
		{"batch_sleep_time", "soon", "must be a duration"},
		{"max_failures", -1, "max_failures cannot be"},
		{"max_failures", "101%", "max_failures cannot be"},
		{"max_failures", 1.5, "max_failures cannot be"},
		{"max_failures", "some", `a share such as "20%"`},
		{"retry", "silent", `retry cannot be "silent"`},
		{"expect", "data.x ==", "expect"},
		{"post", []any{"summarise"}, `post knows no "summarise"`},
		{"assert", "x 1", "assertion cannot be read"},
		{"assert", "n!=5", "write: not n=5"},
		{"silent", "maybe", "must be true or false"},
		{"properties", []any{"a"}, "must be a mapping"},
	} {
		_, err := mcollective.Type(nil, nil).Decode(playbooks.FromMap(ask("rpcutil.ping", row.key, row.value)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v: got %v, want %q", row.key, row.value, err, row.want)
		}
	}
}

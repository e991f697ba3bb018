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
)

// six are the web servers 1 to 6.
func six() []any { return web("1", "2", "3", "4", "5", "6") }

func TestMaxFailures_toleratesSoManyAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		most         any
		fail, silent []string
		ok           bool
		message      string
	}{
		"none, and none fails":      {0, nil, nil, true, "6 of 6 ok"},
		"some, and none fails":      {2, nil, nil, true, "6 of 6 ok"},
		"as many as allowed":        {2, []string{"2"}, []string{"3"}, true, `4 of 6 ok; 1 failed: web2 said "disk full"; 1 did not answer: web3; at most 2 allowed`},
		"one more than allowed":     {1, []string{"2"}, []string{"3"}, false, `4 of 6 ok; 1 failed: web2 said "disk full"; 1 did not answer: web3; at most 1 allowed`},
		"the default allows none":   {nil, []string{"2"}, nil, false, `5 of 6 ok; 1 failed: web2 said "disk full"`},
		"a share":                   {"34%", []string{"2", "3"}, nil, true, `4 of 6 ok; 2 failed: web2 said "disk full", web3 said "disk full"; at most 2 allowed`},
		"a share is rounded down":   {"33%", []string{"2", "3"}, nil, false, `4 of 6 ok; 2 failed: web2 said "disk full", web3 said "disk full"; at most 1 allowed`},
		"a small share allows none": {"16%", nil, []string{"3"}, false, "5 of 6 ok; 1 did not answer: web3"},
		"one must be ok": {
			"100%",
			[]string{"1", "2", "3"},
			[]string{"4", "5", "6"},
			false,
			`0 of 6 ok; 3 failed: web1 said "disk full", web2 said "disk full", web3 said "disk full"; 3 did not answer: web4, web5, web6; at most 6 allowed, but 1 must be ok`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				for _, n := range row.fail {
					w.fleet.Fault(fleetsim.Fault{Node: "web" + n + suffix, Kind: fleetsim.Fail, Message: "disk full"})
				}
				for _, n := range row.silent {
					w.fleet.Fault(fleetsim.Fault{Node: "web" + n + suffix, Kind: fleetsim.Silent})
				}
				result, _, err := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": six(), "max_failures": row.most})
				if got := strings.ReplaceAll(result.Message, suffix, ""); (err == nil) != row.ok || got != row.message {
					t.Errorf("got %q, %v; want %q, success %t", got, err, row.message, row.ok)
				}
				if len(result.FailedNodes) != len(row.fail) || len(result.SilentNodes) != len(row.silent) || len(result.UnaskedNodes) != 0 {
					t.Errorf("got %+v", result)
				}
			})
		})
	}
}

func TestMaxFailures_furtherBatchesAreNotAskedOnceItIsExceeded(t *testing.T) {
	t.Parallel()
	for most, want := range map[any]struct{ asked, message string }{
		0:     {"web1 web2", `1 of 6 ok; 1 failed: web2 said "disk full"; 4 were not asked: web3, web4, web5, web6`},
		1:     {"web1 web2 web3 web4", `2 of 6 ok; 1 failed: web2 said "disk full"; 1 did not answer: web4; 2 were not asked: web5, web6; at most 1 allowed`},
		"34%": {"web1 web2 web3 web4 web5 web6", `4 of 6 ok; 1 failed: web2 said "disk full"; 1 did not answer: web4; at most 2 allowed`},
	} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				w.fleet.Fault(fleetsim.Fault{Node: "web2" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
				w.fleet.Fault(fleetsim.Fault{Node: "web4" + suffix, Kind: fleetsim.Silent})
				began := time.Now()
				result, notes, err := w.run(t, map[string]any{
					"action": "rpcutil.ping", "nodes": six(), "max_failures": most, "batch_size": 2, "batch_sleep_time": "1h",
				})
				if got := strings.ReplaceAll(result.Message, suffix, ""); got != want.message || (err == nil) != (most == "34%") {
					t.Errorf("got %q, %v; want %q", got, err, want.message)
				}
				var asked []string
				for _, c := range w.fleet.Calls() {
					asked = append(asked, c.Node)
				}
				slices.Sort(asked)
				if short(asked) != want.asked {
					t.Errorf("%s were asked, want %s", short(asked), want.asked)
				}
				batches := len(asked) / 2
				if took := time.Since(began); took > time.Duration(batches-1)*time.Hour+time.Minute {
					t.Errorf("took %s: there is no rest after the last of %d batches", took, batches)
				}
				if told := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "nodes are not asked: 1 failed") }); told == (most == "34%") {
					t.Errorf("got the notes %q", notes)
				}
				if len(result.OKNodes)+len(result.FailedNodes)+len(result.SilentNodes)+len(result.UnaskedNodes) != 6 {
					t.Errorf("a node is unaccounted for in %+v", result)
				}
			})
		})
	}
}

func TestMaxFailures_nodesThatDoNotSatisfyAnAssertionCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		disable := map[string]any{"action": "puppet.disable", "nodes": web("2", "4"), "properties": map[string]any{"message": "x"}}
		if _, _, err := w.run(t, disable); err != nil {
			t.Fatal(err)
		}
		status := func(most, size int) (engine.Result, error) {
			result, _, err := w.run(t, map[string]any{
				"action": "puppet.status", "nodes": six(), "assert": "enabled=true", "max_failures": most, "batch_size": size, "post": []any{"summarize"},
			})
			return result, err
		}
		result, err := status(1, 2)
		want := "2 of 6 ok; 2 do not satisfy enabled=true: web2 (enabled=false), web4 (enabled=false); 2 were not asked: web5, web6; at most 1 allowed"
		if got := strings.ReplaceAll(result.Message, suffix, ""); err == nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		result, err = status(2, 2)
		if err != nil || short(result.OKNodes) != "web1 web3 web5 web6" || short(result.FailedNodes) != "web2 web4" {
			t.Errorf("got %+v, %v", result, err)
		}
		if !strings.Contains(result.Message, "; at most 2 allowed: web1") || strings.Contains(result.Message, "disable_message=x") {
			t.Errorf("got the summary %q, want one of the nodes that are ok", result.Message)
		}
		if first := result.Data.([]any)[0].(map[string]any); first["sender"] != "web2"+suffix {
			t.Errorf("got the reply of %v first, want those that are not ok", first["sender"])
		}
	})
}

func TestExpect_isHeldAgainstEveryReply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		disable := map[string]any{"action": "puppet.disable", "nodes": web("5"), "properties": map[string]any{"message": "x"}}
		if _, _, err := w.run(t, disable); err != nil {
			t.Fatal(err)
		}
		for expect, want := range map[string]string{
			"data.enabled":                        "2 of 3 ok; 1 does not satisfy data.enabled: web5 (enabled=false)",
			"data.enabled && data.lastrun > 0":    "2 of 3 ok; 1 does not satisfy data.enabled && data.lastrun > 0: web5 (enabled=false lastrun=946684800)",
			"data.lastrun > 0 && statuscode == 0": "3 of 3 ok",
			`sender startsWith "web"`:             "3 of 3 ok",
			`statusmsg == "OK"`:                   "3 of 3 ok",
			`sender != "web4.example.net"`:        "2 of 3 ok; 1 does not satisfy sender != \"web4\": web4 (",
			"data.nosuch > 1":                     "0 of 3 ok; 3 do not satisfy data.nosuch > 1: web4 (expression",
			"data.enabled.deeper.still == 1":      "0 of 3 ok; 3 do not satisfy data.enabled.deeper.still == 1: web4 (expression",
			"data.disable_message":                "0 of 3 ok; 3 do not satisfy data.disable_message: web4 (expression",
		} {
			result, _, err := w.run(t, ask("puppet.status", "expect", expect))
			got := strings.ReplaceAll(result.Message, suffix, "")
			if !strings.HasPrefix(got, want) || (err == nil) != strings.HasPrefix(got, "3 of 3 ok") {
				t.Errorf("%s: got %q, %v; want %q", expect, got, err, want)
			}
			if len(result.OKNodes)+len(result.FailedNodes) != 3 {
				t.Errorf("%s: got %+v", expect, result)
			}
		}
	})
}

func TestExpect_countsWithMaxFailuresAndAssert(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		disable := map[string]any{"action": "puppet.disable", "nodes": web("2", "3"), "properties": map[string]any{"message": "x"}}
		if _, _, err := w.run(t, disable); err != nil {
			t.Fatal(err)
		}
		w.fleet.Fault(fleetsim.Fault{Node: "web1" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
		properties := map[string]any{
			"action": "puppet.status", "nodes": six(), "assert": "idling=true", "expect": "data.enabled", "max_failures": 3,
		}
		result, _, err := w.run(t, properties)
		want := `3 of 6 ok; 1 failed: web1 said "disk full"; 2 do not satisfy data.enabled: web2 (enabled=false), web3 (enabled=false); at most 3 allowed`
		if got := strings.ReplaceAll(result.Message, suffix, ""); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
		properties["max_failures"] = 2
		if _, _, err := w.run(t, properties); engine.CodeOf(err) != engine.CodeFailed {
			t.Errorf("3 of at most 2 failed: got %v", err)
		}
	})
}

func TestExpect_isCheckedAtLoadAndEvaluatedInARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, h := house(t)
		disable := map[string]any{"action": "puppet.disable", "nodes": web("5"), "properties": map[string]any{"message": "x"}}
		if _, _, err := w.run(t, disable); err != nil {
			t.Fatal(err)
		}
		h.Book("b", `
inputs: {want: {type: Boolean, default: true}}
tasks: [{mcollective: {action: puppet.status, nodes: [web4.example.net, web5.example.net], expect: data.enabled == inputs.want}}]
`)
		run := h.Finish(h.Start("b", nil))
		result := run.Steps["tasks.1"].Last().Outcome.Result
		want := "1 of 2 ok; 1 does not satisfy data.enabled == inputs.want: web5 (enabled=false)"
		if got := strings.ReplaceAll(result.Message, suffix, ""); run.Status != engine.RunFailed || got != want {
			t.Errorf("%s: got %q, want %q", run.Status, got, want)
		}
	})
}

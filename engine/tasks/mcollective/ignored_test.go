package mcollective_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
)

func TestMcollective_whatIsNoAnswerIsCountedInANote(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		for n, kind := range map[string]fleetsim.Kind{
			"1": fleetsim.Duplicate, "2": fleetsim.Stranger, "3": fleetsim.WrongRequestID, "4": fleetsim.Malformed, "5": fleetsim.Late,
		} {
			w.fleet.Fault(fleetsim.Fault{Node: "web" + n + suffix, Kind: kind, Delay: 90 * time.Second})
		}
		// one batch each, so that the late answer comes while web6 is waited for
		w.fleet.Fault(fleetsim.Fault{Node: "web6" + suffix, Kind: fleetsim.Slow, Delay: 15 * time.Second})
		nodes := append(web("5", "1", "2", "3", "4"), web("6")...)
		_, notes, _ := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": nodes, "batch_size": 1, "batch_sleep_time": 3, "max_failures": 6})
		want := "not counted: 1 second answers of a node, 1 answers after the time was up, 1 answers of nodes that were not asked, " +
			"1 answers to another request, 1 answers that could not be read"
		if !slices.Contains(notes, want) {
			t.Errorf("got the notes\n%s\nwant\n%s", strings.Join(notes, "\n"), want)
		}
		_, notes, err := w.run(t, map[string]any{"action": "rpcutil.ping", "nodes": web("6")})
		if err != nil || slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "not counted") }) {
			t.Errorf("got %v and the notes %q; want nothing about what did not happen", err, notes)
		}
	})
}

func TestMcollective_unknownNodesFailTheTaskAndAreNamed(t *testing.T) {
	t.Parallel()
	c := canned{
		Replies: []choria.Reply{{Sender: "web4" + suffix}}, Silent: []string{"web6" + suffix}, Unknown: []string{"web5" + suffix},
		Dropped: 1, Trimmed: 2,
	}
	var notes []string
	result, err := decode(t, c, ask("rpcutil.ping")).Run(t.Context(), tasktest.Call(func(line string) { notes = append(notes, line) }))
	want := "1 of 3 ok; 1 did not answer: web6; 1 unknown (the network was lost or overloaded): web5"
	if got := strings.ReplaceAll(result.Message, suffix, ""); err == nil || got != want || short(result.SilentNodes) != "web5 web6" {
		t.Errorf("got %q, %v, silent %v; want %q", got, err, result.SilentNodes, want)
	}
	for _, want := range []string{"web5" + suffix + ": unknown", "1 answers that came too fast, and not kept: the data of 2 large answers"} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no note says %q: %q", want, notes)
		}
	}
}

func TestSummary_saysWhatWasNotKept(t *testing.T) {
	t.Parallel()
	c := canned{Replies: []choria.Reply{
		{Sender: "web4" + suffix, Data: map[string]any{"a": 1.0}}, {Sender: "web5" + suffix, Trimmed: true}, {Sender: "web6" + suffix, Trimmed: true},
	}}
	result, err := decode(t, c, ask("rpcutil.ping", "post", []any{"summarize"})).Run(t.Context(), tasktest.Call(func(string) {}))
	if want := "web4 a=1, 2 × (too large to be kept)"; err != nil || !strings.Contains(strings.ReplaceAll(result.Message, suffix, ""), want) {
		t.Errorf("got %q, %v; want %q", result.Message, err, want)
	}
}

// canned is a client that always has the same result.
type canned choria.Result

// Callers implements [mcollective.Client].
func (canned) Callers() choria.Callers { return choria.Callers{} }

func (c canned) Call(_ context.Context, q choria.Request) (choria.Result, error) {
	for _, r := range c.Replies {
		q.OnReply(r)
	}
	return choria.Result(c), nil
}

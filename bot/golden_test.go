package bot

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/bot/workspace/blockkit"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// drawings are all messages that the bot can draw, by the name of their golden files. The JSON can be
// pasted into Slack's Block Kit Builder; the text is what a person reads.
func drawings(t *testing.T) map[string]message {
	t.Helper()
	b, book := drawer(), sampleBook(t)
	here := cardFrame{approvers: "<@UBEN> <@UCAT>", label: "staging", channel: "C1", now: began.Add(192 * time.Second)}
	of := func(run *engine.Run) message { return card(run, book, here) }
	q := func(run *engine.Run, ref string) message {
		t.Helper()
		q, ok := b.question(run, ref)
		if !ok {
			t.Fatalf("there is no question %q", ref)
		}
		return q.message
	}
	gate, cut := approvalRef("a1"), unknownRef("tasks.2", 1)
	child := requested(inputs())
	child.Parent = &engine.Parent{Run: "01JNFKS0000000000000PAR456", Path: "on_fail.1", Depth: 1}
	huge := map[string]any{}
	for _, name := range []string{"a", "b", "c", "d"} {
		huge[name] = strings.Repeat("a long value, ", 400)
	}
	grown := asked(map[string]any{"action": "haproxy.disable"}, "lb1")
	grown.Grown = []string{"lb8", "lb9"}
	uncompared := asked(map[string]any{"action": "haproxy.disable"}, "lb1")
	uncompared.Uncompared = `node set "web": no network`
	lookup := engine.NodesUncompared{Path: "tasks.2", Try: 1, Message: uncompared.Uncompared, Again: began.Add(time.Minute)}
	nodes := engine.Result{OKNodes: []string{"web1"}, FailedNodes: []string{"web2", "web3"}, SilentNodes: []string{"web4"}}
	failed := then(underWay(), attempts("tasks.2", 1), fails("tasks.2", 1, nodes, "web2: no space left"), attempts("tasks.2", 2),
		fails("tasks.2", 2, nodes, "web2: no space left on /var", "web3: no such package"), ends("tasks.2", engine.TaskFailed, "2 of 4 nodes failed, 1 was silent"))
	counts := engine.Result{OKNodes: []string{"web1", "web2"}, FailedNodes: []string{"web3"}}
	counted := then(underWay(), attempts("tasks.2", 1), fails("tasks.2", 1, counts, "asking 3 nodes", "web3: failed: no space"), ends("tasks.2", engine.TaskFailed, `2 of 3 ok; 1 failed: web3 said "no space"`))
	quiet := then(underWay(), attempts("tasks.2", 1), works("tasks.2", 1, engine.Result{}, "all well"), ends("tasks.2", engine.TaskOK, "exit 0: all well\n"),
		begins("tasks.3", "Tell ops"), attempts("tasks.3", 1), works("tasks.3", 1, engine.Result{}), ends("tasks.3", engine.TaskOK, "posted to #ops"))
	out := map[string]message{
		"card_preparing": of(fold(requested(inputs()))),
		"card_locked": of(fold(requested(inputs()), engine.LockAwaited{
			Lock: "coordination/deploy/bravo", Holder: engine.Holder{Run: engine.RunID(strings.Repeat("0", 20) + "ABC123"), Who: "ben", Since: began},
		})),
		"card_nodes": of(fold(requested(inputs()), engine.NodesAwaited{
			Nodes: []string{"web1", "web2"}, Holder: engine.Holder{Run: engine.RunID(strings.Repeat("0", 20) + "ABC123"), Who: "ben", Since: began},
		})),
		"card_targets":         of(fold(requested(inputs()), engine.Prepared{Nodes: map[string][]string{"web": hundred().Steps["tasks.2"].Last().Nodes, "lb": {"lb1.example.net"}, "none": nil}})),
		"card_running":         of(then(underWay(), attempts("tasks.2", 2))),
		"card_gate":            of(atGate()),
		"card_unknown":         of(cutOff()),
		"card_failed":          of(then(underWay(), ends("tasks.2", engine.TaskFailed, "no"), over(engine.RunFailed, `"Drain web" failed: 2 of 4 nodes failed`))),
		"card_cancelled":       of(then(underWay(), engine.CancelRequested{Actor: ben()}, ends("tasks.2", engine.TaskCancelled, "stopped"), over(engine.RunCancelled, "cancelled by ben"))),
		"card_cancelling":      of(then(underWay(), attempts("tasks.2", 1), engine.CancelRequested{Actor: ben()})),
		"card_success":         of(then(underWay(), ends("tasks.2", engine.TaskOK, "ok"), over(engine.RunSuccess, "2 of 2 tasks done"))),
		"card_child":           of(fold(child, engine.Prepared{})),
		"card_elsewhere":       card(fold(requested(inputs())), book, cardFrame{approvers: "<@UBEN>", channel: "C2"}),
		"card_60_steps":        of(manySteps(60)),
		"card_300_steps":       of(manySteps(300)),
		"card_huge_inputs":     of(fold(requested(huge))),
		"card_terminal":        of(fold(terminal())),
		"approval_pending":     q(atGate(), gate),
		"approval_differs":     differing(t),
		"approval_misleading":  q(misleading(), gate),
		"approval_taken_back":  q(twoAsked(yes("a1", ben(), "looks fine"), engine.ApprovalTakenBack{Approval: "a1", Actor: ben(), Reason: "wrong tier"}), gate),
		"approval_rest_taken":  q(restTaken(), gate),
		"approval_escalated":   q(secondCircle(engine.ApprovalReminded{Approval: "a1"}, engine.ApprovalReminded{Approval: "a1", Escalated: true}), gate),
		"reminder":             b.reminder(secondCircle(), secondCircle().Approvals[0], false),
		"reminder_second":      b.reminder(secondCircle(), secondCircle().Approvals[0], true),
		"approval_approved":    q(atGate(engine.ApprovalGiven{Approval: "a1", Actor: ben(), Reason: "looks fine"}), gate),
		"approval_denied":      q(atGate(engine.ApprovalDenied{Approval: "a1", Actor: ben(), Reason: "not on a Friday"}), gate),
		"approval_expired":     q(atGate(engine.ApprovalExpired{Approval: "a1"}), gate),
		"approval_voided":      q(atGate(engine.ApprovalVoided{Approval: "a1", Reason: "the run was cancelled"}), gate),
		"approval_two":         q(twoAsked(), gate),
		"approval_one_of_two":  q(twoAsked(yes("a1", ben(), "looks fine")), gate),
		"approval_two_mixed":   q(twoAsked(yes("a1", ben(), "looks fine"), yes("a1", terminal().Actor, "")), gate),
		"approval_two_given":   q(twoAsked(rest("a1", ben()), rest("a1", cat())), gate),
		"approval_two_denied":  q(twoAsked(yes("a1", ben(), "looks fine"), engine.ApprovalDenied{Approval: "a1", Actor: cat(), Reason: "not on a Friday"}), gate),
		"approval_two_expired": q(twoAsked(yes("a1", ben(), ""), engine.ApprovalExpired{Approval: "a1"}), gate),
		"approval_rests":       q(resting(), approvalRef("a2")),
		"card_one_of_two":      of(twoAsked(yes("a1", ben(), ""))),
		"approval_grown":       q(then(underWay(), grown), gate),
		"approval_uncompared":  q(then(underWay(), uncompared), gate),
		"card_uncompared":      of(then(underWay(), lookup)),
		"step_uncompared":      uncomparedMessage(then(underWay(), lookup), &lookup),
		"approval_huge":        q(then(underWay(), asked(huge, manyNodes(300)...)), gate),
		"unknown_open":         q(cutOff(), cut),
		"unknown_answered":     q(cutOff(engine.AttemptResolved{Path: "tasks.2", Attempt: 1, Choice: engine.ResolveDone, Actor: ben()}), cut),
		"unknown_over":         q(cutOff(engine.CancelRequested{Actor: ana()}, ends("tasks.2", engine.TaskCancelled, "the run was cancelled"), over(engine.RunCancelled, "")), cut),
		"step_ok":              b.stepsMessage(then(underWay()), []engine.Path{"tasks.1"}),
		"step_failed":          b.stepsMessage(failed, []engine.Path{"tasks.2"}),
		"step_tolerated":       b.stepsMessage(then(underWay(), attempts("tasks.2", 1), fails("tasks.2", 1, nodes), ends("tasks.2", engine.TaskTolerated, "2 failed")), []engine.Path{"tasks.2"}),
		"step_skipped":         b.stepsMessage(fold(requested(nil), engine.TaskSkipped{Path: "tasks.1", Type: "do", Description: "Only on Mondays", Reason: "when: day == 1"}), []engine.Path{"tasks.1"}),
		"step_child":           b.stepsMessage(then(underWay(), attempts("tasks.2", 1), works("tasks.2", 1, engine.Result{Child: "01JNFKS0000000000000CHI789"}), ends("tasks.2", engine.TaskOK, "success")), []engine.Path{"tasks.2"}),
		"step_child_named":     b.stepsMessage(then(underWay(), attempts("tasks.2", 1), works("tasks.2", 1, engine.Result{Child: "01JNFKS0000000000000CHI789"}), ends("tasks.2", engine.TaskOK, "r-chi789 web_check: success")), []engine.Path{"tasks.2"}),
		"step_group":           b.stepsMessage(failed, []engine.Path{"tasks.1", "tasks.2"}),
		"step_counted":         b.stepsMessage(counted, []engine.Path{"tasks.2"}),
		"step_denied":          b.stepsMessage(atGate(engine.ApprovalDenied{Approval: "a1", Actor: ben()}, ends("tasks.2", engine.TaskDenied, "denied by ben: not on a Friday")), []engine.Path{"tasks.2"}),
		"step_hundred":         b.stepsMessage(hundred(), []engine.Path{"tasks.2"}),
		"step_group_quiet":     b.stepsMessage(quiet, []engine.Path{"tasks.1", "tasks.2", "tasks.3"}),
		"card_secret_lost":     of(atGate(engine.SecretsNeeded{Names: []string{"pin", "token"}})),
		"secret_lost":          lostMessage(then(underWay(), engine.SecretsNeeded{Names: []string{"token"}})),
		"end_success":          ending(then(underWay(), over(engine.RunSuccess, "3 of 3 tasks done")), book),
		"end_failed":           ending(failedEnd(), book),
		"end_hundred":          ending(hundred(), book),
		"end_unprepared":       ending(fold(requested(inputs()), engine.PrepareFailed{Message: "node set web: no node was found"}, over(engine.RunFailed, "node set web: no node was found")), book),
		"end_denied":           ending(atGate(engine.ApprovalDenied{Approval: "a1", Actor: ben()}, ends("tasks.2", engine.TaskDenied, "denied by ben: not on a Friday"), over(engine.RunFailed, `"Drain web" denied by ben: not on a Friday`)), book),
		"end_long":             ending(longEnd(huge), book),
		"end_cancelled":        ending(then(underWay(), engine.CancelRequested{Actor: ben(), Reason: "wrong tier"}, ends("tasks.2", engine.TaskCancelled, "stopped: the run was cancelled"), over(engine.RunCancelled, "cancelled by ben: wrong tier")), book),
		"card_paused":          of(then(underWay(), attempts("tasks.2", 1), engine.RunPaused{Actor: ben(), Reason: "errors rise"})),
		"card_held":            of(then(steeredRun(), engine.RunPaused{Actor: ben(), Reason: "errors rise"}, engine.RunHeld{Before: "tasks.1", Wave: 2})),
		"card_slowed":          of(then(steeredRun(), pace(5*time.Minute, 1), engine.WavesStopped{Path: "tasks.1", Actor: ana()})),
		"approval_rolling":     q(then(underWay(), waves(0, 1, 2, 2)), gate),
		"approval_wave":        q(then(steeredRun(), waves(2, 2)), gate),
		"approval_one_wave":    q(then(underWay(), waves(0, 1, 2, 2), grants(ben(), engine.Limit{Waves: 1})), gate),
		"approval_least": q(then(underWay(), ofTwo(waves(0, 1, 2, 2)), grants(ben(), engine.Limit{Nodes: 3}),
			grants(cat(), engine.Limit{Until: began.Add(2 * time.Hour)})), gate),
		"card_wave_asked":      of(then(steeredRun(), waves(2, 2))),
		"pause_asked":          q(then(underWay(), engine.RunPaused{Actor: ben()}), "pause/8"),
		"pause_held":           q(then(steeredRun(), engine.RunPaused{Actor: ben(), Reason: "errors *rise*"}, engine.RunHeld{Before: "tasks.1", Wave: 2}), "pause/10"),
		"pause_resumed":        q(then(underWay(), engine.RunPaused{Actor: ben(), Reason: "errors rise"}, engine.RunResumed{Actor: ana(), Reason: "all is well"}), "pause/8"),
		"pause_over":           q(then(underWay(), engine.RunPaused{Actor: ben()}, engine.CancelRequested{Actor: ana()}), "pause/8"),
		"steer_next":           steerMessage(said(engine.WaveSentOn{Path: "tasks.1", Wave: 2, Actor: ben(), Reason: "looks <good>"})),
		"steer_slow":           steerMessage(said(pace(5*time.Minute, 3))),
		"steer_stop":           steerMessage(said(engine.WavesStopped{Path: "tasks.1", Actor: terminal().Actor, Reason: "enough"})),
		"reply_every_block":    render(everyBlock()),
		"reply_nothing":        render(commands.Reply{}),
		"reply_twenty_buttons": render(manyButtons()),
	}
	return out
}

func cat() engine.Actor { return engine.Actor{Team: "T1", User: "UCAT", Name: "cat", Channel: "C1"} }

func yes(id string, who engine.Actor, reason string) engine.ApprovalGiven {
	return engine.ApprovalGiven{Approval: id, Actor: who, Reason: reason, Role: "sre"}
}

func rest(id string, who engine.Actor) engine.ApprovalGiven {
	return engine.ApprovalGiven{Approval: id, Actor: who, Role: "sre", Rest: true}
}

// resting is a run whose second gate rests on what was approved at the first.
func resting() *engine.Run {
	second := asked(map[string]any{"action": "haproxy.enable"}, "lb1")
	second.Approval, second.Number, second.Path, second.Rests = "a2", 2, "tasks.3", "a1"
	return twoAsked(rest("a1", ben()), rest("a1", cat()), attempts("tasks.2", 1), works("tasks.2", 1, engine.Result{}),
		ends("tasks.2", engine.TaskOK, "ok"), begins("tasks.3", "Put web back"), second, yes("a2", ben(), ""))
}

// steeredRun is a run whose first of three waves has ended.
func steeredRun() []engine.Payload {
	roll := begins("tasks.1", "Restart kafka")
	roll.Type = "rolling"
	plan := engine.Result{Data: map[string]any{"waves": []any{[]any{"k1"}, []any{"k2", "k3"}, []any{"k4"}}, "max_failures": 1}}
	return []engine.Payload{
		requested(nil),
		engine.Prepared{},
		roll, attempts("tasks.1", 1), works("tasks.1", 1, plan),
		engine.WaveStarted{Path: "tasks.1", Wave: 1, Nodes: []string{"k1"}},
		begins("tasks.1.wave1.1", "Restart k1"), works("tasks.1.wave1.1", 1, engine.Result{}), ends("tasks.1.wave1.1", engine.TaskOK, "ok"),
	}
}

// said is that run, and what somebody says about it.
func said(what engine.Payload) (*engine.Run, engine.Steer) {
	run := then(steeredRun(), what)
	return run, run.Steers[0]
}

// waves is a gate about waves of a rolling task, of these sizes from that number on; 0 is before it is planned.
func waves(first int, sizes ...int) engine.ApprovalAsked {
	a := asked(map[string]any{"nodes": []any{"k2", "k3"}, "tasks": []any{"mcollective service.restart"}}, "k1", "k2", "k3", "k4", "k5")
	if a.Path = "tasks.2"; first > 0 {
		a.Path, a.Sealed["wave"], a.Nodes = "tasks.1", "2 of 3", []string{"k2", "k3"}
	}
	a.Wave, a.Waves = first, sizes
	return a
}

func ofTwo(a engine.ApprovalAsked) engine.ApprovalAsked {
	a.Count = 2
	return a
}

func grants(who engine.Actor, l engine.Limit) engine.ApprovalGiven {
	return engine.ApprovalGiven{Approval: "a1", Actor: who, Role: "sre", Limit: l}
}

func pace(every time.Duration, size int) engine.WavesSlowed {
	return engine.WavesSlowed{Path: "tasks.1", Every: every, Size: size, Actor: ana()}
}

func terminal() engine.RunRequested {
	r := requested(inputs())
	r.Actor = engine.Actor{User: "local/root", Name: "*root* <!channel> `x`"}
	return r
}

func manyNodes(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "node" + strings.Repeat("0", i%3) + "-of-a-long-name.example.net"
	}
	return out
}

func everyBlock() commands.Reply {
	plain := commands.Span{Kind: commands.Plain, Text: "ours "}
	spans := []commands.Span{
		plain,
		{Kind: commands.Bold, Text: "bold"},
		{Kind: commands.Code, Text: "/playbook run x"},
		{Kind: commands.Outside, Text: " <!channel> *not bold* `not code` & more"},
		{Kind: commands.Mention, Text: "ben", Actor: ben()},
		{Kind: commands.Mention, Text: "root", Actor: engine.Actor{User: "root"}},
		{Kind: commands.RunRef, Text: sampleID.Short(), Run: sampleID},
	}
	return commands.Reply{
		Title: "Everything", Run: sampleID, Private: true,
		Blocks: []commands.Block{
			commands.Text{Spans: spans},
			commands.Text{Spans: []commands.Span{plain}},
			commands.Fields{Items: []commands.Field{{Label: "Status", Value: spans[:2]}, {Label: "Asked by", Value: spans[4:5]}}},
			commands.List{Items: [][]commands.Span{spans[:1], spans[1:4]}},
			commands.List{Items: [][]commands.Span{spans[:1], spans[4:]}, Ordered: true},
			commands.Preformatted{Text: "a\n  b <@UBEN> *c*\n"},
			commands.Buttons{Items: append(commands.ApprovalButtons(sampleID, &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Approval: "a1"}}), commands.ApprovalButtons(sampleID, &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Approval: "a2"}})...)},
			commands.Buttons{Items: commands.ResolveButtons(sampleID, "tasks.1", 1)},
			commands.Context{Spans: spans},
		},
	}
}

func manyButtons() commands.Reply {
	var items []commands.Button
	for range 40 {
		items = append(items, commands.ShowButton(sampleID))
	}
	return commands.Reply{Blocks: []commands.Block{commands.Buttons{Items: items}}}
}

// T-20: among them every state of a gate, whose layout nothing in a playbook can change.
func TestDrawings_areAsGoldenAndSlackTakesThem(t *testing.T) {
	t.Parallel()
	ws := workspace.New(testWorkspace())
	t.Cleanup(ws.Stop)
	for name, m := range drawings(t) {
		blocks := decoded(t, m)
		checkMessage(t, name, m)
		var pretty bytes.Buffer
		enc := json.NewEncoder(&pretty)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(map[string]any{"blocks": blocks}); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", pretty.String())
		golden(t, name+".txt", "notification: "+m.text+"\n\n"+ws.PlainText(workspace.Message{Text: m.text, Blocks: blocks})+"\n")
	}
}

func golden(tb testing.TB, name, got string) {
	tb.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Errorf("%v; `make golden` writes it", err)
		return
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		tb.Errorf("%s is not as it was (-want +got); if that is meant, `make golden` writes it:\n%s", name, diff)
	}
}

func TestDrawings_everyGoldenIsDrawn(t *testing.T) {
	t.Parallel()
	drawn := drawings(t)
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		if _, ok := drawn[name]; !ok {
			t.Errorf("%s is the golden file of nothing; delete it", f)
		}
	}
}

// decoded are the blocks as Slack gets them.
func decoded(tb testing.TB, m message) []any {
	tb.Helper()
	raw, err := json.Marshal(m.blocks)
	if err != nil {
		tb.Fatal(err)
	}
	var out []any
	if err := json.Unmarshal(raw, &out); err != nil {
		tb.Fatal(err)
	}
	return out
}

// checkMessage holds a message against what Slack refuses, and against our own margins.
func checkMessage(tb testing.TB, name string, m message) {
	tb.Helper()
	blocks := decoded(tb, m)
	if bad := blockkit.Update(m.text, blocks); bad != nil {
		tb.Errorf("%s: Slack refuses it: %v", name, bad)
	}
	if m.text == "" {
		tb.Errorf("%s has no text for notifications", name)
	}
	if n := characters(blocks); n > maxCharacters+500 {
		tb.Errorf("%s has %d characters, and we keep to %d", name, n, maxCharacters)
	}
	classic := true
	hasButtons := false
	for _, raw := range blocks {
		block, _ := raw.(map[string]any)
		classic = classic && block["type"] != "rich_text"
		hasButtons = hasButtons || block["type"] == "actions"
	}
	if hasButtons && !classic && !strings.HasPrefix(name, "reply_") {
		tb.Errorf("%s has buttons and rich text; what a click sends back must be readable by every client library", name)
	}
}

// characters counts the text of all blocks.
func characters(v any) int {
	n := 0
	switch t := v.(type) {
	case []any:
		for _, one := range t {
			n += characters(one)
		}
	case map[string]any:
		for key, one := range t {
			if s, ok := one.(string); ok && key == "text" {
				n += len([]rune(s))
				continue
			}
			n += characters(one)
		}
	}
	return n
}

// checkView holds a view against what Slack refuses.
func checkView(tb testing.TB, name string, v any) {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(raw, &body); err != nil {
		tb.Fatal(err)
	}
	if bad := blockkit.View(body); bad != nil {
		tb.Errorf("%s: Slack refuses it: %v", name, bad)
	}
}

package bot

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// mark is in every text of the hostile runs and in none of ours: where it shows up, text from outside is.
const mark = "¤"

// nasty are things that people, playbooks and nodes may say.
func nasty() []string {
	return []string{
		"<!channel>", "<!here|x>", "<@UBEN>", "<#C1>", "<https://evil.example|safe>", "*bold*", "_it_", "~gone~", "`code`", "```", ":smile:", "> quote",
		"\x1b[31mred\x1b[0m", "\x1b]8;;http://x\x07link", "\u009b31m", "\u202eright to left", "\u2066isolate", "\u200b", "\x00", "\x7f", "\r", "\n", "\n✅ Approved by ben", "\t", "&amp;", "&lt;", "&",
		"\xff\xfe", "日本語", "🙂", " ", strings.Repeat("&", 4000), strings.Repeat("x", 3000), strings.Repeat("a\n", 1000),
	}
}

func hostileText(t *rapid.T, label string) string {
	parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(nasty()), rapid.String()), 0, 6).Draw(t, label)
	return mark + strings.Join(parts, mark)
}

func hostileList(t *rapid.T, label string) []string {
	n := rapid.IntRange(0, 60).Draw(t, label+" length")
	out := make([]string, n)
	one := hostileText(t, label)
	for i := range out {
		out[i] = one
	}
	return out
}

// hostileRun is a run in which everything that may come from outside does.
func hostileRun(t *rapid.T) *engine.Run {
	say := func(label string) string { return hostileText(t, label) }
	r := requested(map[string]any{"a": say("input"), "b": []any{say("input in list")}})
	r.Actor = engine.Actor{User: say("user"), Name: say("name")}
	if rapid.Bool().Draw(t, "in slack") {
		r.Actor = engine.Actor{Team: "T1", User: "UANA", Name: say("name"), Channel: "C1"}
	}
	by := engine.Actor{User: say("decider"), Name: say("decider's name")}
	gate := asked(map[string]any{"command": say("sealed"), "list": []any{say("sealed in list")}}, hostileList(t, "gate nodes")...)
	gate.Grown = hostileList(t, "grown")
	facts := []engine.Payload{
		r,
		engine.Prepared{},
		begins("tasks.1", say("description")), attempts("tasks.1", 1, hostileList(t, "nodes")...),
		fails("tasks.1", 1, engine.Result{Message: say("result"), FailedNodes: hostileList(t, "failed"), SilentNodes: hostileList(t, "silent")}, hostileList(t, "notes")...),
		ends("tasks.1", engine.TaskFailed, say("message")), begins("tasks.2", say("description 2")), gate,
	}
	switch rapid.IntRange(0, 4).Draw(t, "decision") {
	case 1:
		facts = append(facts, engine.ApprovalDenied{Approval: "a1", Actor: by, Reason: say("reason")})
	case 2:
		facts = append(facts, engine.ApprovalGiven{Approval: "a1", Actor: by}, attempts("tasks.2", 1, gate.Nodes...), engine.AttemptUnknown{Path: "tasks.2", Attempt: 1})
	case 3:
		facts = append(facts, engine.ApprovalGiven{Approval: "a1", Actor: by}, attempts("tasks.2", 1), engine.AttemptUnknown{Path: "tasks.2", Attempt: 1},
			engine.AttemptResolved{Path: "tasks.2", Attempt: 1, Choice: engine.ResolveDone, Actor: by})
	case 4:
		facts = append(facts, engine.CancelRequested{Actor: by, Reason: say("why")}, over(engine.RunFailed, say("end")))
	}
	return fold(facts...)
}

// checkHostile holds a message against the limits, and every text in it against markup.
func checkHostile(tb testing.TB, name string, m message) {
	tb.Helper()
	checkMessage(tb, name, m)
	if strings.ContainsAny(m.text, "<>") {
		tb.Errorf("%s: the notification has markup: %q", name, m.text)
	}
	if strings.Contains(m.text, "&") && strings.Contains(strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(m.text), "&") {
		tb.Errorf("%s: the notification has half an entity: %q", name, m.text)
	}
	walkTexts(decoded(tb, m), "", func(kind, text string) {
		if kind != "plain_text" && kind != "text" && strings.Contains(text, mark) {
			tb.Errorf("%s: text from outside in a %s, where it may be markup: %q", name, kind, text)
		}
		for _, r := range text {
			if r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || unicode.IsControl(r) && r != '\n' && r != '\t' {
				tb.Errorf("%s: %q is in a text that people see", name, r)
				return
			}
		}
	})
}

// walkTexts calls visit with every text and the type of the object that it is in.
func walkTexts(v any, kind string, visit func(kind, text string)) {
	switch t := v.(type) {
	case []any:
		for _, one := range t {
			walkTexts(one, kind, visit)
		}
	case map[string]any:
		if k, ok := t["type"].(string); ok {
			kind = k
		}
		for key, one := range t {
			if s, ok := one.(string); ok && key != "type" {
				visit(kind, s)
				continue
			}
			walkTexts(one, kind, visit)
		}
	}
}

func TestDrawings_ofHostileRunsAreSoundAndNeverMarkup(t *testing.T) {
	t.Parallel()
	b, book := drawer(), sampleBook(t)
	rapid.Check(t, func(rt *rapid.T) {
		run := hostileRun(rt)
		tb := rapidTB{TB: t, rt: rt}
		checkHostile(tb, "card", card(run, book, cardFrame{approvers: "<@UBEN>", label: mark + "label", channel: "C2"}))
		checkHostile(tb, "step", b.stepsMessage(run, []engine.Path{"tasks.1"}))
		checkHostile(tb, "steps", b.stepsMessage(run, []engine.Path{"tasks.1", "tasks.2", "tasks.1", "tasks.1", "tasks.1"}))
		checkHostile(tb, "end", ending(run, book))
		for _, ref := range []string{approvalRef("a1"), unknownRef("tasks.2", 1)} {
			if q, ok := b.question(run, ref); ok {
				checkHostile(tb, ref, q.message)
				if q.open != strings.Contains(encoded(tb, q.message), `"actions"`) {
					rt.Errorf("question %s: open is %t, and its buttons differ: %s", ref, q.open, encoded(tb, q.message))
				}
			}
		}
	})
}

func encoded(tb testing.TB, m message) string {
	tb.Helper()
	raw, err := json.Marshal(m.blocks)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

// rapidTB reports to rapid, so that it shrinks what it finds.
type rapidTB struct {
	testing.TB
	rt *rapid.T
}

func (r rapidTB) Helper()                           {}
func (r rapidTB) Errorf(format string, args ...any) { r.rt.Errorf(format, args...) }
func (r rapidTB) Fatal(args ...any)                 { r.rt.Fatal(args...) }

func TestRender_ofHostileRepliesIsSoundAndNeverMarkup(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		span := func() commands.Span {
			return commands.Span{
				Kind: rapid.SampledFrom([]commands.SpanKind{commands.Code, commands.Outside, commands.Mention}).Draw(rt, "kind"),
				Text: hostileText(rt, "span"), Actor: engine.Actor{Team: rapid.SampledFrom([]string{"", "T1"}).Draw(rt, "team"), User: rapid.SampledFrom([]string{"UBEN", mark + "<evil>"}).Draw(rt, "user")},
			}
		}
		spans := make([]commands.Span, rapid.IntRange(0, 12).Draw(rt, "spans"))
		for i := range spans {
			spans[i] = span()
		}
		items := make([][]commands.Span, rapid.IntRange(0, 30).Draw(rt, "items"))
		for i := range items {
			items[i] = spans
		}
		blocks := []commands.Block{
			commands.Text{Spans: spans},
			commands.List{Items: items},
			commands.Fields{Items: []commands.Field{{Label: "L", Value: spans}, {Label: "M", Value: spans}}},
			commands.Preformatted{Text: hostileText(rt, "output")},
			commands.Context{Spans: spans},
			commands.Buttons{Items: []commands.Button{{Label: hostileText(rt, "label"), Action: commands.ActionSuggest, Value: hostileText(rt, "value")}}},
		}
		for range rapid.IntRange(0, 3).Draw(rt, "doublings") {
			blocks = append(blocks, blocks...)
		}
		tb := rapidTB{TB: t, rt: rt}
		m := render(commands.Reply{Title: hostileText(rt, "title"), Blocks: blocks})
		checkHostileReply(tb, m)
	})
}

// checkHostileReply is checkHostile, but for the value of buttons, which nobody sees.
func checkHostileReply(tb testing.TB, m message) {
	tb.Helper()
	checkMessage(tb, "reply_hostile", m)
	if strings.ContainsAny(m.text, "<>") {
		tb.Errorf("the notification has markup: %q", m.text)
	}
	walkTexts(decoded(tb, m), "", func(kind, text string) {
		if kind != "plain_text" && kind != "text" && kind != "button" && strings.Contains(text, mark) {
			tb.Errorf("text from outside in a %s, where it may be markup: %q", kind, text)
		}
	})
}

func TestCleanText_takesAwayEscapesAndShowsTheRest(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"\x1b[1;31mred\x1b[0m":     "red",
		"\x1b]8;;http://x\x07link": "link",
		"a\r\nb":                   "a\nb",
		"a\u202eb":                 "a\ufffdb",
		"bell\x07":                 "bell\ufffd",
		"plain *x* <y>":            "plain *x* <y>",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("cleanText(%q) is %q, want %q", in, got, want)
		}
	}
}

func TestApprovalMessage_nothingFromOutsideCanPretendToBeALineOfOurs(t *testing.T) {
	t.Parallel()
	fake := "web1\ntask: nothing at all\n✅ Approved by ben"
	run := then(append(underWay()[:6], begins("tasks.2", fake)), asked(map[string]any{"command": fake}, fake, "web2"))
	q, ok := drawer().question(run, approvalRef("a1"))
	if !ok {
		t.Fatal("there is no question")
	}
	walkTexts(decoded(t, q.message), "", func(_, text string) {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "✅") || strings.HasPrefix(line, "task: nothing") {
				t.Errorf("a value looks like a line of ours: %q in %q", line, text)
			}
		}
	})
}

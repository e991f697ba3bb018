package bot

import (
	"strings"
	"testing"
	"unicode"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// trick is a piece of output that somebody hopes to make more of than text, with an id for who finds one more.
type trick struct{ id, text string }

// terminalTricks are made for a terminal or a log: T-11.
func terminalTricks() []trick {
	return []trick{
		{"ansi-colour", "\x1b[31mFAILED\x1b[0m"},
		{"ansi-clear", "ok\x1b[2J\x1b[Hnothing happened"},
		{"ansi-title", "\x1b]0;owned\x07done"},
		{"ansi-link", "\x1b]8;;https://evil.example\x1b\\safe\x1b]8;;\x1b\\"},
		{"ansi-c1", "\u009b31mred\u009b0m"},
		{"ansi-cut-off", "half a sequence \x1b["},
		{"ansi-dcs", "\x1bPq#0;2;0;0;0\x1b\\"},
		{"ansi-hidden", "\x1b[8minvisible\x1b[28m"},
		{"cr-overwrite", "FAILED: disk full\rok                    "},
		{"cr-lines", "one\r\ntwo\rthree"},
		{"backspaces", "rm -rf /\b\b\b\b\b\b\b\bls      "},
		{"bell", "ding\x07dong"},
		{"nul", "before\x00after"},
		{"del", "a\x7fb"},
		{"vertical-tab", "a\vb\fc"},
		{"fake-log-line", "done\ntime=2026-11-26T10:00:00Z level=INFO msg=\"approved by ben\""},
		{"fake-step", "done\n✅ Drain — 2s, 2 of 2 nodes ok"},
		{"fake-record", "done\n✅ Approved by @ben at 2026-11-26 10:00:00 UTC"},
		{"fake-end", "done\n✅ web success after 3s"},
		{"fake-button", "done\n[Approve] [Deny]"},
		{"rtl-override", "exe.\u202etxt.sh"},
		{"rtl-isolate", "\u2067abc\u2069 \u2066def"},
		{"rtl-mark", "a\u200fb\u200ec\u061cd"},
		{"rtl-embedding", "\u202aabc\u202bdef\u202c"},
		{"line-separator", "one\u2028two\u2029three"},
		{"zero-width", "pass\u200bword\u2060\ufeff\u00ad"},
		{"tags", "safe\U000e0049\U000e0067\U000e006e"},
		{"not-utf8", "caf\xe9 \xff\xfe"},
		{"lone-surrogate", "\xed\xa0\x80"},
		{"wide-combining", "a" + strings.Repeat("\u0301", 400)},
	}
}

// slackTricks are made for Slack: T-12.
func slackTricks() []trick {
	return []trick{
		{"channel", "<!channel> look"},
		{"here", "<!here>"},
		{"here-named", "<!here|somebody>"},
		{"everyone", "<!everyone>"},
		{"user", "<@UBEN>"},
		{"user-named", "<@UBEN|ana>"},
		{"group", "<!subteam^S1>"},
		{"room", "<#C1>"},
		{"room-named", "<#C1|general>"},
		{"date", "<!date^1392734382^{date}|soon>"},
		{"at-channel", "@channel @here @everyone"},
		{"hash-room", "#general"},
		{"link-named", "<https://evil.example|https://slack.com>"},
		{"link-bare", "https://evil.example/?q=secret"},
		{"link-internal", "http://169.254.169.254/latest/meta-data"},
		{"link-mailto", "<mailto:ben@example.net|ben>"},
		{"link-lookalike", "https://s1ack.com and https://ѕlack.com"},
		{"link-slack", "slack://user?team=T1&id=U1"},
		{"link-script", "<javascript:alert(1)|here>"},
		{"link-markdown", "[approve](https://evil.example)"},
		{"image-markdown", "![x](https://evil.example/pixel.png)"},
		{"bold", "*Approved*"},
		{"italic", "_so_"},
		{"strike", "~not~"},
		{"code", "`rm`"},
		{"quote", "> said ben"},
		{"emoji", ":white_check_mark: done"},
		{"fence", "```\nout\n```"},
		{"fence-closes", "```"},
		{"fence-opens", "text ```json\n{}"},
		{"fence-many", "``````"},
		{"heading", "# Approved"},
		{"table", "| a | b |\n|---|---|"},
		{"entity", "&lt;!channel&gt;"},
		{"entity-half", "&lt"},
		{"entity-double", "&amp;lt;!here&amp;gt;"},
		{"angle-open", "<!chan"},
		{"angle-nested", "<<!here>>"},
		{"angle-split", "<!\nhere>"},
		{"angle-space", "< !here >"},
		{"angle-zero-width", "<\u200b!here>"},
		{"angle-wide", "＜!channel＞"},
		{"block-json", `{"type":"actions","elements":[{"type":"button","action_id":"approve"}]}`},
		{"too-long", strings.Repeat("<!channel>", 2000)},
		{"too-many-lines", strings.Repeat("<@UBEN>\n", 2000)},
	}
}

// corpusRun is a run in which everything that comes from outside says the same.
func corpusRun(text string) *engine.Run {
	r := requested(map[string]any{"a": text, "b": []any{text}})
	r.Actor = engine.Actor{User: text, Name: text}
	gate := asked(map[string]any{"command": text}, text, text)
	gate.Grown = []string{text}
	result := engine.Result{Message: text, OKNodes: []string{text}, FailedNodes: []string{text}, SilentNodes: []string{text}}
	return fold(r, engine.Prepared{},
		begins("tasks.1", text), attempts("tasks.1", 1, text), fails("tasks.1", 1, result, text, text+": "+text), ends("tasks.1", engine.TaskFailed, text),
		begins("tasks.2", text), gate)
}

// T-11, T-12: output of nodes, names and inputs are shown letter by letter in whatever we draw. They are in no
// text that may be markup, and change neither the layout nor what a terminal or a screen reader makes of it.
func TestCorpus_ofHostileOutputIsTextAndNothingElse(t *testing.T) {
	t.Parallel()
	b, book := drawer(), sampleBook(t)
	for threat, list := range map[string][]trick{"T-11": terminalTricks(), "T-12": slackTricks()} {
		for _, one := range list {
			t.Run(threat+"/"+one.id, func(t *testing.T) {
				t.Parallel()
				run := corpusRun(mark + one.text)
				checkHostile(t, "card", card(run, book, cardFrame{approvers: "<@UBEN>", channel: "C2"}))
				checkHostile(t, "step", b.stepsMessage(run, []engine.Path{"tasks.1"}))
				checkHostile(t, "plain", plainMessage(run, mark+one.text))
				q, ok := b.question(run, approvalRef("a1"))
				if !ok {
					t.Fatal("there is no question")
				}
				checkHostile(t, "question", q.message)
				buttons := len(buttonsOf(t, q.message))
				if want := len(commands.ApprovalButtons(run.ID, run.Pending())); buttons != want {
					t.Errorf("the question has %d buttons, want %d", buttons, want)
				}
				reply := render(commands.Reply{Private: true, Blocks: []commands.Block{commands.Preformatted{Text: mark + one.text}, commands.Text{Spans: []commands.Span{{Kind: commands.Outside, Text: mark + one.text}}}}})
				checkHostile(t, "reply", reply)
				if len(buttonsOf(t, reply)) != 0 {
					t.Error("output became a button")
				}
			})
		}
	}
}

// buttonsOf are the action ids of the buttons of a message.
func buttonsOf(tb testing.TB, m message) []string {
	tb.Helper()
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch t := v.(type) {
		case []any:
			for _, one := range t {
				walk(one)
			}
		case map[string]any:
			if id, ok := t["action_id"].(string); ok {
				out = append(out, id)
			}
			for _, one := range t {
				walk(one)
			}
		}
	}
	walk(decoded(tb, m))
	return out
}

// F-37: whatever people, playbooks and nodes say, what is drawn keeps to Slack's limits, and nothing panics.
func FuzzDrawings(f *testing.F) {
	for _, one := range append(terminalTricks(), slackTricks()...) {
		f.Add(one.text, one.text, 3)
	}
	b, book := drawer(), sampleBook(f)
	f.Fuzz(func(t *testing.T, text, other string, n int) {
		run := corpusRun(mark + text)
		run.Message = mark + other
		checkHostile(t, "card", card(run, book, cardFrame{approvers: "<@UBEN>", channel: "C2", label: mark + other}))
		paths := make([]engine.Path, 1+max(n, -n)%12)
		for i := range paths {
			paths[i] = "tasks.1"
		}
		checkHostile(t, "steps", b.stepsMessage(run, paths))
		if q, ok := b.question(run, approvalRef("a1")); ok {
			checkHostile(t, "question", q.message)
		}
		checkHostile(t, "plain", plainMessage(run, mark+other))
		if strings.ContainsFunc(plainMessage(run, other).text, unicode.IsControl) {
			t.Error("a control character is in a plain line")
		}
	})
}

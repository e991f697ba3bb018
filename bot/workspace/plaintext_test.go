package workspace_test

import (
	"encoding/json"
	"testing"

	"github.com/playbot/playbot/bot/workspace"
)

func TestPlainText_readsAsAPersonDoes(t *testing.T) {
	t.Parallel()
	w := workspace.New(workspace.Options{})
	t.Cleanup(w.Stop)
	for what, c := range map[string]struct{ text, blocks, want string }{
		"words":       {"*bold* `code` &lt;tag&gt; &amp; more", "", "bold code <tag> & more"},
		"mentions":    {"<@U0ANA> in <#C0OPS> <!here> <@U9>", "", "@ana in #ops @here @U9"},
		"links":       {"<https://x.test|here> <https://y.test> <!subteam^S1|@sre>", "", "here https://y.test @sre"},
		"half a link": {"a < b", "", "a < b"},
		"blocks":      {"fallback", `[{"type":"header","text":{"type":"plain_text","text":"Head *"}},{"type":"divider"}]`, "Head *\n────"},
		"fields":      {"", `[{"type":"section","text":{"type":"mrkdwn","text":"*t*"},"fields":[{"type":"plain_text","text":"a"},{"type":"mrkdwn","text":"b"}]}]`, "t\na\nb"},
		"accessory":   {"", `[{"type":"section","text":{"type":"plain_text","text":"t"},"accessory":{"type":"button","text":{"type":"plain_text","text":"Go"}}}]`, "t [Go]"},
		"actions":     {"", `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"Approve"}},{"type":"static_select"}]}]`, "[Approve] <static_select>"},
		"context":     {"", `[{"type":"context","elements":[{"type":"mrkdwn","text":"a"},{"type":"image","alt_text":"pic"}]}]`, "a  (image: pic)"},
		"input":       {"", `[{"type":"input","label":{"type":"plain_text","text":"Who"},"element":{"type":"plain_text_input"}}]`, "Who: <plain_text_input>"},
		"image":       {"", `[{"type":"image","alt_text":"a chart"}]`, "(image: a chart)"},
		"markdown":    {"", `[{"type":"markdown","text":"# x"}]`, "# x"},
		"table":       {"", `[{"type":"table","rows":[[{"type":"raw_text","text":"a"},{"type":"raw_text","text":"b"}],[{"type":"raw_text","text":"c"}]]}]`, "a | b\nc"},
		"rich text": {
			"", `[{"type":"rich_text","elements":[
			{"type":"rich_text_section","elements":[{"type":"text","text":"hi *"},{"type":"user","user_id":"U0BEN"},{"type":"text","text":" "},{"type":"channel","channel_id":"C0OPS"},
				{"type":"emoji","name":"tada"},{"type":"link","url":"https://x.test"},{"type":"link","url":"u","text":"named"},{"type":"broadcast","range":"here"}]},
			{"type":"rich_text_list","style":"ordered","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"one"}]}]},
			{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"two"}]}]},
			{"type":"rich_text_preformatted","elements":[{"type":"text","text":"a\nb\n"}]}]}]`,
			"hi *@ben #ops:tada:https://x.testnamed@here\n1. one\n• two\n    a\n    b",
		},
	} {
		var blocks []any
		if c.blocks != "" {
			if err := json.Unmarshal([]byte(c.blocks), &blocks); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.PlainText(workspace.Message{Text: c.text, Blocks: blocks}); got != c.want {
			t.Errorf("%s reads\n%q, want\n%q", what, got, c.want)
		}
	}
}

package blockkit_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// refusal is something that Slack refuses, and how.
type refusal struct {
	what string
	got  *blockkit.Refusal
	name string
	says string // a part of one of its messages
}

func wrongText() []refusal {
	return []refusal{
		{"no text at all", blockkit.Post("", nil), "no_text", ""},
		{"an update to nothing", blockkit.Update("", nil), "no_text", ""},
		{"empty text object", post(section("")), badBlocks, "more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"empty header", post(obj{"type": "header", "text": plain("")}), badBlocks, "/blocks/0/text/text]"},
		{"empty rich text leaf", post(rich(obj{"type": "rich_text_section", "elements": []any{leaf("")}})), badBlocks, "/elements/0/elements/0/text]"},
		{"empty markdown", post(obj{"type": "markdown", "text": ""}), badBlocks, "/blocks/0/text]"},
		{"a string where an object belongs", post(obj{"type": "section", "text": "words"}), badBlocks, "must be a text object"},
		{"text that is a number", post(obj{"type": "section", "text": obj{"type": "mrkdwn", "text": 7.0}}), badBlocks, "/blocks/0/text/text]"},
		{"unknown kind of text", post(obj{"type": "section", "text": obj{"type": "html", "text": "x"}}), badBlocks, "must be plain_text or mrkdwn"},
		{"mrkdwn in a header", post(obj{"type": "header", "text": mrkdwn("x")}), badBlocks, "must be plain_text here"},
		{"mrkdwn on a button", post(actions(with(button("a"), "text", mrkdwn("x")))), badBlocks, "must be plain_text here"},
		{"mrkdwn in a menu", post(actions(with(menu("static_select", 0), "options", []any{obj{"text": mrkdwn("x"), "value": "v"}}))), badBlocks, "must be plain_text here"},
		{"emoji switch on mrkdwn", post(obj{"type": "section", "text": with(mrkdwn("x"), "emoji", true)}), badBlocks, "only for plain_text"},
		{"verbatim switch on plain text", post(obj{"type": "section", "text": with(plain("x"), "verbatim", true)}), badBlocks, "only for mrkdwn"},
		{"plain title of a modal missing", blockkit.View(obj{"type": "modal", "blocks": []any{section("s")}}), badView, "/title]"},
		{"mrkdwn title of a modal", blockkit.View(with(modal(section("s")), "title", mrkdwn("x"))), badView, "/title/type]"},
	}
}

func wrongPlace() []refusal {
	return []refusal{
		{"unknown block", post(obj{"type": "hologram"}), badBlocks, `"hologram" is not allowed in a message [json-pointer:/blocks/0/type]`},
		{"block without a type", post(obj{}), badBlocks, "/blocks/0/type]"},
		{"a block that is a string", blockkit.Post("x", []any{"words"}), badBlocks, "must be an object [json-pointer:/blocks/0]"},
		{"alert in a message", post(obj{"type": "alert", "text": plain("x")}), badBlocks, "not allowed in a message"},
		{"table in a modal", inModal(table(1, 1)), badView, `"table" is not allowed in a modal`},
		{"markdown in a modal", inModal(obj{"type": "markdown", "text": "x"}), badView, `"markdown" is not allowed in a modal`},
		{"two tables", post(table(1, 1), table(1, 1)), badBlocks, "only one table"},
		{"unknown element", post(actions(obj{"type": "lever", "action_id": "a"})), badBlocks, `"lever" is not allowed in actions`},
		{"text input among actions", post(actions(textInput())), badBlocks, "/elements/0/type]"},
		{"text input beside a section", post(with(section("s"), "accessory", textInput())), badBlocks, "/accessory/type]"},
		{"button as an input", inModal(input(button("a"))), badView, "/element/type]"},
		{"image among actions", post(actions(obj{"type": "image", "image_url": "u", "alt_text": "a"})), badBlocks, "/elements/0/type]"},
		{"multi select among actions", post(actions(menu("multi_static_select", 1))), badBlocks, "/elements/0/type]"},
		{"file input in a message", post(input(obj{"type": "file_input", "action_id": "f"})), badBlocks, `"file_input" is not allowed in a message`},
		{"button in a context", post(obj{"type": "context", "elements": []any{button("a")}}), badBlocks, "/elements/0/type]"},
		{"view of a third kind", blockkit.View(obj{"type": "popup", "blocks": []any{}}), badView, "must be modal or home"},
		{"user mention in preformatted text", post(rich(obj{"type": "rich_text_preformatted", "elements": []any{obj{"type": "user", "user_id": "U1"}}})), badBlocks, "not allowed in rich_text_preformatted"},
		{"unknown rich text", post(rich(obj{"type": "rich_text_poem", "elements": []any{}})), badBlocks, "no rich text element"},
		{"unknown leaf", post(rich(obj{"type": "rich_text_section", "elements": []any{obj{"type": "petal"}}})), badBlocks, "no rich text leaf"},
		{"list of something else", post(rich(obj{"type": "rich_text_list", "style": "bullet", "elements": []any{leaf("x")}})), badBlocks, "must be rich_text_section"},
		{"list of a third style", post(rich(obj{"type": "rich_text_list", "style": "dashed", "elements": []any{}})), badBlocks, "must be bullet or ordered"},
		{"cell of a third kind", post(obj{"type": "table", "rows": []any{[]any{plain("x")}}}), badBlocks, "must be raw_text or rich_text"},
	}
}

func missing() []refusal {
	return []refusal{
		{"section without text and fields", post(obj{"type": "section"}), badBlocks, "must have text or fields"},
		{"section without fields in its list", post(obj{"type": "section", "fields": []any{}}), badBlocks, "/blocks/0/fields]"},
		{"fields that are no list", post(obj{"type": "section", "fields": "x"}), badBlocks, "must be a list"},
		{"header without text", post(obj{"type": "header"}), badBlocks, "/blocks/0/text]"},
		{"actions without elements", post(obj{"type": "actions"}), badBlocks, "missing required field"},
		{"actions with no element", post(actions()), badBlocks, "no fewer than 1"},
		{"context with no element", post(obj{"type": "context", "elements": []any{}}), badBlocks, "no fewer than 1"},
		{"button without a label", post(actions(obj{"type": "button", "action_id": "a"})), badBlocks, "/elements/0/text]"},
		{"button of a third style", post(actions(with(button("a"), "style", "loud"))), badBlocks, "must be primary or danger"},
		{"confirm without an answer", post(actions(with(button("a"), "confirm", obj{"title": plain("t"), "text": plain("t"), "confirm": plain("y")}))), badBlocks, "/confirm/deny]"},
		{"confirm that is a word", post(actions(with(button("a"), "confirm", "sure?"))), badBlocks, "/confirm]"},
		{"menu without options", post(actions(obj{"type": "static_select", "action_id": "m"})), badBlocks, "/elements/0/options]"},
		{"menu with both kinds of options", post(actions(with(menu("static_select", 1), "option_groups", []any{obj{"label": plain("g"), "options": []any{option(0)}}}))), badBlocks, "not both"},
		{"option without a value", post(actions(with(menu("static_select", 0), "options", []any{obj{"text": plain("x")}}))), badBlocks, "/options/0/value]"},
		{"image without alt text", post(obj{"type": "image", "image_url": "https://x.test/i.png"}), badBlocks, "/alt_text]"},
		{"image without a picture", post(obj{"type": "image", "alt_text": "x"}), badBlocks, "/image_url]"},
		{"input without a label", inModal(obj{"type": "input", "element": textInput()}), badView, "/label]"},
		{"input without an element", inModal(obj{"type": "input", "label": plain("x")}), badView, "/element]"},
		{"inputs without a submit button", blockkit.View(obj{"type": "modal", "title": plain("t"), "blocks": []any{input(textInput())}}), badView, "/submit]"},
		{"number input that does not say of what", inModal(input(obj{"type": "number_input", "action_id": "n"})), badView, "/is_decimal_allowed]"},
		{"view without blocks", blockkit.View(obj{"type": "home"}), badView, "/blocks]"},
		{"rich text without elements", post(obj{"type": "rich_text"}), badBlocks, "/blocks/0/elements]"},
		{"mention of nobody", post(rich(obj{"type": "rich_text_section", "elements": []any{obj{"type": "user"}}})), badBlocks, "/user_id]"},
		{"table without rows", post(obj{"type": "table"}), badBlocks, "/rows]"},
		{"max length that is no number", inModal(input(with(textInput(), "max_length", "many"))), badView, "must be a whole number"},
	}
}

func twice() []refusal {
	return []refusal{
		{"action ids in one block", post(actions(button("a"), button("a"))), badBlocks, `"a" is used more than once [json-pointer:/blocks/0/elements/1/action_id]`},
		{"action ids in two blocks", post(actions(button("a")), actions(button("a"))), badBlocks, "/blocks/1/elements/0/action_id]"},
		{"action ids in a modal", inModal(input(textInput()), input(textInput())), badView, "/blocks/1/element/action_id]"},
		{"block ids", post(with(section("x"), "block_id", "b"), with(section("y"), "block_id", "b")), badBlocks, `"b" is used more than once [json-pointer:/blocks/1/block_id]`},
		{"an empty block id", post(with(section("x"), "block_id", "")), badBlocks, "not empty"},
		{"a block id that is a number", post(with(section("x"), "block_id", 7.0)), badBlocks, "must be a string"},
		{"an empty action id", post(actions(button(""))), badBlocks, "/action_id]"},
	}
}

func TestCheck_refusesWhatSlackRefuses(t *testing.T) {
	t.Parallel()
	for group, cases := range map[string][]refusal{"text": wrongText(), "place": wrongPlace(), "missing": missing(), "twice": twice()} {
		for _, c := range cases {
			t.Run(group+"/"+strings.ReplaceAll(c.what, " ", "_"), func(t *testing.T) {
				t.Parallel()
				if c.got == nil {
					t.Fatal("it was accepted")
				}
				if said := strings.Join(c.got.Messages, "\n"); c.got.Name != c.name || !strings.Contains(said, c.says) {
					t.Errorf("refused as %s:\n%s\nwant %s: %s", c.got.Name, said, c.name, c.says)
				}
			})
		}
	}
}

// Everything at once, so that a bot's author does not mend one mistake after the other.
func TestCheck_namesEveryMistakeWithItsPlace(t *testing.T) {
	t.Parallel()
	bad := post(section(""), obj{"type": "hologram"}, actions(button("a"), button("a")))
	if bad == nil || len(bad.Messages) != 3 {
		t.Fatalf("got %v, want three messages", bad)
	}
	for i, at := range []string{"/blocks/0/text/text", "/blocks/1/type", "/blocks/2/elements/1/action_id"} {
		if !strings.HasSuffix(bad.Messages[i], "[json-pointer:"+at+"]") || !strings.HasPrefix(bad.Messages[i], "[ERROR] ") {
			t.Errorf("message %d is %q, want it at %s", i, bad.Messages[i], at)
		}
	}
}

func TestCheck_acceptsOneOfEachBlock(t *testing.T) {
	t.Parallel()
	everywhere := []any{
		obj{"type": "header", "text": plain("Head")},
		obj{"type": "section", "text": with(mrkdwn("*x*"), "verbatim", true), "accessory": with(button("a"), "style", "danger")},
		obj{"type": "section", "fields": []any{plain("x"), mrkdwn("y")}, "accessory": menu("overflow", 2)},
		obj{"type": "context", "elements": []any{mrkdwn("c"), obj{"type": "image", "image_url": "https://x.test/i.png", "alt_text": "i"}}},
		obj{"type": "divider"},
		with(actions(with(confirm("deny", "No"), "action_id", "c"), with(menu("static_select", 3), "action_id", "s")), "block_id", "acts"),
		obj{"type": "image", "image_url": "https://x.test/i.png", "alt_text": "i", "title": plain("T")},
		rich(
			obj{"type": "rich_text_section", "elements": []any{leaf("x"), obj{"type": "user", "user_id": "U1"}, obj{"type": "link", "url": "https://x.test"}}},
			obj{"type": "rich_text_list", "style": "ordered", "elements": []any{obj{"type": "rich_text_section", "elements": []any{leaf("x")}}}},
			obj{"type": "rich_text_preformatted", "elements": []any{leaf("x")}},
		),
		input(with(textInput(), "max_length", 3000.0)),
	}
	message := append([]any{table(2, 2), obj{"type": "markdown", "text": "# x"}}, everywhere...)
	for what, bad := range map[string]*blockkit.Refusal{
		"message": post(message...), "update": blockkit.Update("", message), "modal": inModal(everywhere...),
		"home": blockkit.View(home(append([]any{table(1, 1)}, everywhere...)...)), "no options": blockkit.Options(nil),
	} {
		if bad != nil {
			t.Errorf("%s was refused: %v", what, bad)
		}
	}
}

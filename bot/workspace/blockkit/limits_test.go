package blockkit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/bot/workspace/blockkit"
)

// obj is a JSON object.
type obj = map[string]any

func plain(text string) obj  { return obj{"type": "plain_text", "text": text} }
func mrkdwn(text string) obj { return obj{"type": "mrkdwn", "text": text} }

// letters is a text of n characters, none of them a single byte: limits count characters.
func letters(n int) string { return strings.Repeat("é", n) }

// times is a list of n things.
func times(n int, item func(i int) any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = item(i)
	}
	return out
}

func section(text string) obj { return obj{"type": "section", "text": mrkdwn(text)} }

func button(id string) obj {
	return obj{"type": "button", "action_id": id, "text": plain("Go"), "value": "v"}
}

func actions(elements ...any) obj { return obj{"type": "actions", "elements": elements} }

func with(o obj, key string, value any) obj {
	o[key] = value
	return o
}

func option(i int) any { return obj{"text": plain("o"), "value": fmt.Sprint(i)} }

func menu(kind string, n int) obj {
	return obj{"type": kind, "action_id": "m", "options": times(n, option)}
}

func input(element obj) obj {
	return obj{"type": "input", "label": plain("Name"), "element": element}
}

func textInput() obj { return obj{"type": "plain_text_input", "action_id": "i"} }

func rich(elements ...any) obj { return obj{"type": "rich_text", "elements": elements} }

func leaf(text string) obj { return obj{"type": "text", "text": text} }

func modal(blocks ...any) obj {
	return obj{"type": "modal", "title": plain("Title"), "submit": plain("Go"), "blocks": blocks}
}

func home(blocks ...any) obj { return obj{"type": "home", "blocks": blocks} }

func table(rows, columns int) obj {
	return obj{"type": "table", "rows": times(rows, func(int) any {
		return times(columns, func(int) any { return obj{"type": "raw_text", "text": "c"} })
	})}
}

func confirm(key, text string) obj {
	c := obj{"title": plain("t"), "text": plain("t"), "confirm": plain("y"), "deny": plain("n")}
	c[key] = plain(text)
	return with(button("a"), "confirm", c)
}

// post, update and view give a check the shape of the table.
func post(blocks ...any) *blockkit.Refusal { return blockkit.Post("fallback", blocks) }

func inModal(blocks ...any) *blockkit.Refusal { return blockkit.View(modal(blocks...)) }

// limit is a size that Slack states, and a way to send something of a given size.
type limit struct {
	what string
	most int
	send func(n int) *blockkit.Refusal
	name string // of the error
	at   string // the JSON pointer in its message; "" for errors without one
}

const (
	badBlocks = "invalid_blocks"
	badView   = "invalid_arguments"
)

func messageLimits() []limit {
	b := func(build func(n int) any) func(int) *blockkit.Refusal {
		return func(n int) *blockkit.Refusal { return post(build(n)) }
	}
	return []limit{
		{"text of a post", 40000, func(n int) *blockkit.Refusal { return blockkit.Post(letters(n), nil) }, "msg_too_long", ""},
		{"text of an update", 4000, func(n int) *blockkit.Refusal { return blockkit.Update(letters(n), nil) }, "msg_too_long", ""},
		{"blocks of a message", 50, func(n int) *blockkit.Refusal {
			return post(times(n, func(int) any { return obj{"type": "divider"} })...)
		}, badBlocks, "/blocks]"},
		{"characters in all blocks", 12000, func(n int) *blockkit.Refusal {
			return post(append(times(4, func(int) any { return section(letters(2900)) }), section(letters(n-4*2900)))...)
		}, "msg_blocks_too_long", ""},
		{"characters of rich text", 12000, b(func(n int) any {
			return rich(obj{"type": "rich_text_preformatted", "elements": []any{leaf(letters(n))}})
		}), "msg_blocks_too_long", ""},
		{"characters of markdown", 12000, b(func(n int) any { return obj{"type": "markdown", "text": letters(n)} }), "msg_blocks_too_long", ""},
		{"section text", 3000, b(func(n int) any { return section(letters(n)) }), badBlocks, "/blocks/0/text/text]"},
		{"section fields", 10, b(func(n int) any {
			return obj{"type": "section", "fields": times(n, func(int) any { return mrkdwn("f") })}
		}), badBlocks, "/blocks/0/fields]"},
		{"field text", 2000, b(func(n int) any { return obj{"type": "section", "fields": []any{mrkdwn(letters(n))}} }), badBlocks, "/blocks/0/fields/0/text]"},
		{"header text", 150, b(func(n int) any { return obj{"type": "header", "text": plain(letters(n))} }), badBlocks, "/blocks/0/text/text]"},
		{"context elements", 10, b(func(n int) any {
			return obj{"type": "context", "elements": times(n, func(int) any { return mrkdwn("c") })}
		}), badBlocks, "/blocks/0/elements]"},
		{"actions elements", 25, b(func(n int) any {
			return actions(times(n, func(i int) any { return button(fmt.Sprint(i)) })...)
		}), badBlocks, "/blocks/0/elements]"},
		{"block id", 255, b(func(n int) any { return with(section("s"), "block_id", letters(n)) }), badBlocks, "/blocks/0/block_id]"},
		{"action id", 255, b(func(n int) any { return actions(button(letters(n))) }), badBlocks, "/blocks/0/elements/0/action_id]"},
		{"button label", 75, b(func(n int) any { return actions(with(button("a"), "text", plain(letters(n)))) }), badBlocks, "/elements/0/text/text]"},
		{"button value", 2000, b(func(n int) any { return actions(with(button("a"), "value", letters(n))) }), badBlocks, "/elements/0/value]"},
		{"button URL", 3000, b(func(n int) any { return actions(with(button("a"), "url", letters(n))) }), badBlocks, "/elements/0/url]"},
		{"button accessibility label", 75, b(func(n int) any { return actions(with(button("a"), "accessibility_label", letters(n))) }), badBlocks, "/accessibility_label]"},
		{"confirm title", 100, b(func(n int) any { return actions(confirm("title", letters(n))) }), badBlocks, "/confirm/title/text]"},
		{"confirm text", 300, b(func(n int) any { return actions(confirm("text", letters(n))) }), badBlocks, "/confirm/text/text]"},
		{"confirm yes", 30, b(func(n int) any { return actions(confirm("confirm", letters(n))) }), badBlocks, "/confirm/confirm/text]"},
		{"confirm no", 30, b(func(n int) any { return actions(confirm("deny", letters(n))) }), badBlocks, "/confirm/deny/text]"},
		{"alt text", 2000, b(func(n int) any {
			return obj{"type": "image", "image_url": "https://x.test/i.png", "alt_text": letters(n)}
		}), badBlocks, "/blocks/0/alt_text]"},
		{"image URL", 3000, b(func(n int) any { return obj{"type": "image", "image_url": letters(n), "alt_text": "a"} }), badBlocks, "/blocks/0/image_url]"},
		{"table rows", 100, b(func(n int) any { return table(n, 1) }), badBlocks, "/blocks/0/rows]"},
		{"table columns", 20, b(func(n int) any { return table(1, n) }), badBlocks, "/blocks/0/rows/0]"},
	}
}

func menuLimits() []limit {
	b := func(build func(n int) obj) func(int) *blockkit.Refusal {
		return func(n int) *blockkit.Refusal { return post(actions(build(n))) }
	}
	one := func(key string, value func(n int) any) func(n int) obj {
		return func(n int) obj {
			return with(menu("static_select", 0), "options", []any{with(option(0).(obj), key, value(n))})
		}
	}
	return []limit{
		{"options", 100, b(func(n int) obj { return menu("static_select", n) }), badBlocks, "/elements/0/options]"},
		{"option groups", 100, b(func(n int) obj {
			return obj{"type": "static_select", "action_id": "m", "option_groups": times(n, func(int) any {
				return obj{"label": plain("g"), "options": []any{option(0)}}
			})}
		}), badBlocks, "/elements/0/option_groups]"},
		{"options of a group", 100, b(func(n int) obj {
			return obj{"type": "static_select", "action_id": "m", "option_groups": []any{obj{"label": plain("g"), "options": times(n, option)}}}
		}), badBlocks, "/elements/0/option_groups/0/options]"},
		{"overflow options", 5, b(func(n int) obj { return menu("overflow", n) }), badBlocks, "/elements/0/options]"},
		{"radio buttons", 10, b(func(n int) obj { return menu("radio_buttons", n) }), badBlocks, "/elements/0/options]"},
		{"checkboxes", 10, b(func(n int) obj { return menu("checkboxes", n) }), badBlocks, "/elements/0/options]"},
		{"option text", 75, b(one("text", func(n int) any { return plain(letters(n)) })), badBlocks, "/options/0/text/text]"},
		{"option value", 150, b(one("value", func(n int) any { return letters(n) })), badBlocks, "/options/0/value]"},
		{"option description", 75, b(one("description", func(n int) any { return plain(letters(n)) })), badBlocks, "/options/0/description/text]"},
		{"placeholder", 150, b(func(n int) obj { return with(menu("static_select", 1), "placeholder", plain(letters(n))) }), badBlocks, "/placeholder/text]"},
		{"suggested options", 100, func(n int) *blockkit.Refusal { return blockkit.Options(times(n, option)) }, badView, "/options]"},
	}
}

func viewLimits() []limit {
	v := func(key string, value func(n int) any) func(n int) *blockkit.Refusal {
		return func(n int) *blockkit.Refusal { return blockkit.View(with(modal(section("s")), key, value(n))) }
	}
	text := func(n int) any { return plain(letters(n)) }
	word := func(n int) any { return letters(n) }
	return []limit{
		{"blocks of a view", 100, func(n int) *blockkit.Refusal {
			return inModal(times(n, func(int) any { return obj{"type": "divider"} })...)
		}, badView, "/blocks]"},
		{"blocks of a Home tab", 100, func(n int) *blockkit.Refusal {
			return blockkit.View(home(times(n, func(int) any { return obj{"type": "divider"} })...))
		}, badView, "/blocks]"},
		{"title", 24, v("title", text), badView, "/title/text]"},
		{"submit", 24, v("submit", text), badView, "/submit/text]"},
		{"close", 24, v("close", text), badView, "/close/text]"},
		{"private metadata", 3000, v("private_metadata", word), badView, "/private_metadata]"},
		{"callback id", 255, v("callback_id", word), badView, "/callback_id]"},
		{"external id", 255, v("external_id", word), badView, "/external_id]"},
		{"label", 2000, func(n int) *blockkit.Refusal { return inModal(with(input(textInput()), "label", plain(letters(n)))) }, badView, "/label/text]"},
		{"hint", 2000, func(n int) *blockkit.Refusal { return inModal(with(input(textInput()), "hint", plain(letters(n)))) }, badView, "/hint/text]"},
		{"initial value", 3000, func(n int) *blockkit.Refusal {
			return inModal(input(with(textInput(), "initial_value", letters(n))))
		}, badView, "/element/initial_value]"},
		{"max length", 3000, func(n int) *blockkit.Refusal {
			return inModal(input(with(textInput(), "max_length", float64(n))))
		}, badView, "/element/max_length]"},
	}
}

// Each limit is tried at its edge: what just fits passes, one more is refused under Slack's name.
func TestCheck_refusesOneMoreThanEachLimit(t *testing.T) {
	t.Parallel()
	for _, l := range append(append(messageLimits(), menuLimits()...), viewLimits()...) {
		t.Run(strings.ReplaceAll(l.what, " ", "_"), func(t *testing.T) {
			t.Parallel()
			if bad := l.send(l.most); bad != nil {
				t.Errorf("%d was refused: %v", l.most, bad)
			}
			bad := l.send(l.most + 1)
			if bad == nil {
				t.Fatalf("%d was accepted", l.most+1)
			}
			if got := strings.Join(bad.Messages, "\n"); bad.Name != l.name || !strings.Contains(got, l.at) {
				t.Errorf("refused as %s:\n%s\nwant %s at %s", bad.Name, got, l.name, l.at)
			}
		})
	}
}

func TestView_refusesMoreThan250KB(t *testing.T) {
	t.Parallel()
	big := times(84, func(int) any { return section(strings.Repeat("x", 3000)) })
	if bad := blockkit.View(home(big...)); bad == nil || bad.Name != "view_too_large" {
		t.Errorf("got %v, want view_too_large", bad)
	}
	if bad := blockkit.View(home(big[:80]...)); bad != nil {
		t.Errorf("240 KB were refused: %v", bad)
	}
}

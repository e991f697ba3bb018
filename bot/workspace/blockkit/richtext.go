package blockkit

import (
	"fmt"
	"unicode/utf8"
)

// richText checks a rich_text block: docs.slack.dev/reference/block-kit/blocks/rich-text-block.
func (c *checker) richText(at string, b map[string]any) {
	elements, ok := b["elements"].([]any)
	if !ok {
		c.add(at+"/elements", "missing required field")
	}
	for i, e := range elements {
		c.richElement(fmt.Sprintf("%s/elements/%d", at, i), e, true)
	}
}

func (c *checker) richElement(at string, v any, top bool) {
	e, _ := v.(map[string]any)
	children, _ := e["elements"].([]any)
	if _, ok := e["elements"].([]any); !ok {
		c.add(at+"/elements", "missing required field")
		return
	}
	switch kind, _ := e["type"].(string); kind {
	case "rich_text_section", "rich_text_quote", "rich_text_preformatted":
		for i, leaf := range children {
			c.richLeaf(fmt.Sprintf("%s/elements/%d", at, i), leaf, kind == "rich_text_preformatted")
		}
	case "rich_text_list":
		if style := e["style"]; !top || style != "bullet" && style != "ordered" {
			c.add(at+"/style", "must be bullet or ordered")
		}
		for i, item := range children {
			where := fmt.Sprintf("%s/elements/%d", at, i)
			if m, _ := item.(map[string]any); m["type"] != "rich_text_section" {
				c.add(where+"/type", "must be rich_text_section")
				continue
			}
			c.richElement(where, item, false)
		}
	default:
		c.add(at+"/type", "%q is no rich text element", kind)
	}
}

func (c *checker) richLeaf(at string, v any, preformatted bool) {
	e, _ := v.(map[string]any)
	kind, _ := e["type"].(string)
	if preformatted && kind != "text" && kind != "link" {
		c.add(at+"/type", "%q is not allowed in rich_text_preformatted", kind)
		return
	}
	required := map[string]string{
		"text": "text", "link": "url", "user": "user_id", "channel": "channel_id", "usergroup": "usergroup_id",
		"emoji": "name", "broadcast": "range", "date": "timestamp", "color": "value", "team": "team_id",
	}
	field, known := required[kind]
	if !known {
		c.add(at+"/type", "%q is no rich text leaf", kind)
		return
	}
	if e[field] == nil {
		c.add(at+"/"+field, "missing required field")
	}
	if kind == "text" {
		c.leaf(at, e)
	}
}

// leaf checks literal text.
func (c *checker) leaf(at string, e map[string]any) {
	s, ok := e["text"].(string)
	if !ok || s == "" {
		c.add(at+"/text", "must be more than 0 characters")
	}
	c.characters += utf8.RuneCountInString(s)
}

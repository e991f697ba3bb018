package blockkit

import (
	"fmt"
	"math"
	"slices"
)

type holder string

const (
	inSection holder = "section"
	inActions holder = "actions"
	inInput   holder = "input"
)

// holders says which element may stand where: docs.slack.dev/reference/block-kit/block-elements.
func holders(kind string) []holder {
	switch kind {
	case "button", "overflow":
		return []holder{inSection, inActions}
	case "image":
		return []holder{inSection}
	case "static_select", "external_select", "users_select", "conversations_select", "channels_select",
		"datepicker", "timepicker", "checkboxes", "radio_buttons":
		return []holder{inSection, inActions, inInput}
	case "multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select":
		return []holder{inSection, inInput}
	case "plain_text_input", "number_input", "email_text_input", "url_text_input", "file_input", "rich_text_input":
		return []holder{inInput}
	case "datetimepicker":
		return []holder{inActions, inInput}
	}
	return nil
}

// element checks an interactive element.
func (c *checker) element(at string, v any, where holder) {
	e, ok := v.(map[string]any)
	if !ok {
		c.add(at, "missing required field")
		return
	}
	kind, _ := e["type"].(string)
	if !slices.Contains(holders(kind), where) {
		c.add(at+"/type", "%q is not allowed in %s", kind, where)
		return
	}
	if kind == "image" {
		c.image(at, e)
		return
	}
	if kind == "file_input" && c.surface != Modal {
		c.add(at+"/type", "%q is not allowed in a %s", kind, c.surface)
	}
	c.id(at+"/action_id", e["action_id"], &c.actionIDs)
	if e["confirm"] != nil {
		c.confirm(at+"/confirm", e["confirm"])
	}
	if e["placeholder"] != nil {
		c.text(at+"/placeholder", e["placeholder"], plainOnly, maxPlaceholder)
	}
	switch kind {
	case "button":
		c.button(at, e)
	case "overflow":
		c.options(at+"/options", e["options"], maxOverflowOptions, plainOnly)
	case "checkboxes", "radio_buttons":
		c.options(at+"/options", e["options"], maxChoiceOptions, anyText)
	case "static_select", "multi_static_select":
		c.menu(at, e)
	case "plain_text_input":
		c.limit(at+"/initial_value", e["initial_value"], maxInputLength)
		c.number(at+"/min_length", e["min_length"], 0, maxInputLength)
		c.number(at+"/max_length", e["max_length"], 1, maxInputLength)
	case "number_input":
		if _, ok := e["is_decimal_allowed"].(bool); !ok {
			c.add(at+"/is_decimal_allowed", "missing required field")
		}
	case "external_select", "multi_external_select":
		c.number(at+"/min_query_length", e["min_query_length"], 0, maxInputLength)
	}
}

func (c *checker) button(at string, e map[string]any) {
	c.text(at+"/text", e["text"], plainOnly, maxButtonText)
	c.limit(at+"/value", e["value"], maxButtonValue)
	c.limit(at+"/url", e["url"], maxURL)
	c.limit(at+"/accessibility_label", e["accessibility_label"], maxButtonText)
	if s := e["style"]; s != nil && s != "primary" && s != "danger" {
		c.add(at+"/style", "must be primary or danger")
	}
}

func (c *checker) confirm(at string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		c.add(at, "must be an object")
		return
	}
	c.text(at+"/title", m["title"], plainOnly, maxConfirmTitle)
	c.text(at+"/text", m["text"], anyText, maxConfirmText)
	c.text(at+"/confirm", m["confirm"], plainOnly, maxConfirmButton)
	c.text(at+"/deny", m["deny"], plainOnly, maxConfirmButton)
}

// menu checks a select with options of its own, which may be grouped.
func (c *checker) menu(at string, e map[string]any) {
	switch {
	case e["option_groups"] == nil:
		c.options(at+"/options", e["options"], maxOptions, plainOnly)
		return
	case e["options"] != nil:
		c.add(at, "must have options or option_groups, not both")
	}
	for i, g := range c.list(at+"/option_groups", e["option_groups"], maxOptions) {
		where := fmt.Sprintf("%s/option_groups/%d", at, i)
		m, _ := g.(map[string]any)
		c.text(where+"/label", m["label"], plainOnly, maxOptionText)
		c.options(where+"/options", m["options"], maxOptions, plainOnly)
	}
}

func (c *checker) options(at string, v any, most int, kind textKind) {
	for i, o := range c.list(at, v, most) {
		where := fmt.Sprintf("%s/%d", at, i)
		m, _ := o.(map[string]any)
		c.text(where+"/text", m["text"], kind, maxOptionText)
		if m["value"] == nil {
			c.add(where+"/value", "missing required field")
		}
		c.limit(where+"/value", m["value"], maxOptionValue)
		if m["description"] != nil {
			c.text(where+"/description", m["description"], kind, maxOptionText)
		}
	}
}

// number checks an optional whole number.
func (c *checker) number(at string, v any, least, most float64) {
	if v == nil {
		return
	}
	if n, ok := v.(float64); !ok || n != math.Trunc(n) || n < least || n > most {
		c.add(at, "must be a whole number from %v to %v", least, most)
	}
}

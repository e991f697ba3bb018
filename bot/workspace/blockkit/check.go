package blockkit

import (
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Surface is where blocks are shown.
type Surface string

// The surfaces.
const (
	Message Surface = "message"
	Modal   Surface = "modal"
	Home    Surface = "home"
)

// Refusal is what Slack answers: the name of the error, and what is wrong where.
type Refusal struct {
	Name     string   // such as "invalid_blocks"
	Messages []string // each with a JSON pointer, as in response_metadata.messages
}

// Post checks a message for chat.postMessage, chat.postEphemeral or a response_url.
func Post(text string, blocks []any) *Refusal { return message(text, blocks, maxPostText) }

// Update checks a message for chat.update.
func Update(text string, blocks []any) *Refusal { return message(text, blocks, maxUpdateText) }

func message(text string, blocks []any, maxText int) *Refusal {
	if text == "" && len(blocks) == 0 {
		return &Refusal{Name: "no_text"}
	}
	if utf8.RuneCountInString(text) > maxText {
		return &Refusal{Name: "msg_too_long"}
	}
	c := &checker{surface: Message, maxBlocks: maxMessageBlocks}
	if c.blocks(blocks); len(c.problems) > 0 {
		return &Refusal{Name: "invalid_blocks", Messages: c.problems}
	}
	if c.characters > maxCumulativeText {
		return &Refusal{Name: "msg_blocks_too_long", Messages: []string{fmt.Sprintf("%d characters in all blocks, at most %d", c.characters, maxCumulativeText)}}
	}
	return nil
}

// Options checks what an app answers to a block_suggestion. There may be none.
func Options(options []any) *Refusal {
	c := &checker{}
	if len(options) > 0 {
		c.options("/options", options, maxOptions, plainOnly)
	}
	if len(c.problems) > 0 {
		return &Refusal{Name: "invalid_arguments", Messages: c.problems}
	}
	return nil
}

// OptionGroup checks a group of what an app answers to a block_suggestion. An empty one is refused.
func OptionGroup(label map[string]any, options []any) *Refusal {
	c := &checker{}
	c.text("/label", label, plainOnly, maxOptionText)
	c.options("/options", options, maxOptions, plainOnly)
	if len(c.problems) > 0 {
		return &Refusal{Name: "invalid_arguments", Messages: c.problems}
	}
	return nil
}

// View checks a modal or a Home tab.
func View(v map[string]any) *Refusal {
	raw, err := json.Marshal(v)
	if err != nil || len(raw) > maxViewBytes {
		return &Refusal{Name: "view_too_large"}
	}
	kind, _ := v["type"].(string)
	c := &checker{surface: Surface(kind), maxBlocks: maxViewBlocks}
	if c.surface != Modal && c.surface != Home {
		c.add("/type", "must be modal or home")
	}
	blocks, ok := v["blocks"].([]any)
	if !ok {
		c.add("/blocks", "missing required field")
	}
	c.blocks(blocks)
	c.limit("/private_metadata", v["private_metadata"], maxPrivateMetadata)
	c.limit("/callback_id", v["callback_id"], maxID)
	c.limit("/external_id", v["external_id"], maxID)
	if c.surface == Modal {
		c.text("/title", v["title"], plainOnly, maxViewTitle)
		for _, key := range []string{"submit", "close"} {
			if v[key] != nil {
				c.text("/"+key, v[key], plainOnly, maxViewTitle)
			}
		}
		if v["submit"] == nil && c.hasInput {
			c.add("/submit", "required when the view has input blocks")
		}
	}
	if len(c.problems) > 0 {
		return &Refusal{Name: "invalid_arguments", Messages: c.problems}
	}
	return nil
}

// checker collects what is wrong with one message or view.
type checker struct {
	surface    Surface
	maxBlocks  int
	problems   []string
	characters int
	blockIDs   []string
	actionIDs  []string
	tables     int
	hasInput   bool
}

func (c *checker) add(at, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, args...), at))
}

func (c *checker) blocks(blocks []any) {
	if len(blocks) > c.maxBlocks {
		c.add("/blocks", "no more than %d items allowed", c.maxBlocks)
	}
	for i, b := range blocks {
		at := fmt.Sprintf("/blocks/%d", i)
		block, ok := b.(map[string]any)
		if !ok {
			c.add(at, "must be an object")
			continue
		}
		c.id(at+"/block_id", block["block_id"], &c.blockIDs)
		c.block(at, block)
	}
}

// id checks an optional id that must be unique.
func (c *checker) id(at string, v any, seen *[]string) {
	if v == nil {
		return
	}
	s, ok := v.(string)
	switch {
	case !ok || s == "":
		c.add(at, "must be a string that is not empty")
	case utf8.RuneCountInString(s) > maxID:
		c.add(at, "must be at most %d characters", maxID)
	case slices.Contains(*seen, s):
		c.add(at, "%q is used more than once", s)
	default:
		*seen = append(*seen, s)
	}
}

func (c *checker) limit(at string, v any, most int) {
	if v == nil {
		return
	}
	s, ok := v.(string)
	if !ok {
		c.add(at, "must be a string")
	} else if n := utf8.RuneCountInString(s); n > most {
		c.add(at, "must be at most %d characters, has %d", most, n)
	}
}

type textKind int

const (
	anyText textKind = iota
	plainOnly
)

// text checks a text object.
func (c *checker) text(at string, v any, kind textKind, most int) {
	t, ok := v.(map[string]any)
	if !ok {
		c.add(at, "must be a text object")
		return
	}
	switch name, _ := t["type"].(string); {
	case name != "plain_text" && name != "mrkdwn":
		c.add(at+"/type", "must be plain_text or mrkdwn")
	case name == "mrkdwn" && kind == plainOnly:
		c.add(at+"/type", "must be plain_text here")
	case name == "mrkdwn" && t["emoji"] != nil:
		c.add(at+"/emoji", "only for plain_text")
	case name == "plain_text" && t["verbatim"] != nil && t["verbatim"] != false:
		c.add(at+"/verbatim", "only for mrkdwn")
	}
	s, ok := t["text"].(string)
	n := utf8.RuneCountInString(s)
	switch {
	case !ok:
		c.add(at+"/text", "missing required field")
	case n < 1:
		c.add(at+"/text", "must be more than 0 characters")
	case n > most:
		c.add(at+"/text", "must be at most %d characters, has %d", most, n)
	}
	c.characters += n
}

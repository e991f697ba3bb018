package blockkit

import "fmt"

// block checks one block by its type.
func (c *checker) block(at string, b map[string]any) {
	kind, _ := b["type"].(string)
	if !c.allowedHere(kind) {
		c.add(at+"/type", "%q is not allowed in a %s", kind, c.surface)
		return
	}
	switch kind {
	case "header":
		c.text(at+"/text", b["text"], plainOnly, maxHeaderText)
	case "section":
		c.section(at, b)
	case "context":
		c.context(at, b)
	case "actions":
		c.actions(at, b)
	case "input":
		c.input(at, b)
	case "rich_text":
		c.richText(at, b)
	case "image":
		c.image(at, b)
	case "markdown":
		c.markdown(at, b)
	case "table":
		c.table(at, b)
	case "divider":
	}
}

// allowedHere is the table of docs.slack.dev/reference/block-kit/blocks.
func (c *checker) allowedHere(kind string) bool {
	switch kind {
	case "header", "section", "context", "actions", "divider", "image", "rich_text", "input":
		return true
	case "markdown":
		return c.surface == Message
	case "table":
		return c.surface != Modal
	}
	return false
}

func (c *checker) section(at string, b map[string]any) {
	fields, hasFields := b["fields"].([]any)
	if b["text"] == nil && b["fields"] == nil {
		c.add(at, "must have text or fields")
	}
	if b["fields"] != nil && !hasFields {
		c.add(at+"/fields", "must be a list")
	}
	if b["text"] != nil {
		c.text(at+"/text", b["text"], anyText, maxSectionText)
	}
	if hasFields && (len(fields) == 0 || len(fields) > maxSectionFields) {
		c.add(at+"/fields", "must have 1 to %d items", maxSectionFields)
	}
	for i, f := range fields {
		c.text(fmt.Sprintf("%s/fields/%d", at, i), f, anyText, maxFieldText)
	}
	if b["accessory"] != nil {
		c.element(at+"/accessory", b["accessory"], inSection)
	}
}

func (c *checker) context(at string, b map[string]any) {
	elements := c.list(at+"/elements", b["elements"], maxContextElements)
	for i, e := range elements {
		where := fmt.Sprintf("%s/elements/%d", at, i)
		if m, ok := e.(map[string]any); ok && m["type"] == "image" {
			c.image(where, m)
			continue
		}
		c.text(where, e, anyText, maxSectionText)
	}
}

func (c *checker) actions(at string, b map[string]any) {
	for i, e := range c.list(at+"/elements", b["elements"], maxActionElements) {
		c.element(fmt.Sprintf("%s/elements/%d", at, i), e, inActions)
	}
}

func (c *checker) input(at string, b map[string]any) {
	c.hasInput = true
	c.text(at+"/label", b["label"], plainOnly, maxLabel)
	if b["hint"] != nil {
		c.text(at+"/hint", b["hint"], plainOnly, maxLabel)
	}
	c.element(at+"/element", b["element"], inInput)
}

func (c *checker) image(at string, b map[string]any) {
	if b["image_url"] == nil && b["slack_file"] == nil {
		c.add(at+"/image_url", "missing required field")
	}
	c.limit(at+"/image_url", b["image_url"], maxURL)
	if b["alt_text"] == nil {
		c.add(at+"/alt_text", "missing required field")
	}
	c.limit(at+"/alt_text", b["alt_text"], maxAltText)
	if b["title"] != nil {
		c.text(at+"/title", b["title"], plainOnly, maxAltText)
	}
}

func (c *checker) markdown(at string, b map[string]any) {
	s, ok := b["text"].(string)
	if !ok || s == "" {
		c.add(at+"/text", "missing required field")
	}
	c.characters += len([]rune(s))
}

func (c *checker) table(at string, b map[string]any) {
	if c.tables++; c.tables > 1 {
		c.add(at, "only one table is allowed in a message")
	}
	for i, r := range c.list(at+"/rows", b["rows"], maxTableRows) {
		where := fmt.Sprintf("%s/rows/%d", at, i)
		for j, cell := range c.list(where, r, maxTableColumns) {
			spot := fmt.Sprintf("%s/%d", where, j)
			m, _ := cell.(map[string]any)
			switch m["type"] {
			case "raw_text":
				c.leaf(spot, m)
			case "rich_text":
				c.richText(spot, m)
			default:
				c.add(spot+"/type", "must be raw_text or rich_text")
			}
		}
	}
}

// list checks that something is a list with one to most items.
func (c *checker) list(at string, v any, most int) []any {
	items, ok := v.([]any)
	if !ok {
		c.add(at, "missing required field")
		return nil
	}
	if len(items) == 0 {
		c.add(at, "no fewer than 1 items allowed")
	}
	if len(items) > most {
		c.add(at, "no more than %d items allowed", most)
	}
	return items
}

package bot

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// message is what Slack is told: blocks to show, and text for notifications and screen readers.
type message struct {
	text   string
	blocks []slack.Block
}

// drawing collects blocks within Slack's limits. What does not fit is left out, and the last line says so.
type drawing struct {
	blocks  []slack.Block
	room    int
	cut     bool
	most    int // blocks
	actions map[string]int
}

func newDrawing() *drawing {
	return &drawing{room: maxCharacters, most: maxBlocks, actions: map[string]int{}}
}

// plain is what a message says, without markup.
func (m message) plain() string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(m.text)
}

// render draws a reply.
func render(r commands.Reply) message {
	d := newDrawing()
	d.reply(r)
	return message{text: fallback(r.Text()), blocks: d.done(r.Run)}
}

// fallback is text for notifications, short enough once nothing in it is markup. It does not stop
// at bold and the like, which notifications do not show.
func fallback(text string) string {
	var out strings.Builder
	for _, r := range strings.TrimSpace(cleanText(text)) {
		one := escape(string(r))
		if out.Len()+len(one) > maxFallback {
			out.WriteString("…")
			break
		}
		out.WriteString(one)
	}
	return out.String()
}

// escape makes the characters that Slack reads as markup literal: docs.slack.dev/messaging/formatting-message-text.
func escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// cutTo keeps the first n characters.
func cutTo(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// done returns the blocks, with a word on what was left out.
func (d *drawing) done(run engine.RunID) []slack.Block {
	if !d.cut {
		return d.blocks
	}
	note := "… more than fits here."
	if run != "" {
		note = fmt.Sprintf("… more than fits here; the terminal has it all: playbot history show %s", run.Short())
	}
	return append(d.blocks, slack.NewContextBlock("", plainText(note)))
}

func (d *drawing) add(b slack.Block) {
	if len(d.blocks) >= d.most {
		d.cut = true
		return
	}
	d.blocks = append(d.blocks, b)
}

// fit keeps as much of a text as there is room for, at most `most` characters.
func (d *drawing) fit(text string, most int) string {
	n := utf8.RuneCountInString(text)
	if keep := min(most, d.room); n > keep {
		if d.cut = true; keep < 2 {
			return ""
		}
		text, n = cutTo(text, keep), keep
	}
	d.room -= n
	return text
}

func plainText(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func (d *drawing) reply(r commands.Reply) {
	if r.Title != "" {
		d.header(r.Title)
	}
	for _, b := range r.Blocks {
		switch t := b.(type) {
		case commands.Text:
			d.rich(slack.NewRichTextSection(d.leaves(t.Spans)...))
		case commands.Fields:
			d.fields(t)
		case commands.List:
			d.list(t)
		case commands.Preformatted:
			d.preformatted(t.Text)
		case commands.Buttons:
			d.buttons(t.Items)
		case commands.Context:
			d.context(spansText(t.Spans))
		}
	}
}

func (d *drawing) header(text string) {
	if text = d.fit(cleanText(oneLine(text)), maxHeader); text != "" {
		d.add(slack.NewHeaderBlock(plainText(text)))
	}
}

func (d *drawing) context(text string) {
	if text = d.fit(cleanText(text), maxSection); text != "" {
		d.add(slack.NewContextBlock("", plainText(text)))
	}
}

// rich adds rich text. Elements that follow each other share a block, and sections a section: clients
// differ in how far apart they draw two of them, and the end of a line is the same everywhere.
func (d *drawing) rich(e slack.RichTextElement) {
	section, isSection := e.(*slack.RichTextSection)
	if isSection && len(section.Elements) == 0 {
		return
	}
	if n := len(d.blocks); n > 0 {
		if last, ok := d.blocks[n-1].(*slack.RichTextBlock); ok {
			before, afterSection := last.Elements[len(last.Elements)-1].(*slack.RichTextSection)
			if !isSection || !afterSection {
				last.Elements = append(last.Elements, e)
				return
			}
			d.room--
			before.Elements = append(append(before.Elements, slack.NewRichTextSectionTextElement("\n", nil)), section.Elements...)
			return
		}
	}
	d.add(slack.NewRichTextBlock("", e))
}

func (d *drawing) fields(f commands.Fields) {
	var leaves []slack.RichTextSectionElement
	for i, item := range f.Items {
		label := item.Label + "  "
		if i > 0 {
			label = "\n" + label
		}
		if label = d.fit(label, maxSection); label == "" {
			break
		}
		leaves = append(leaves, slack.NewRichTextSectionTextElement(label, &slack.RichTextSectionTextStyle{Bold: true}))
		leaves = append(leaves, d.leaves(item.Value)...)
	}
	d.rich(slack.NewRichTextSection(leaves...))
}

// richTextList is a list as Slack's own types have it; that of the client library adds a field.
type richTextList struct {
	Type     slack.RichTextElementType     `json:"type"`
	Elements []slack.RichTextElement       `json:"elements"`
	Style    slack.RichTextListElementType `json:"style"`
}

// RichTextElementType implements [slack.RichTextElement].
func (l richTextList) RichTextElementType() slack.RichTextElementType { return l.Type }

func (d *drawing) list(l commands.List) {
	style := slack.RTEListBullet
	if l.Ordered {
		style = slack.RTEListOrdered
	}
	var items []slack.RichTextElement
	for _, item := range l.Items {
		if leaves := d.leaves(item); len(leaves) > 0 {
			items = append(items, slack.NewRichTextSection(leaves...))
		}
	}
	if len(items) > 0 {
		d.rich(richTextList{Type: slack.RTEList, Style: style, Elements: items})
	}
}

func (d *drawing) preformatted(text string) {
	text = d.fit(strings.TrimRight(cleanText(text), "\n"), maxSection)
	if text == "" {
		return
	}
	d.rich(&slack.RichTextPreformatted{
		Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(text, nil)},
	})
}

// leaves draws spans as rich text, in which a leaf of text is always literal.
func (d *drawing) leaves(spans []commands.Span) []slack.RichTextSectionElement {
	var out []slack.RichTextSectionElement
	for _, s := range spans {
		if s.Kind == commands.Mention && mentionable(s.Actor) {
			if d.fit(s.Actor.User, maxSection) != s.Actor.User {
				continue
			}
			out = append(out, slack.NewRichTextSectionUserElement(s.Actor.User, nil))
			continue
		}
		text := d.fit(cleanText(s.Text), maxSection)
		if text == "" {
			continue
		}
		var style *slack.RichTextSectionTextStyle
		switch s.Kind {
		case commands.Bold:
			style = &slack.RichTextSectionTextStyle{Bold: true}
		case commands.Code, commands.RunRef:
			style = &slack.RichTextSectionTextStyle{Code: true}
		case commands.Plain, commands.Outside, commands.Mention:
		}
		out = append(out, slack.NewRichTextSectionTextElement(text, style))
	}
	return out
}

// buttons adds a row of buttons. Action ids are unique in a message: a second "approve" is "approve/2".
func (d *drawing) buttons(items []commands.Button) {
	var elements []slack.BlockElement
	for _, b := range items {
		if len(b.Value) > maxValue || len(elements) >= maxActions {
			continue // what a button would do can be typed
		}
		action := string(b.Action)
		if d.actions[action]++; d.actions[action] > 1 {
			action = fmt.Sprintf("%s/%d", action, d.actions[action])
		}
		label := d.fit(cutTo(cleanText(oneLine(b.Label)), maxLabel), maxLabel)
		if label == "" {
			continue
		}
		e := slack.NewButtonBlockElement(action, b.Value, plainText(label))
		e.Style, e.URL = slack.Style(b.Style), b.URL
		if c := b.Confirm; c != nil {
			e.Confirm = slack.NewConfirmationBlockObject(plainText(c.Title), plainText(c.Text), plainText(c.Yes), plainText(c.No))
		}
		elements = append(elements, e)
	}
	if len(elements) > 0 {
		d.add(slack.NewActionBlock("", elements...))
	}
}

func spansText(spans []commands.Span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Kind == commands.Mention {
			b.WriteByte('@')
		}
		b.WriteString(s.Text)
	}
	return b.String()
}

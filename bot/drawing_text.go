package bot

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// markup adds a line in which only our own words and ids stand. It is never cut: half a mention is none.
func (d *drawing) markup(text string) {
	if n := utf8.RuneCountInString(text); n > min(maxSection, d.room) {
		d.cut = true
		return
	}
	d.add(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, d.fit(text, maxSection), false, true), nil, nil))
}

// namingAll adds a line of our own words that names several people; see [drawing.naming].
func (d *drawing) namingAll(before string, people []engine.Actor, after string) {
	names, mentions := make([]string, len(people)), make([]string, len(people))
	for i, a := range people {
		names[i], mentions[i] = cutTo(oneLine(a.Label()), 80), "<@"+a.User+">"
	}
	if slices.ContainsFunc(people, func(a engine.Actor) bool { return !mentionable(a) }) {
		d.literal(before+strings.Join(names, " and ")+after, maxSection)
		return
	}
	d.markup(before + strings.Join(mentions, " and ") + after)
}

// naming adds a line of our own words that names somebody: with a mention, or, when they are not in
// Slack, with a name that anybody may have chosen, in which nothing is markup.
func (d *drawing) naming(before string, a engine.Actor, after string) {
	if mentionable(a) {
		d.markup(before + "<@" + a.User + ">" + after)
		return
	}
	bare := strings.NewReplacer("*", "", "`", "")
	d.literal(bare.Replace(before)+cutTo(oneLine(a.Label()), 80)+bare.Replace(after), maxSection)
}

func mentionable(a engine.Actor) bool { return a.Team != "" && isID(a.User) }

// literal adds text in which nothing is markup, at most `most` characters.
func (d *drawing) literal(text string, most int) {
	if text = d.fit(strings.TrimSpace(cleanText(text)), min(most, maxSection)); text != "" {
		d.add(slack.NewSectionBlock(plainText(text), nil, nil))
	}
}

// lines adds lines in which nothing is markup, in as many blocks as they need, at most `most` characters.
func (d *drawing) lines(lines []string, most int) {
	text := []rune(strings.TrimSpace(cleanText(strings.Join(lines, "\n"))))
	if len(text) > most {
		text, d.cut = text[:most], true
	}
	for len(text) > 0 {
		n := len(text)
		if n > maxSection {
			n = maxSection
			if at := lastIndex(text[:n], '\n'); at > 0 {
				n = at
			}
		}
		d.literal(string(text[:n]), maxSection)
		text = text[n:]
	}
}

func lastIndex(text []rune, r rune) int {
	for i, have := range slices.Backward(text) {
		if have == r {
			return i
		}
	}
	return -1
}

// isID reports whether s may stand in a mention.
func isID(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

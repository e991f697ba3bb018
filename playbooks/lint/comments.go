package lint

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/playbooks"
)

// comment is a comment of a YAML file.
type comment struct {
	pos   playbooks.Pos
	text  string // with its #
	alone bool   // nothing else is in its line
}

// blockText matches a line after which a text follows in lines of its own.
var blockText = regexp.MustCompile(`(^|[\s:-])[|>][0-9+-]{0,2}$`)

// comments finds the comments of a file. What stands in a block of text, such as a script, is no
// comment of the file.
func comments(lines []string) []comment {
	var out []comment
	block := -1 // the indentation of the line that began a block of text
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if block >= 0 && (indent > block || strings.TrimSpace(line) == "") {
			continue
		}
		block = -1
		at := commentStart(line)
		if at >= 0 {
			before := line[:at]
			out = append(out, comment{
				pos:  playbooks.Pos{Line: i + 1, Column: 1 + utf8.RuneCountInString(before)},
				text: line[at:], alone: strings.TrimSpace(before) == "",
			})
			line = before
		}
		if strings.ContainsAny(line, "|>") && blockText.MatchString(strings.TrimRight(line, " \t")) {
			block = indent
		}
	}
	return out
}

// commentStart is where the comment of a line begins; -1 when it has none. A # begins one at the
// beginning of a line or behind a blank, unless it stands in quotes.
func commentStart(line string) int {
	var quote, before byte = 0, ' ' // the last byte that is no blank decides whether quotes begin
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		case (c == '"' || c == '\'') && strings.IndexByte(" :,[{-", before) >= 0:
			quote = c
		}
		if c != ' ' && c != '\t' {
			before = c
		}
	}
	return -1
}

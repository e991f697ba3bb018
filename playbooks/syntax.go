package playbooks

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// read decodes the one document of the file.
func (s *source) read(data []byte) (Value, bool) {
	if len(data) > maxSize {
		s.problem(Pos{}, "split the playbook", "the file has %d bytes; a playbook has at most %d", len(data), maxSize)
		return Value{}, false
	}
	if !s.readable(data) {
		return Value{}, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		s.syntax(data, err)
		return Value{}, false
	}
	if len(doc.Content) == 0 {
		s.problem(Pos{}, "begin with name:", "the file is empty")
		return Value{}, false
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		s.problem(Pos{Line: max(next.Line, 1), Column: 1}, "put each playbook into a file of its own", "the file holds more than one document")
		return Value{}, false
	}
	return s.value(doc.Content[0], 0), true
}

// readable points at the first byte that is no text.
func (s *source) readable(data []byte) bool {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			s.problem(Pos{Line: line, Column: column}, "save the file as UTF-8", "the byte %#02x is not UTF-8", data[i])
			return false
		case r == '\n':
			line, column = line+1, 0
		case hidden(r):
			s.problem(Pos{Line: line, Column: column}, fmt.Sprintf(`remove it, or write it as the escape "\u%04x" in double quotes`, r), "the control character %U cannot stand in a file", r)
			return false
		}
		i, column = i+size, column+1
	}
	return true
}

// hidden reports whether a character has no shape, or is a line break to YAML and to nobody else: U+0085, U+2028 and U+2029.
func hidden(r rune) bool {
	return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || r == '\u2028' || r == '\u2029'
}

// searchSize is the size of the largest file that is parsed again and again to find an error.
const searchSize = 32 << 10

var yamlLine = regexp.MustCompile(`^line (\d+): `)

// yamlLineOf is the line that the parser names; 1 when it names none.
func yamlLineOf(err error) int {
	m := yamlLine.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: "))
	if m == nil {
		return 1
	}
	n, _ := strconv.Atoi(m[1])
	return max(n, 1)
}

// syntax points at the line where the parser gave up. The parser itself often names the beginning of
// the enclosing block, or nothing; the first lines that give the same error end where it is.
func (s *source) syntax(data []byte, err error) {
	line := min(yamlLineOf(err), len(s.lines))
	if len(data) <= searchSize && !strings.Contains(err.Error(), "end of stream") { // there it names the opening quote
		line = 1 + sort.Search(len(s.lines)-1, func(i int) bool {
			return yamlMessage(decode([]byte(strings.Join(s.lines[:i+1], "\n")))) == yamlMessage(err)
		})
	}
	for line > 1 && strings.TrimSpace(s.lines[line-1]) == "" {
		line-- // the end of the file
	}
	text := s.lines[line-1]
	column := utf8.RuneCountInString(text[:len(text)-len(strings.TrimLeft(text, " \t"))]) + 1
	s.problem(Pos{Line: line, Column: column}, s.yamlRemedy(yamlMessage(err), line), "this is not YAML: %s", yamlMessage(err))
}

func decode(data []byte) error {
	return yaml.NewDecoder(bytes.NewReader(data)).Decode(&yaml.Node{})
}

func yamlMessage(err error) string {
	if err == nil {
		return ""
	}
	return yamlLine.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "")
}

// line is a line as it may be shown.
func (s *source) line(n int) string {
	return strings.TrimPrefix(strings.TrimRight(s.lines[n-1], "\r"), "\ufeff")
}

const (
	farLine = 200      // lines of one text that are searched for its templates,
	farByte = 16 << 10 // and bytes
)

// place prepares the search for the templates of a text.
func (s *source) place(n *yaml.Node) *place {
	from := min(max(n.Line-1, 0), len(s.lines))
	return &place{start: Pos{Line: n.Line, Column: n.Column}, lines: s.lines[from:min(from+farLine, len(s.lines))], skip: n.Column - 1}
}

// place says where in the file a text stands, and finds the templates in it, one after the other.
type place struct {
	start Pos
	lines []string // the line of start and those after it
	line  int      // where the search goes on: lines from start,
	skip  int      // and characters of that line
}

// find returns where the next template stands; the beginning of the text when it cannot be found,
// which happens when YAML escapes or folds stand in it.
func (p *place) find(source string) Pos {
	budget := farByte
	for i := p.line; i < len(p.lines); i++ {
		if budget -= len(p.lines[i]); budget < 0 {
			break
		}
		skip := 0
		if i == p.line {
			skip = p.skip
		}
		runes := []rune(p.lines[i])
		rest := string(runes[min(skip, len(runes)):])
		if before, _, found := strings.Cut(rest, source); found {
			column := min(skip, len(runes)) + utf8.RuneCountInString(before)
			p.line, p.skip = i, column+utf8.RuneCountInString(source)
			return Pos{Line: p.start.Line + i, Column: column + 1}
		}
	}
	return p.start
}

package commands

import (
	"slices"
	"strings"
	"unicode"

	"github.com/google/shlex"

	"github.com/playbot/playbot/engine"
)

// parse reads a line into words. The error is a *lineError.
func parse(text string, origin engine.Origin) ([]word, error) {
	in, err := decode(text, origin)
	if err != nil {
		return nil, err
	}
	return split(in)
}

// split finds the words. What quotes mean is left to shlex: the scanner only writes the line in the
// form that shlex reads as the person meant it, with every #, apostrophe and backslash that is just
// a character escaped. Each piece (an item of a value) is one word of shlex.
func split(in []glyph) ([]word, error) {
	s := &scanner{in: unfence(in)}
	var words []word
	var sizes []int
	for s.space(); s.i < len(s.in); s.space() {
		before := len(s.pieces)
		w, err := s.word()
		if err != nil {
			return nil, err
		}
		words, sizes = append(words, w), append(sizes, len(s.pieces)-before)
	}
	texts, err := shlex.Split(strings.Join(s.pieces, " "))
	if err != nil || len(texts) != len(s.pieces) {
		return nil, wrong(0, "the line cannot be split into words; put values with spaces into double quotes")
	}
	for i := range words {
		v := &words[i].value
		if n := sizes[i]; n > 0 {
			v.items, texts = texts[:n:n], texts[n:]
			v.text = strings.Join(v.items, ",")
		}
	}
	return words, nil
}

// unfence takes away the backticks around a whole line.
func unfence(in []glyph) []glyph {
	for len(in) > 0 && blank(in[0]) {
		in = in[1:]
	}
	for len(in) > 0 && blank(in[len(in)-1]) {
		in = in[:len(in)-1]
	}
	if len(in) >= 7 && ticks(in[:3]) && ticks(in[len(in)-3:]) {
		return in[3 : len(in)-3]
	}
	return in
}

func ticks(in []glyph) bool {
	for _, g := range in {
		if g.r != '`' {
			return false
		}
	}
	return true
}

func blank(g glyph) bool { return g.ref == nil && unicode.IsSpace(g.r) }

// scanner walks over a line and writes the pieces for shlex.
type scanner struct {
	in     []glyph
	i      int
	pieces []string
}

func (s *scanner) space() {
	for s.i < len(s.in) && blank(s.in[s.i]) {
		s.i++
	}
}

// at returns the character at i, 0 at the end, and a character that is none of ours for a reference.
func (s *scanner) at(i int) rune {
	if i >= len(s.in) {
		return 0
	}
	if s.in[i].ref != nil {
		return '\ufffc'
	}
	return s.in[i].r
}

// ends reports whether a word ends at i.
func (s *scanner) ends(i int) bool { return i >= len(s.in) || blank(s.in[i]) }

// bounds reports whether a value or an item of one ends at i.
func (s *scanner) bounds(i int) bool { return s.ends(i) || s.at(i) == ',' }

func (s *scanner) col() int {
	if s.i < len(s.in) {
		return s.in[s.i].col
	}
	return len(s.in) + 1
}

func (s *scanner) word() (word, error) {
	s.unquoteTicks()
	w := word{col: s.col()}
	if r := s.at(s.i); (r == '—' || r == '–') && unicode.IsLetter(s.at(s.i+1)) {
		w.kind = flagWord
		s.i++
	} else if r == '-' && s.at(s.i+1) == '-' {
		w.kind = flagWord
		s.i += 2
	}
	if w.kind == flagWord {
		return w, s.flag(&w)
	}
	name, colon, err := s.assigned()
	if err != nil {
		return w, err
	}
	if name == "" {
		return w, s.value(&w.value)
	}
	w.kind, w.name, w.given = assignment, name, true
	if colon {
		return w, s.json(&w)
	}
	return w, s.value(&w.value)
}

// unquoteTicks takes away the backticks around the word or the words that begin here.
func (s *scanner) unquoteTicks() {
	if s.at(s.i) != '`' {
		return
	}
	for j := s.i + 1; j < len(s.in); j++ {
		if s.at(j) == '`' && s.bounds(j+1) && j > s.i+1 {
			s.in = slices.Delete(s.in, j, j+1) // the glyphs belong to this scanner alone
			s.i++
			return
		}
	}
}

func (s *scanner) flag(w *word) error {
	start := s.i
	for !s.ends(s.i) && s.at(s.i) != '=' {
		if r := s.at(s.i); !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' {
			return wrong(s.col(), "a flag is --name or --name=value")
		}
		s.i++
	}
	if s.i == start {
		return wrong(w.col, "a flag is --name or --name=value")
	}
	w.name = s.text(start, s.i)
	if s.at(s.i) != '=' {
		return nil
	}
	s.i++
	w.given = true
	return s.value(&w.value)
}

// assigned reads "name=" or "name:=" if the word begins so, and returns an empty name if it does not.
func (s *scanner) assigned() (name string, colon bool, err error) {
	end, odd := s.i, 0
	for ; !s.ends(end) && s.at(end) != '='; end++ {
		switch r := s.at(end); {
		case hidden(r) && odd == 0:
			odd = s.in[end].col
		case hidden(r), r == ':' && s.at(end+1) == '=' && end > s.i:
		case !nameRune(r, end == s.i):
			return "", false, nil
		}
	}
	if s.at(end) != '=' || end == s.i {
		return "", false, nil
	}
	if odd > 0 {
		return "", false, wrong(odd, "there is an invisible character in the name; type the name again")
	}
	name = s.text(s.i, end)
	name, colon = strings.CutSuffix(name, ":")
	s.i = end + 1
	return name, colon, nil
}

func nameRune(r rune, first bool) bool {
	return unicode.IsLetter(r) || r == '_' || !first && (unicode.IsDigit(r) || unicode.IsMark(r) || r == '.' || r == '-')
}

func (s *scanner) text(from, to int) string {
	var b strings.Builder
	for _, g := range s.in[from:to] {
		if g.ref != nil {
			b.WriteString(g.ref.id)
			continue
		}
		b.WriteRune(g.r)
	}
	return b.String()
}

// value reads items with commas between them, up to the end of the word.
func (s *scanner) value(v *value) error {
	for {
		if err := s.item(v); err != nil {
			return err
		}
		if s.at(s.i) != ',' {
			return nil
		}
		s.i++
	}
}

func (s *scanner) item(v *value) error {
	if end, ok, err := s.closing(); err != nil || ok {
		if err != nil {
			return err
		}
		v.quoted = true
		s.note(v, s.i+1, end)
		s.pieces = append(s.pieces, s.inQuotes(end))
		s.i = end + 1
		if !s.bounds(s.i) {
			return wrong(s.col(), "there is text right behind the closing quote; put a space there, or write \\\" for a quote inside")
		}
		return nil
	}
	start := s.i
	for !s.bounds(s.i) {
		s.i++
	}
	s.note(v, start, s.i)
	s.pieces = append(s.pieces, escaped(s.text(start, s.i)))
	return nil
}

// note keeps what the text alone does not show.
func (s *scanner) note(v *value, from, to int) {
	for _, g := range s.in[from:to] {
		if g.ref != nil {
			v.refs = append(v.refs, *g.ref)
		} else if hidden(g.r) && v.hidden == 0 {
			v.hidden = g.col
		}
	}
}

package wire

import (
	"bytes"
	"unicode/utf8"
)

// is takes one byte, if it is c, and skips nothing before it.
func (s *scanner) is(c byte) bool {
	if s.i == len(s.b) || s.b[s.i] != c {
		return false
	}
	s.i++
	return true
}

// run returns what stands for itself in a string: up to its end, an escape, or what JSON forbids.
func (s *scanner) run() []byte {
	i := s.i
	for i < len(s.b) && s.b[i] >= ' ' && s.b[i] != '"' && s.b[i] != '\\' {
		i++
	}
	text := s.b[s.i:i]
	s.i = i
	return text
}

// base64 reads a string of which the caller checks that it is base64: that leaves only line ends, which
// decoders pass over and JSON forbids.
func (s *scanner) base64() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	end := bytes.IndexByte(s.b[s.i:], '"')
	if end < 0 {
		return nil, false
	}
	text := s.b[s.i : s.i+end]
	s.i += end + 1
	return text, bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0
}

// plain reads a string without escapes.
func (s *scanner) plain() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	text := s.run()
	return text, s.is('"')
}

// text reads a string; with escapes it is written to the end of room, which is returned.
func (s *scanner) text(room []byte) (text, grown []byte, ok bool) {
	if !s.take('"') {
		return nil, room, false
	}
	text = s.run()
	if s.is('"') {
		return text, room, true
	}
	start := len(room)
	room, ok = s.unescape(append(room, text...))
	return room[start:], room, ok
}

// unescape reads the rest of a string and appends it without its escapes, byte by byte: in JSON that stands in
// JSON every few bytes are one.
func (s *scanner) unescape(out []byte) (_ []byte, ok bool) {
	b, i := s.b, s.i
	for i < len(b) {
		c := b[i]
		i++
		switch {
		case c == '"':
			s.i = i
			return out, true
		case c < ' ':
			return out, false
		case c != '\\':
			out = append(out, c)
		case i < len(b) && (b[i] == '"' || b[i] == '\\'): // the usual ones
			out = append(out, b[i])
			i++
		default:
			s.i = i
			if out, ok = s.escape(out); !ok {
				return out, false
			}
			i = s.i
		}
	}
	return out, false
}

// escape reads what stands behind a backslash. Pairs of surrogates are not plain.
func (s *scanner) escape(out []byte) ([]byte, bool) {
	if s.i == len(s.b) {
		return out, false
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case '/':
		return append(out, c), true
	case 'b':
		return append(out, '\b'), true
	case 'f':
		return append(out, '\f'), true
	case 'n':
		return append(out, '\n'), true
	case 'r':
		return append(out, '\r'), true
	case 't':
		return append(out, '\t'), true
	case 'u':
		r, ok := hex4(s.b[s.i:])
		if !ok {
			return out, false
		}
		s.i += 4
		return utf8.AppendRune(out, r), true
	}
	return out, false
}

// hex4 reads the four digits of an escape.
func hex4(text []byte) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range text[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, utf8.ValidRune(r)
}

package wire

import (
	"bytes"
	"unicode/utf8"
)

// raw reads a string and returns what stands between its quotes; escaped tells that it holds a backslash.
func (s *scanner) raw() (text []byte, escaped, ok bool) {
	if !s.take('"') {
		return nil, false, false
	}
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], escaped, true
		case c == '\\':
			escaped = true
			s.i++
		case c < ' ':
			return nil, false, false
		}
	}
	return nil, false, false
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
	text, escaped, ok := s.raw()
	return text, ok && !escaped
}

// text reads a string; with escapes it is written to the end of room, which is returned.
func (s *scanner) text(room []byte) (text, grown []byte, ok bool) {
	text, escaped, ok := s.raw()
	if !ok || !escaped {
		return text, room, ok
	}
	start := len(room)
	if room, ok = unescape(room, text); !ok {
		return nil, room, false
	}
	return room[start:], room, true
}

// unescape appends a string without its escapes. Pairs of surrogates are not plain.
func unescape(out, text []byte) ([]byte, bool) {
	for len(text) > 0 {
		at := bytes.IndexByte(text, '\\')
		if at < 0 {
			return append(out, text...), true
		}
		out = append(out, text[:at]...)
		if at+1 >= len(text) {
			return out, false
		}
		c := text[at+1]
		text = text[at+2:]
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(text)
			if !ok {
				return out, false
			}
			out, text = utf8.AppendRune(out, r), text[4:]
		default:
			return out, false
		}
	}
	return out, true
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

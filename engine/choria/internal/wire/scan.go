package wire

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested for [scanner]; what is deeper is left to encoding/json.
const maxDepth = 32

// scanner reads plain JSON of valid UTF-8 without making garbage. Each method reports false at the
// first thing that is not plain, whether it is wrong or only rare: then encoding/json decides.
type scanner struct {
	b []byte
	i int
}

// next skips white space and returns the next byte; 0 at the end.
func (s *scanner) next() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and one byte, if it is c.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.i++
	return true
}

// end reports whether nothing but white space is left.
func (s *scanner) end() bool {
	s.next()
	return s.i == len(s.b)
}

// word skips a literal.
func (s *scanner) word(w string) bool {
	if !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		return false
	}
	s.i += len(w)
	return true
}

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

// number returns the digits of a number as JSON writes them.
func (s *scanner) number() ([]byte, bool) {
	s.next()
	start := s.i
	s.skipIf("-")
	switch {
	case s.skipIf("0"):
	case s.digits() == 0:
		return nil, false
	}
	if s.skipIf(".") && s.digits() == 0 {
		return nil, false
	}
	if s.skipIf("eE") {
		s.skipIf("+-")
		if s.digits() == 0 {
			return nil, false
		}
	}
	return s.b[start:s.i], true
}

func (s *scanner) skipIf(any string) bool {
	if s.i < len(s.b) && bytes.IndexByte([]byte(any), s.b[s.i]) >= 0 {
		s.i++
		return true
	}
	return false
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

// integer reads a number of at most 18 digits without fraction or exponent.
func (s *scanner) integer() (int64, bool) {
	text, ok := s.number()
	if !ok || len(text) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range bytes.TrimPrefix(text, []byte("-")) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}

// object reads an object; field reads the value of a key.
func (s *scanner) object(field func(key []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.plain()
		if !ok || !s.take(':') || !field(key) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// list reads a list; item reads a value.
func (s *scanner) list(item func() bool) bool {
	if !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// skip passes over a value.
func (s *scanner) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch s.next() {
	case '{':
		return s.object(func([]byte) bool { return s.skip(depth + 1) })
	case '[':
		return s.list(func() bool { return s.skip(depth + 1) })
	case '"':
		_, ok := s.plain()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	_, ok := s.number()
	return ok
}

// value reads a value as encoding/json does into an any.
func (s *scanner) value(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch s.next() {
	case '{':
		return s.fields(depth)
	case '[':
		list := []any{}
		ok := s.list(func() bool {
			v, ok := s.value(depth + 1)
			list = append(list, v)
			return ok
		})
		return list, ok
	case '"':
		text, _, ok := s.text(nil)
		return string(text), ok
	case 't':
		return true, s.word("true")
	case 'f':
		return false, s.word("false")
	case 'n':
		return nil, s.word("null")
	}
	text, ok := s.number()
	if !ok {
		return nil, false
	}
	f, err := strconv.ParseFloat(string(text), 64)
	return f, err == nil
}

// fields reads an object as encoding/json does into a map.
func (s *scanner) fields(depth int) (map[string]any, bool) {
	m := make(map[string]any)
	ok := s.object(func(key []byte) bool {
		v, ok := s.value(depth + 1)
		m[string(key)] = v
		return ok
	})
	return m, ok
}

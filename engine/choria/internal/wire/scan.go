package wire

import (
	"bytes"
	"math"
	"strconv"
	"strings"
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
	if s.i < len(s.b) && strings.IndexByte(any, s.b[s.i]) >= 0 {
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

// integer reads a number without fraction or exponent that an int64 holds.
func (s *scanner) integer() (int64, bool) {
	const most = 19 // digits of the largest
	text, ok := s.number()
	digits := bytes.TrimPrefix(text, []byte("-"))
	if !ok || len(digits) > most {
		return 0, false
	}
	var n uint64 // which holds any 19 digits
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + uint64(c-'0')
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if text[0] == '-' {
		return -int64(n), true
	}
	return int64(n), true
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

package commands

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// json reads the one JSON value that follows ":=".
func (s *scanner) json(w *word) error {
	rest := s.text(s.i, len(s.in))
	data, width, err := oneJSON(rest)
	if err != nil { // a phone has made the quotes curly
		straight := strings.Map(func(r rune) rune {
			if family(r) == '"' {
				return '"'
			}
			return r
		}, rest)
		if d, n, again := oneJSON(straight); again == nil {
			data, width, err, rest = d, n, nil, straight
		}
	}
	if err != nil {
		return wrong(s.col(), "%s:= takes JSON, such as %s:=[1, 2] or %s:={\"a\": true}; this is not JSON", w.name, w.name, w.name)
	}
	written := []rune(rest)[:width]
	for taken := 0; taken < width; s.i++ {
		taken += len([]rune(s.text(s.i, s.i+1)))
	}
	if !s.ends(s.i) {
		return wrong(s.col(), "there is text right behind the JSON; put a space there")
	}
	w.value.isJSON, w.value.data, w.value.text = true, data, string(written)
	return nil
}

// oneJSON decodes the value at the beginning of text, and says how many characters it takes.
func oneJSON(text string) (any, int, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	var data any
	if err := dec.Decode(&data); err != nil {
		return nil, 0, fmt.Errorf("read JSON: %w", err)
	}
	return whole(data), len([]rune(text[:dec.InputOffset()])), nil
}

// whole makes integers of the numbers that are.
func whole(data any) any {
	switch t := data.(type) {
	case float64:
		if t == math.Trunc(t) && math.Abs(t) < 1<<53 {
			return int(t)
		}
	case []any:
		for i := range t {
			t[i] = whole(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = whole(t[k])
		}
	}
	return data
}

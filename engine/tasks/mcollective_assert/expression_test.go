package mcollectiveassert

import (
	"encoding/json"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

func TestExpression_holdsForReplies(t *testing.T) {
	t.Parallel()
	var reply map[string]any
	err := json.Unmarshal([]byte(`{"n": 5, "f": 1.5, "s": "Hello", "on": true, "z": null, "tags": ["x", 1], "num": "5"}`), &reply)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		item, operator string
		value          any
		want           string // why not; empty: it holds
	}{
		{"n", "==", 5, ""},
		{"n", "=", 5.0, ""},
		{"n", "==", "5", "n=5"},
		{"num", "==", 5, "num=5"},
		{"n", "!=", 5, "n=5"},
		{"n", "!==", 6, ""},
		{"n", "! ==", 6, ""},
		{"n", "<", 6, ""},
		{"n", "<", 5, "n=5"},
		{"n", "<=", 5, ""},
		{"n", ">", 4.5, ""},
		{"n", ">=", 5, ""},
		{"n", "!<", 5, ""},
		{"n", "!>", 4, "n=5"},
		{"f", ">", 1, ""},
		{"s", ">", "Hell", ""},
		{"s", "<=", "Hello", ""},
		{"n", "<", "6", "n=5"}, // a number and text have no order
		{"n", "!<", "6", "n=5"},
		{"z", ">", 1, "z=null"},
		{"tags", "!<", 1, `tags=["x",1]`},
		{"s", "=~", "^hel", ""},
		{"s", "!=~", "^hel", "s=Hello"},
		{"s", "=~", "bye", "s=Hello"},
		{"n", "=~", "^5$", ""},
		{"tags", "=~", "x", `tags=["x",1]`},
		{"tags", "!=~", "y", `tags=["x",1]`},
		{"s", "in", []any{"a", "Hello"}, ""},
		{"n", "in", []any{4, 5}, ""},
		{"n", "!in", []any{4, 5}, "n=5"},
		{"n", "!in", []any{"5"}, ""},
		{"on", "==", true, ""},
		{"z", "==", nil, ""},
		{"tags", "==", []any{"x", 1}, ""},
		{"missing", "!=", 1, "no missing"},
		{"missing", "==", nil, "no missing"},
		{":n:", "==", 5, ""},
		{":n", "==", 5, ""},
	} {
		p := playbooks.FromMap(map[string]any{"expression": []any{row.item, row.operator, row.value}})
		e := read(p)
		if err := p.Err(); err != nil {
			t.Errorf("%s %s %v is refused: %v", row.item, row.operator, row.value, err)
			continue
		}
		if got := e.unsatisfied(reply); got != row.want {
			t.Errorf("%s: got %q, want %q", e, got, row.want)
		}
	}
}

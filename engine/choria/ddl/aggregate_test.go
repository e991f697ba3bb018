package ddl_test

import (
	"fmt"
	"strings"
	"testing"
)

// summed is what an aggregate over the output n says of values; nothing is a reply without n.
func summed(t *testing.T, aggregate string, values ...any) string {
	t.Helper()
	a := parse(t, `"output": {"n": {"display_as": "The N"}}, "aggregate": [`+aggregate+`]`).Actions["go"]
	var replies []map[string]any
	for _, v := range values {
		replies = append(replies, map[string]any{"n": v})
	}
	var parts []string
	for _, s := range a.Summarize(replies) {
		parts = append(parts, s.String())
	}
	return strings.Join(parts, "; ")
}

func TestSummarize_doesWhatTheFunctionsSay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		aggregate string
		values    []any
		want      string
	}{
		{`{"function": "summary", "args": ["n"]}`, []any{"a", "b", "a", "a"}, "The N: 1 × b, 3 × a"},
		{`{"function": "summary", "args": ["n"]}`, []any{[]any{"x", "y"}, []any{"x"}, []any{}}, "The N: 1 × y, 2 × x, 1 × no value"},
		{`{"function": "summary", "args": ["n"]}`, []any{nil, 5.0, 5.5, true}, "The N: 1 × 5, 1 × 5.5, 1 × true, 1 × no value"},
		{`{"function": "summary", "args": ["n", {"0": "OK", "2": "CRITICAL"}]}`, []any{0.0, 2.0, 0.0, "0", 3.0}, "The N: 1 × 3, 1 × CRITICAL, 3 × OK"},
		{`{"function": "summary", "args": ["n", {"format": "%5s tests on %d node(s)"}]}`, []any{3.0, 3.0}, "The N: 3 tests on 2 node(s)"},
		{`{"function": "summary", "args": ["n", {"format": "100%% %s %d"}]}`, []any{"a"}, "The N: 100% a 1"},
		{`{"function": "boolean_summary", "args": ["n", {"true": "enabled", "false": "disabled"}]}`, []any{true, false, "true"}, "The N: 1 × disabled, 2 × enabled"},
		{`{"function": "average", "args": ["n"]}`, []any{1.0, 1.1, 100.0, "1", "a"}, "The N: average 25.775, 1 × no value"},
		{`{"function": "average", "args": ["n", {"format": "Average: %d"}]}`, []any{1.0, 2.0}, "The N: Average: 2"},
		{`{"function": "average", "args": ["n", {"format": "%.1f s"}]}`, []any{1.0, 2.0}, "The N: 1.5 s"},
		{`{"function": "average", "args": ["n"]}`, []any{"a"}, "The N: 1 × no value"},
		{`{"function": "sum", "args": ["n"]}`, []any{1.0, 2.5}, "The N: 3.5"},
		{`{"function": "chart", "args": ["n"]}`, []any{1.0, 1.0, 1.0, 5.0}, "The N: 1 █▁▁▄ 5"},
		{`{"function": "chart", "args": ["n"]}`, []any{4.0, 4.0}, "The N: all 4"},
		{`{"function": "chart", "args": ["n"]}`, []any{-1.7e308, 1.7e308}, "The N: -1.7e+308 ██ 1.7e+308"},
		{`{"function": "summary", "args": ["n"]}, {"function": "summary", "args": ["n"]}`, []any{1.0}, "The N: 1 × 1"},
		{`{"function": "summary", "args": ["n"]}, {"function": "average", "args": ["n"]}`, []any{1.0}, "The N: 1 × 1; The N: average 1.000"},
		{``, []any{1.0}, ""},
	} {
		if got := summed(t, row.aggregate, row.values...); got != row.want {
			t.Errorf("%s of %v: %s\nwant %s", row.aggregate, row.values, got, row.want)
		}
	}
}

func TestSummarize_staysShort(t *testing.T) {
	t.Parallel()
	var values []any
	for i := range 1000 {
		values = append(values, fmt.Sprintf("%d%s", i, strings.Repeat("x", 10_000)))
	}
	got := summed(t, `{"function": "summary", "args": ["n"]}`, values...)
	if len(got) > 1000 || !strings.HasSuffix(got, "and 995 other values") {
		t.Errorf("it has %d bytes and ends %q", len(got), got[max(0, len(got)-60):])
	}
	got = summed(t, `{"function": "summary", "args": ["n"]}`, "a\nb\x00")
	if strings.Contains(got, "\n") {
		t.Errorf("a line break passes: %q", got)
	}
}

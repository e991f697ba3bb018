package commands

import (
	"strings"
	"testing"
)

func TestExact_showsDifferentValuesDifferently(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]any{
		{"1", 1},
		{"a", "a "},
		{"a\u202eb", "a\ufffdb"},
		{"a", "a\u200b"},
		{"true", true},
		{nil, "null"},
		{"a\nb", "a b"},
		{"a\u00a0b", "a b"},
		{[]any{"a", "b"}, "a, b"},
		{"a\u2028b", "a b"},
		{"\x1b[0ma", "a"},
		{"<a>", "&lt;a&gt;"},
	} {
		if a, b := Clean(exact(pair[0])), Clean(exact(pair[1])); a == b || strings.Contains(a, "\n") {
			t.Errorf("%q and %q are both shown as %s", pair[0], pair[1], a)
		}
	}
}

package realfleet_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
)

// shape tells what a result looks like, without the values that differ from server to server.
func shape(res choria.Result) string {
	var b strings.Builder
	for _, r := range res.Replies {
		fmt.Fprintf(&b, "%s: %d %s\n", r.Sender, r.StatusCode, r.StatusMsg)
		outline(&b, "data", r.Data)
	}
	fmt.Fprintf(&b, "silent: %s, malformed: %d\n", short(res.Silent), res.Malformed)
	return b.String()
}

// outline writes one line for each path in a value. A list stands for all its items: what any of
// them has is there once.
func outline(b *strings.Builder, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		fmt.Fprintf(b, "%s {}\n", path)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			outline(b, path+"."+k, v[k])
		}
	case []any:
		fmt.Fprintf(b, "%s []\n", path)
		lines := map[string]bool{}
		for _, item := range v {
			var one strings.Builder
			outline(&one, path+"[]", item)
			for line := range strings.Lines(one.String()) {
				lines[line] = true
			}
		}
		b.WriteString(strings.Join(slices.Sorted(maps.Keys(lines)), ""))
	default:
		fmt.Fprintf(b, "%s %T\n", path, v)
	}
}

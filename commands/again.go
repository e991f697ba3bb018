package commands

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

// Again is the line that starts the playbook of a run with the same inputs, in the version that is there
// now. Secrets are not in it: they are never typed into a line.
func Again(run *engine.Run) string {
	var b strings.Builder
	b.WriteString("/playbook run " + run.Requested.Playbook.Name)
	for _, name := range slices.Sorted(maps.Keys(run.Requested.Inputs)) {
		if _, secret := run.Requested.Secrets[name]; !secret {
			b.WriteString(" " + assigned(name, run.Requested.Inputs[name]))
		}
	}
	return b.String()
}

// assigned writes an input as it is typed.
func assigned(name string, v any) string {
	switch v.(type) {
	case string, bool, int, int64, float64:
		return name + "=" + Quote(valueText(v))
	}
	list, ok := v.([]any)
	plainList := ok && len(list) > 0 && !slices.ContainsFunc(list, func(item any) bool { _, text := item.(string); return !text })
	if plainList {
		return name + "=" + typed(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return name + "=" + Quote(valueText(v))
	}
	return name + ":=" + string(raw)
}

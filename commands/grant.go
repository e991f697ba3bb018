package commands

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
)

// firstWave is how people grant the first of the waves that a gate asks for.
const firstWave = "first-wave"

// readLimit takes what makes a yes one for less out of what was typed: first-wave behind the run,
// waves=, nodes= and until=. used is how many words the run took.
func readLimit(a args, used int, v verb, now time.Time) (engine.Limit, args, int, error) {
	var l engine.Limit
	seen := map[string]bool{}
	for _, w := range a.sets {
		if seen[w.name] {
			return l, a, used, wrong(w.col, "%s is given twice; give it once", w.name)
		}
		seen[w.name] = true
		var err error
		switch w.name {
		case "waves":
			l.Waves, err = countOf(w.value.text, "waves")
		case "nodes":
			l.Nodes, err = countOf(w.value.text, "nodes")
		case "until":
			l.Until, err = ParseUntil(w.value.text, now)
		default:
			err = fmt.Errorf("%s takes waves=, nodes= and until=, and no %s=; put a reason with = into double quotes", v.name, Clean(short(w.name, 40)))
		}
		if err != nil {
			return l, a, used, wrong(w.col, "%s", err)
		}
	}
	a.sets = nil
	if len(a.words) > used && strings.EqualFold(a.words[used].value.text, firstWave) {
		if l.Waves != 0 {
			return l, a, used, wrong(a.words[used].col, "%s and waves= say the same thing twice; give one of them", firstWave)
		}
		l.Waves = 1
		used++
	}
	return l, a, used, nil
}

func countOf(text, what string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%q is not a number of %s; write 1 or more", Clean(short(text, 40)), what)
	}
	return n, nil
}

// ParseUntil reads a time that is to come as people write it: 15:00, which is the next one in UTC, or
// 2026-11-01T15:00:00Z.
func ParseUntil(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	clock, err := time.Parse("15:04", strings.TrimSuffix(strings.ToUpper(text), "Z"))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time; write 15:00, which is in UTC, or 2026-11-01T15:00:00Z", Clean(short(text, 40)))
	}
	now = now.UTC()
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, time.UTC)
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at, nil
}

// Grants says who granted less than a gate asked for, where several people did not grant the same; the
// outcome says the least of it.
func Grants(a *engine.Approval) string {
	if len(a.Given) < 2 || a.Limit().IsZero() {
		return ""
	}
	var out []string
	for _, g := range a.Given {
		what := "for all"
		if !g.Limit.IsZero() {
			what = g.Limit.String()
		}
		out = append(out, g.Actor.Label()+" "+what)
	}
	return strings.Join(out, "; ")
}

// GrantLess says how to say yes to less than a gate asks for; empty when it can only be granted whole.
func GrantLess(run engine.RunID, a *engine.Approval) string {
	if len(a.Nodes) < 2 || len(a.Waves) == 0 {
		return ""
	}
	return fmt.Sprintf("/playbook approve %s.%d %s, nodes=1 or until=15:00 grants less, and the run asks again for the rest", run.Short(), a.Number, firstWave)
}

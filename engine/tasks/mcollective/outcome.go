package mcollective

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
)

const (
	maxNamed = 5         // nodes that a sentence names before it says how many more
	maxData  = 256 << 10 // bytes of replies that are kept with the run
	maxText  = 300       // bytes of one reply in a note or sentence
)

// outcome is what the nodes answered.
type outcome struct {
	choria.Result

	ok  []string
	bad []choria.Reply
}

func (t *task) sort(res choria.Result) outcome {
	o := outcome{Result: res}
	for _, r := range res.Replies {
		if r.OK() {
			o.ok = append(o.ok, r.Sender)
		} else {
			o.bad = append(o.bad, r)
		}
	}
	return o
}

func (o outcome) failed() []string {
	var names []string
	for _, r := range o.bad {
		names = append(names, r.Sender)
	}
	return names
}

// without takes nodes out of those that answered well.
func (o outcome) without(wrong []choria.Reply) (ok, failed []string) {
	for _, r := range wrong {
		failed = append(failed, r.Sender)
	}
	for _, n := range o.ok {
		if !slices.Contains(failed, n) {
			ok = append(ok, n)
		}
	}
	return ok, failed
}

// counts says how it went, numbers first.
func (o outcome) counts(total int) string {
	if len(o.bad) == 0 && len(o.Silent) == 0 && len(o.Unasked) == 0 {
		return fmt.Sprintf("%d of %d ok", len(o.ok), total)
	}
	parts := []string{fmt.Sprintf("%d of %d ok", len(o.ok), total)}
	if len(o.bad) > 0 {
		var said []string
		for _, r := range o.bad {
			said = append(said, fmt.Sprintf("%s said %q", r.Sender, statusText(r)))
		}
		parts = append(parts, fmt.Sprintf("%d failed: %s", len(o.bad), few(said)))
	}
	if len(o.Silent) > 0 {
		parts = append(parts, fmt.Sprintf("%d did not answer: %s", len(o.Silent), few(o.Silent)))
	}
	if len(o.Unasked) > 0 {
		parts = append(parts, fmt.Sprintf("%d were not asked: %s", len(o.Unasked), few(o.Unasked)))
	}
	return strings.Join(parts, "; ")
}

// data is what later tasks and the report see of the replies. When they are too many, those of
// failing nodes are kept first.
func (o outcome) data(agent, action string) []any {
	out := []any{}
	room := maxData
	for _, good := range []bool{false, true} {
		for _, r := range o.Replies {
			if r.OK() != good {
				continue
			}
			size, err := json.Marshal(r)
			if err != nil || len(size) > room {
				continue
			}
			room -= len(size)
			out = append(out, map[string]any{
				"agent": agent, "action": action, "sender": r.Sender, "statuscode": r.StatusCode,
				"statusmsg": r.StatusMsg, "data": r.Data, "requestid": o.ID,
			})
		}
	}
	return out
}

// few joins some parts and says how many more there are.
func few(parts []string) string {
	if len(parts) <= maxNamed {
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(parts[:maxNamed], ", "), len(parts)-maxNamed)
}

func statusText(r choria.Reply) string {
	if r.StatusMsg == "" || r.StatusMsg == "OK" {
		return fmt.Sprintf("status %d", r.StatusCode)
	}
	return clip(r.StatusMsg)
}

// fields writes reply data as key=value, sorted.
func fields(data map[string]any) string {
	if len(data) == 0 {
		return "ok"
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(data)) {
		parts = append(parts, k+"="+word(data[k]))
	}
	return strings.Join(parts, " ")
}

// word writes a value: text as it is, the rest as JSON, so that a time stamp is never 1.7e+09.
func word(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

func clip(s string) string {
	if len(s) > maxText {
		return strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// summary groups equal replies, the odd ones out first.
func summary(replies []choria.Reply) string {
	groups := make(map[string][]string)
	for _, r := range replies {
		f := fields(r.Data)
		groups[f] = append(groups[f], r.Sender)
	}
	keys := slices.Sorted(maps.Keys(groups))
	slices.SortStableFunc(keys, func(a, b string) int { return len(groups[a]) - len(groups[b]) })
	var parts []string
	for i, k := range keys {
		who := fmt.Sprintf("%d ×", len(groups[k]))
		if i < len(keys)-1 && len(groups[k]) <= maxNamed {
			who = strings.Join(groups[k], ", ")
		}
		parts = append(parts, who+" "+clip(k))
	}
	return few(parts)
}

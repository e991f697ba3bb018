package mcollective

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/tasks/mcollective/jgrep"
)

// flaw is what is wrong with the reply of a node.
type flaw struct {
	node string
	text string // what the node said, or the values that are not as they should be
	rule string // the assertion or expectation that does not hold; empty when the action failed
}

// flaw holds a reply to everything that the task asks of it.
func (t *task) flaw(ctx context.Context, r choria.Reply) (flaw, bool) {
	f := flaw{node: r.Sender}
	switch {
	case !r.OK():
		f.text = statusText(r)
	case t.assert != nil && !t.assert.Match(r.Data):
		f.rule, f.text = t.assert.String(), asserted(t.assert, r.Data)
	case t.expect != nil:
		data := r.Data
		if data == nil {
			data = map[string]any{}
		}
		holds, err := t.expect.Holds(ctx, map[string]any{
			"data": data, "sender": r.Sender, "statuscode": r.StatusCode, "statusmsg": r.StatusMsg,
		})
		if err == nil && holds {
			return flaw{}, false
		}
		f.rule, f.text = t.expect.Source(), expected(t.expect.Source(), data)
		if err != nil {
			f.text = clip(err.Error())
		}
	default:
		return flaw{}, false
	}
	return f, true
}

// note says it in a line about the node.
func (f flaw) note() string {
	if f.rule == "" {
		return fmt.Sprintf("%s: failed: %s", f.node, f.text)
	}
	return fmt.Sprintf("%s: does not satisfy %s: %s", f.node, clip(f.rule), f.text)
}

// inList says it among others of its kind.
func (f flaw) inList() string {
	if f.rule == "" {
		return fmt.Sprintf("%s said %q", f.node, f.text)
	}
	return fmt.Sprintf("%s (%s)", f.node, f.text)
}

// asserted lists the values that an assertion looked at.
func asserted(e *jgrep.Expression, data map[string]any) string {
	var seen []string
	for _, path := range e.Paths() {
		seen = append(seen, path+"="+jgrep.Value(data, path))
	}
	return clip(strings.Join(seen, ", "))
}

var words = regexp.MustCompile(`[A-Za-z_]\w*`)

// expected lists the values of a reply that an expression names; all of them when it names none.
func expected(source string, data map[string]any) string {
	if len(data) == 0 {
		return "no data"
	}
	used := words.FindAllString(source, -1)
	named := maps.Clone(data)
	maps.DeleteFunc(named, func(k string, _ any) bool { return !slices.Contains(used, k) })
	if len(named) == 0 {
		named = data
	}
	return clip(fields(named))
}

package playbooks

import (
	"fmt"
	"strconv"
	"strings"
)

// rollingType is the one task type that the language itself knows: it holds tasks.
const rollingType = "rolling"

// rolling reads a task of type rolling.
func (c *checker) rolling(p *Properties) *Rolling {
	r := &Rolling{Nodes: p.Source("nodes"), MaxFailures: p.Source("max_failures")}
	p.require("nodes")
	if r.Nodes.kind == templated {
		p.get("nodes")
	} else {
		p.RequireStrings("nodes")
	}
	c.share(p, "max_failures", 0)
	r.Waves = c.waves(p)
	for _, key := range []string{"tries", "try_sleep", "idempotent"} {
		if p.Has(key) {
			p.Remedy(key, "give it to the tasks of the wave", "a rolling task has no %s of its own", key)
		}
	}
	tasks := p.Source("tasks")
	switch {
	case c.names.wave:
		p.Remedy("tasks", "put its tasks into the outer one", "a rolling task cannot stand in another")
	case tasks.kind != list || len(tasks.items) == 0:
		p.Remedy("tasks", "write the tasks of a wave below it, each line beginning with -", "a rolling task has no tasks")
	default:
		c.names.wave = true
		r.Tasks = c.tasks(tasks)
		c.names.wave = false
	}
	return r
}

// waves reads the sizes of the waves: waves, or batch_size for waves of one size.
func (c *checker) waves(p *Properties) []Value {
	sizes, one := p.Source("waves"), p.Source("batch_size")
	switch {
	case p.Has("waves") && p.Has("batch_size"):
		p.Remedy("batch_size", "keep waves", "waves and batch_size say the same thing twice")
	case p.Has("batch_size"):
		c.share(p, "batch_size", 1)
		return []Value{one}
	case !p.Has("waves"):
		p.Remedy("waves", "add waves: [1, 10%, 50%], or batch_size: 1", "a rolling task has no waves")
	case sizes.kind != list || len(sizes.items) == 0:
		p.Remedy("waves", "write sizes as in [1, 10%, 50%]", "waves should be a list of sizes")
	}
	for _, v := range sizes.items {
		if data, ok := v.Literal(); ok {
			if _, err := ParseShare(data); err != nil || isNone(data) {
				p.add(v.pos, `write a number of nodes, or a share such as "10%"`, "%s is not the size of a wave", describe(data))
			}
		}
	}
	return sizes.items
}

// share checks a number of nodes or a share of them.
func (c *checker) share(p *Properties, key string, least int) {
	data := p.Any(key)
	if data == nil {
		return
	}
	if _, err := ParseShare(data); err != nil || least > 0 && isNone(data) {
		p.Remedy(key, `write a number of nodes, or a share such as "10%"`, "%s cannot be %s", key, describe(data))
	}
}

func isNone(data any) bool {
	s, err := ParseShare(data)
	return err == nil && s.Of(100) == 0
}

// Share is a number of nodes, or a percentage of them.
type Share struct {
	Number  int
	Percent bool
}

// ParseShare reads a whole number, or a percentage such as "20%".
func ParseShare(data any) (Share, error) {
	source := strings.TrimSpace(text(data))
	digits, percent := strings.CutSuffix(source, "%")
	n, err := strconv.Atoi(strings.TrimSpace(digits))
	if err != nil || n < 0 || percent && n > 100 {
		return Share{}, fmt.Errorf("%s is neither a number of nodes nor a share such as 20%%", describe(data))
	}
	return Share{Number: n, Percent: percent}, nil
}

// AtMost is how many of total nodes the share is at most; a percentage is rounded down.
func (s Share) AtMost(total int) int {
	if s.Percent {
		return total * s.Number / 100
	}
	return s.Number
}

// Of is how many of total nodes the share is; a percentage is rounded up.
func (s Share) Of(total int) int {
	if s.Percent {
		return (total*s.Number + 99) / 100
	}
	return s.Number
}

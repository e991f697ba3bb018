package webagents

import (
	"slices"
)

// Kind is a way to misbehave. In both nothing is done to the server.
type Kind string

// The kinds.
const (
	Fail   Kind = "fail"   // a reply with status code 1
	Silent Kind = "silent" // no reply: the agent hangs, and its server gives it up after the time-out of its description and kills it
)

// Fault makes an action misbehave on a server.
type Fault struct {
	Node    string `json:"node"`   // empty: every server
	Action  string `json:"action"` // agent.action
	Kind    Kind   `json:"kind"`
	Times   int    `json:"times"`   // how often; 0 means for ever
	Message string `json:"message"` // of Fail; default "broken for a test"
}

func (f *Fault) message() string {
	if f.Message != "" {
		return f.Message
	}
	return "broken for a test"
}

// AddFault writes one more fault into a fault file.
func AddFault(file string, f Fault) error {
	return update(file, func(all *[]Fault) { *all = append(*all, f) })
}

// take returns the first fault that applies, nil for none, and uses it up.
func take(file, node, action string) (taken *Fault, err error) {
	err = update(file, func(all *[]Fault) {
		i := slices.IndexFunc(*all, func(f Fault) bool { return (f.Node == "" || f.Node == node) && f.Action == action })
		if i < 0 {
			return
		}
		f := (*all)[i]
		taken = &f
		switch f.Times {
		case 0: // for ever
		case 1:
			*all = slices.Delete(*all, i, i+1)
		default:
			(*all)[i].Times--
		}
	})
	return taken, err
}

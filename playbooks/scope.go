package playbooks

import (
	"context"
	"errors"
	"time"
)

// ErrNoValue says that an optional input was not given and has neither a store nor a default. A
// template that is nothing but such an input fails; an expression sees nil. [Scope.Input] wraps it.
var ErrNoValue = errors.New("it has no value, data source or default")

// Scope is what templates and expressions see of a run.
type Scope struct {
	// Input returns the value of an input; it is called at each reference, because an input may be
	// bound to a store.
	Input    func(ctx context.Context, name string) (any, error)
	Nodes    map[string][]string
	Metadata map[string]any
	// Previous and Failed are the task before and the first that failed; nil when there is none.
	Previous, Failed map[string]any
	Tasks            map[string]map[string]any // by `as`
	Run              map[string]any
	Wave             map[string]any   // inside a rolling task: nodes, number, count
	Started          time.Time        // for elapsed_time
	Now              func() time.Time // nil means time.Now
}

func (s Scope) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// noTask is what 2017 says where there is no task yet.
func noTask(which string) map[string]any {
	return map[string]any{
		"success": false, "msg": "No " + which + " task was found", "message": "No " + which + " task was found",
		"data": []any{}, "description": "No " + which + " task was found", "runtime": 0,
		"path": "", "type": "", "status": "", "ran": false,
		"ok_nodes": []any{}, "failed_nodes": []any{}, "silent_nodes": []any{}, "unasked_nodes": []any{},
	}
}

func (s Scope) previous() map[string]any {
	if s.Previous == nil {
		return noTask("previous")
	}
	return s.Previous
}

func (s Scope) failed() map[string]any {
	if s.Failed == nil {
		return noTask("failed")
	}
	return s.Failed
}

// nodeLists are the node sets as expressions see them.
func (s Scope) nodeLists() map[string]any {
	out := make(map[string]any, len(s.Nodes))
	for name, nodes := range s.Nodes {
		out[name] = anyStrings(nodes)
	}
	return out
}

func anyStrings(in []string) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

package engine

import "slices"

// Narrower is a task that can repeat only a part of itself.
type Narrower interface {
	// Narrow returns the task that a further try runs; last is the outcome of the try before. It may
	// return the task itself. The result of what it returns accounts for the whole task.
	Narrow(last Result) Task
}

// narrowed is the task as the next attempt of a step runs it. A try that was cut off has no outcome,
// so that its repeat is narrowed by what the try itself was narrowed by.
func narrowed(task Task, step *Step) Task {
	n, ok := task.(Narrower)
	if !ok {
		return task
	}
	for _, a := range slices.Backward(step.Attempts) {
		if a.Outcome != nil && a.Outcome.Result.names() {
			return n.Narrow(a.Outcome.Result)
		}
	}
	return task
}

// names reports whether a result accounts for any node. That of an attempt which never began does not.
func (r Result) names() bool {
	return len(r.OKNodes)+len(r.FailedNodes)+len(r.SilentNodes)+len(r.UnaskedNodes) > 0
}

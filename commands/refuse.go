package commands

import (
	"context"
	"errors"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// runError is an error about a run that the person may view: the answer says where to look.
type runError struct {
	run engine.RunID
	err error
}

// Error implements error.
func (e *runError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *runError) Unwrap() error { return e.err }

// brokenError says that the file of a playbook does not load.
type brokenError struct {
	name string
	err  error
}

// Error implements error.
func (e *brokenError) Error() string { return e.name + " does not load: " + e.err.Error() }

// Unwrap returns the problems.
func (e *brokenError) Unwrap() error { return e.err }

// refuse turns an error into an answer: what is wrong, and what to do next. What is our fault is
// logged under the key of the request, which the person can quote.
func (c *Commands) refuse(ctx context.Context, key string, err error) Reply {
	r := Reply{Private: true, Code: engine.CodeInvalid}
	var line *lineError
	var broken *brokenError
	var missing *playbooks.NotFoundError
	var several *severalError
	var known *engine.Error
	switch {
	case errors.As(err, &line):
		r.Blocks = []Block{paragraph(sentence(line.Error())...)}
	case errors.As(err, &broken):
		r.Blocks = append([]Block{paragraph(bold(broken.name), plain(" does not load, so nothing was done."))}, problemBlocks(broken.err)...)
	case errors.As(err, &several):
		r.Blocks = several.blocks()
	case errors.As(err, &missing):
		r.Code, r.Blocks = engine.CodeNotFound, []Block{paragraph(sentence(missing.Error())...)}
	case errors.As(err, &known) && known.Code != engine.CodeInternal:
		r.Code, r.Blocks = known.Code, []Block{paragraph(sentence(known.Message)...)}
		if known.Err != nil {
			c.logger.ErrorContext(ctx, "request refused", "request", key, "code", known.Code, "error", known.Err)
		}
	default:
		c.logger.ErrorContext(ctx, "request failed", "request", key, "error", err)
		r.Code = engine.CodeInternal
		r.Blocks = []Block{paragraph(plain("Something went wrong here, and nothing was done as far as I know. Ask whoever runs playbot to look for "), code(key), plain(" in its log."))}
	}
	return next(r, err)
}

// next adds where to look to a refusal that does not say so by itself.
func next(r Reply, err error) Reply {
	var about *runError
	switch {
	case r.Code == engine.CodeDenied:
		r.Blocks = append(r.Blocks, Context{Spans: []Span{code("/playbook whoami"), plain(" shows what you may do.")}})
	case errors.As(err, &about):
		r.Blocks = append(r.Blocks, Context{Spans: []Span{code("/playbook status " + about.run.Short()), plain(" shows how it stands.")}})
	}
	if errors.As(err, &about) {
		r.Run = about.run
	}
	return r
}

// problemBlocks show why a file does not load: how many problems it has, and the first of them.
func problemBlocks(err error) []Block {
	var problems *playbooks.Problems
	if !errors.As(err, &problems) {
		return []Block{Preformatted{Text: err.Error()}}
	}
	return []Block{
		say("%s:", plural(len(problems.All()), "problem")),
		Preformatted{Text: problems.Short(maxProblems)},
		Context{Spans: []Span{code("playbot check"), plain(" shows each with its line.")}},
	}
}

// maxProblems is how many problems an answer lists.
const maxProblems = 5

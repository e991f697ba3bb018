package booktest

import (
	"context"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// company is with a case from its beginning to its end. Tests use it to see what else reads the log.
type company interface {
	log(s *store.Store) engine.Log      // what the engine writes to
	person(name string) engine.Actor    // somebody of the case
	join(ctx context.Context, h *house) // when the engine has started
	leave()                             // when the run has ended, and before the engine stops
}

// companions are those of the options.
func (o Options) companions() company {
	if o.company == nil {
		return alone{}
	}
	return o.company
}

// alone is the company of a case that has none.
type alone struct{}

func (alone) log(s *store.Store) engine.Log   { return s }
func (alone) person(name string) engine.Actor { return engine.Actor{User: name, Name: name} }
func (alone) join(context.Context, *house)    {}
func (alone) leave()                          {}

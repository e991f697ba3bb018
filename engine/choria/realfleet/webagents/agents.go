// Package webagents is four agents of a web fleet — puppet, haproxy, appmgr and nrpe — that act on a
// folder in place of the programs that they are named for. They answer as the agents of the double
// engine/choria/fleetsim do, so that the same playbook runs on both.
//
// Their settings are `node`, the name of the server; `state`, the file that holds what the server
// is like, see [State]; and `faults`, a file that all servers may share, see [Fault].
package webagents

import (
	"context"
	"time"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// Names are the names of the agents, in the order of [List].
func Names() []string { return []string{"puppet", "haproxy", "appmgr", "nrpe"} }

// List is the agents.
func List() []external.Agent {
	return []external.Agent{puppet(), haproxy(), appmgr(), nrpe()}
}

// action is what an agent does with a server's state. The state is written when it returns, also
// with an error.
type action func(s *State, r *external.Request) (map[string]any, error)

// agent makes external actions of actions.
func agent(name string, actions map[string]action) external.Agent {
	a := external.Agent{Name: name, Actions: make(map[string]external.Action, len(actions))}
	for action, do := range actions {
		a.Actions[action] = func(ctx context.Context, r *external.Request) (map[string]any, error) {
			if err := misbehave(ctx, r); err != nil {
				return nil, err
			}
			file, err := r.Settings.Need("state")
			if err != nil {
				return nil, err
			}
			var data map[string]any
			var failure error
			err = Update(file, func(s *State) { data, failure = do(s, r) })
			if err != nil {
				return nil, err
			}
			return data, failure
		}
	}
	return a
}

func aborted(message string) error {
	return &external.Error{Code: external.CodeAborted, Message: message}
}

// hangs bounds how long a silent agent waits to be killed, so that none outlives its server for long.
const hangs = 2 * time.Minute

// misbehave returns the failure of a fault, or waits to be killed, if one of either is due.
func misbehave(ctx context.Context, r *external.Request) error {
	file := r.Settings["faults"]
	if file == "" {
		return nil
	}
	node, err := r.Settings.Need("node")
	if err != nil {
		return err
	}
	fault, err := take(file, node, r.Agent+"."+r.Action)
	switch {
	case err != nil:
		return err
	case fault == nil:
		return nil
	case fault.Kind == Fail:
		return aborted(fault.message())
	}
	select {
	case <-ctx.Done():
	case <-time.After(hangs):
	}
	return aborted("nobody waits for this any more")
}

package mcollective_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
)

// asking is a client that may ask in the name of some.
type asking struct {
	request
	callers choria.Callers
}

// Callers implements [mcollective.Client].
func (a *asking) Callers() choria.Callers { return a.callers }

func TestRun_asksInTheNameOfThePersonWhereTheNetworkLetsIt(t *testing.T) {
	t.Parallel()
	ana := engine.Actor{Team: "T1", User: "UANA", Name: "ana"}
	for name, row := range map[string]struct {
		callers choria.Callers
		actor   engine.Actor
		want    string
	}{
		"where it lets":      {choria.Callers{Named: true}, ana, "slack=T1.UANA"},
		"where it does not":  {choria.Callers{Why: "no"}, ana, ""},
		"who has no account": {choria.Callers{Named: true}, engine.Actor{User: "root"}, ""},
	} {
		c := &asking{callers: row.callers}
		call := tasktest.Call(nil)
		call.Run.Actor = row.actor
		if _, err := decode(t, c, ask("puppet.status")).Run(t.Context(), call); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.last.Caller != row.want || c.last.Run != string(call.Run.ID) || c.last.Key != call.Key {
			t.Errorf("%s: it asks as %q in request %q of run %q, want %q", name, c.last.Caller, c.last.Key, c.last.Run, row.want)
		}
	}
}

func TestRun_asksNobodyAsSomebodyWhoseIDIsNone(t *testing.T) {
	t.Parallel()
	c := &asking{callers: choria.Callers{Named: true}}
	call := tasktest.Call(nil)
	call.Run.Actor = engine.Actor{Team: "T1", User: "UANA slack=T1.UEVE"}
	_, err := decode(t, c, ask("puppet.status")).Run(t.Context(), call)
	var e *engine.Error
	if !errors.As(err, &e) || e.Code != engine.CodeNotSent || !strings.Contains(e.Message, "no name that nodes know") || c.last.Nodes != nil {
		t.Errorf("got %v after asking %v", err, c.last.Nodes)
	}
}

func TestRun_theNodesLogNamesThePersonAndTheRun(t *testing.T) {
	t.Parallel()
	w := start(t)
	call := tasktest.Call(nil)
	if _, err := decode(t, w.client, ask("puppet.status")).Run(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.fleet.Calls() {
		if c.Caller != "slack=T1.UANA" || !strings.HasPrefix(c.RequestID, strings.ToLower(string(call.Run.ID))) {
			t.Errorf("%s was asked by %s in request %s", c.Node, c.Caller, c.RequestID)
		}
	}
}

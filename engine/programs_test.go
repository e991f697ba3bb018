//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
)

// withPrograms has the node set and the data store of the house start programs, under these gates.
func withPrograms(gates ...string) func(*engine.Options) {
	return func(o *engine.Options) {
		court(func(r *policy.Rules) { r.Gates = gates })(o)
		nodes, stores := o.Types.Nodes[0], o.Types.Stores[0]
		nodes.Name, nodes.Program = "found", true
		stores.Name, stores.Program = "kept", true
		o.Types.Nodes = append([]engine.NodeSourceType{nodes}, o.Types.Nodes...)
		o.Types.Stores = append([]engine.DataStoreType{stores}, o.Types.Stores...)
	}
}

const (
	finds = "nodes: {web: {type: found, nodes: [web1]}}\ntasks: [{do: {name: one}}]\n"
	keeps = "data_stores: {s: {type: kept}}\ntasks: [{do: {name: one}}]\n"
	plain = "nodes: {web: {type: list, nodes: [web1]}}\ndata_stores: {s: {type: map}}\ntasks: [{do: {name: one}}]\n"
)

func TestPrograms_ofNodeSetsAndDataStoresAreGatedAsTasksAre(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ body, gate, want string }{
		"a node set, as shell":       {finds, "shell", `refused: policy gates "shell", and the node set "web" (found) starts a program before anybody can be asked; find the nodes in another way`},
		"a data store, as shell":     {keeps, "shell", `refused: policy gates "shell", and the data store "s" (kept) starts a program before anybody can be asked; keep the values in another store`},
		"a node set, by its type":    {finds, "fou*", `policy gates "fou*"`},
		"a data store, by its type":  {keeps, "kept", `policy gates "kept"`},
		"no gate":                    {finds, "*.upgrade", ""},
		"what starts none":           {plain, "shell", ""},
		"what starts none, by type":  {plain, "list", ""},
		"a store that the other one": {plain, "kept", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", row.body)
				looked := 0
				h.Script.OnDiscover(func(context.Context) error { looked++; return nil })
				id, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "k", Actor: h.Ana, Playbook: "b"})
				if row.want == "" {
					if err != nil {
						t.Fatal(err)
					}
					h.Finish(id)
					return
				}
				if engine.CodeOf(err) != engine.CodeDenied || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "policy.gates") || looked != 0 {
					t.Errorf("got %v", err)
				}
				var told engine.Refused
				for e, err := range h.Log.Read(t.Context(), engine.BotStream) {
					if err != nil {
						t.Fatal(err)
					}
					told, _ = e.Payload.(engine.Refused)
				}
				if told.Playbook != "b" || !strings.Contains(told.Rule, row.want) {
					t.Errorf("the log has %+v", told)
				}
			}, withPrograms(row.gate))
		})
	}
}

// A run that was asked for under other rules is held to those of now.
func TestPrograms_areLookedAtAgainWhenARunIsPrepared(t *testing.T) {
	t.Parallel()
	inFaultyHouse(t, func(t *testing.T, h *enginetest.House, log *enginetest.FaultyLog) {
		h.Book("b", finds)
		h.Script.OnDiscover(func(context.Context) error { return errors.New("it was started") })
		log.CutAfter(2, true) // the playbook and the request
		id := h.Start("b", nil)
		h.Stop()
		log.Refuse(nil)
		h.Change(withPrograms("shell"))
		h.Restart()
		if run := h.Finish(id); run.Status != engine.RunFailed || !strings.Contains(run.Message, `policy gates "shell"`) {
			t.Errorf("got %s: %s", run.Status, run.Message)
		}
	}, withPrograms())
}

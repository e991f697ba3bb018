package realfleet_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
	"github.com/playbot/playbot/engine/choria/registry"
)

// libdir is a folder of DDLs as Choria lays it out.
func libdir(t *testing.T, agents ...string) string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "mcollective", "agent")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		data, err := os.ReadFile(filepath.Join("..", "ddl", "testdata", "agents", a+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, a+".json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRegistry_describesAgents fetches DDLs from Choria's own registry, which offers them on two servers.
func TestRegistry_describesAgents(t *testing.T) {
	t.Parallel()
	for _, mode := range []realfleet.Mode{realfleet.File, realfleet.JWT} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			store := libdir(t, "appmgr", "package")
			nodes := realfleet.Six()[:3]
			nodes[0].Registry, nodes[1].Registry = store, store
			f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: nodes})
			cache := filepath.Join(t.TempDir(), "registry")
			r, err := registry.Open(registry.Options{Source: realfleettest.Connect(t, f.Options()), Cache: cache, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { r.Run(ctx) })
			t.Cleanup(func() { cancel(); running.Wait() })
			for _, agent := range []string{"appmgr", "package", "rpcutil", "nosuch"} {
				r.Newest(agent)
			}
			for described, refused := r.Sources(); len(described) < 3 || len(refused) < 1; described, refused = r.Sources() {
				select {
				case <-r.Changed():
				case <-time.After(10 * time.Millisecond):
				case <-t.Context().Done():
					t.Fatalf("described are %v, refused %v", described, refused)
				}
			}
			if _, refused := r.Sources(); refused["nosuch"] != `it says "Could not load DDL"` {
				t.Errorf("refused are %v", refused)
			}
			files, err := ddl.Load(store)
			if err != nil {
				t.Fatal(err)
			}
			for _, agent := range []string{"appmgr", "package"} {
				compare(t, r.Newest(agent), files.Newest(agent))
			}
			if d := r.Newest("rpcutil"); d.Actions["ping"] == nil { // Choria's own, built into the server
				t.Errorf("rpcutil has the actions %v, want ping among them", d.ActionNames())
			}
			cancel()
			running.Wait() // what counts already may not be on disk yet
			kept, err := ddl.Load(cache)
			if err != nil || !slices.Equal(kept.Agents(), []string{"appmgr", "package", "rpcutil"}) {
				t.Errorf("the cache holds %v, %v", kept.Agents(), err)
			}
		})
	}
}

// compare holds a DDL from the registry to the one in the file that it was made from.
func compare(t *testing.T, got, want *ddl.DDL) {
	t.Helper()
	if got.Version != want.Version || got.Timeout != want.Timeout || !slices.Equal(got.ActionNames(), want.ActionNames()) {
		t.Errorf("got %s %s, %v, %v; want %s, %v, %v", got.Agent, got.Version, got.Timeout, got.ActionNames(), want.Version, want.Timeout, want.ActionNames())
	}
	for name, action := range want.Actions {
		if inputs := got.Actions[name].InputNames(); !slices.Equal(inputs, action.InputNames()) {
			t.Errorf("%s.%s has the inputs %v, want %v", got.Agent, name, inputs, action.InputNames())
		}
		for in, input := range action.Inputs {
			other := got.Actions[name].Inputs[in]
			if other.Type != input.Type || other.MaxLength != input.MaxLength || other.Default != nil {
				t.Errorf("input %s of %s.%s is %+v, want %+v without a default", in, got.Agent, name, other, input)
			}
		}
	}
}

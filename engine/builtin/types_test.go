package builtin_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/playbooks"
)

// part is a kind of type: where its folders are, and the suite that they pass.
type part struct {
	names         []string
	folder, suite string
}

func parts() []part {
	types := builtin.Types(builtin.Deps{})
	tasks := part{folder: "tasks", suite: "tasktest.Run"}
	for _, t := range types.Tasks {
		tasks.names = append(tasks.names, t.Name)
	}
	nodes := part{folder: "nodes", suite: "nodestest.Run"}
	for _, t := range types.Nodes {
		nodes.names = append(nodes.names, t.Name)
	}
	stores := part{folder: "datastores", suite: "datastoretest.Run"}
	for _, t := range types.Stores {
		stores.names = append(stores.names, t.Name)
	}
	return []part{tasks, nodes, stores}
}

func TestTypes_areThoseOfTheFolders(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		entries, err := os.ReadDir(filepath.Join("..", p.folder))
		if err != nil {
			t.Fatal(err)
		}
		var folders []string
		for _, e := range entries {
			folders = append(folders, e.Name())
		}
		slices.Sort(p.names)
		if !slices.Equal(p.names, folders) {
			t.Errorf("%s: the list has %v, the folders are %v", p.folder, p.names, folders)
		}
	}
}

func TestTypes_everyOnePassesItsSuite(t *testing.T) {
	t.Parallel()
	for _, p := range parts() {
		for _, name := range p.names {
			files, err := filepath.Glob(filepath.Join("..", p.folder, name, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(files, func(f string) bool {
				source, err := os.ReadFile(f)
				return err == nil && strings.Contains(string(source), p.suite)
			}) {
				t.Errorf("no test in %s/%s calls %s", p.folder, name, p.suite)
			}
		}
	}
}

// What starts a program that a playbook names must be under the gate `shell` of the policy.
func TestTypes_sayWhichOfThemStartPrograms(t *testing.T) {
	t.Parallel()
	types := builtin.Types(builtin.Deps{})
	var got []string
	for _, n := range types.Nodes {
		if n.Program {
			got = append(got, "nodes "+n.Name)
		}
	}
	for _, s := range types.Stores {
		if s.Program {
			got = append(got, "data_stores "+s.Name)
		}
	}
	if want := []string{"nodes shell", "nodes terraform", "data_stores shell"}; !slices.Equal(got, want) {
		t.Errorf("these start programs: %q, want %q", got, want)
	}
}

func TestTypes_haveASummaryAndNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	types := builtin.Types(builtin.Deps{})
	for _, kind := range []string{"task", "nodes", "data_stores"} {
		names := types.Names(kind)
		if len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s: a name stands for two types: %v", kind, names)
		}
	}
	for kind, names := range map[string][]string{
		"task":        {"mcollective", "choria", "rpc", "mcollective_assert", "shell", "slack", "webhook", "graphite_event", "data"},
		"nodes":       {"mcollective", "choria", "pql", "yaml", "shell", "terraform"},
		"data_stores": {"memory", "environment", "file", "shell"},
	} {
		for _, name := range names {
			if !slices.Contains(types.Names(kind), name) {
				t.Errorf("%s: the type %s of 2017 is missing", kind, name)
			}
		}
	}
	if slices.Contains(types.Names("task"), "bolt") {
		t.Error("the task type bolt is there; a playbook with it is refused with a sentence")
	}
	for _, tt := range types.Tasks {
		if tt.Summary == "" {
			t.Errorf("task type %s has no summary", tt.Name)
		}
		if (tt.Deprecated != "") != (tt.Name == "mcollective_assert") {
			t.Errorf("task type %s is deprecated: %q", tt.Name, tt.Deprecated)
		}
	}
}

// TestTypes_withoutDepsSayWhatToConfigure uses every task type of a program that has nothing configured.
func TestTypes_withoutDepsSayWhatToConfigure(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		properties map[string]any
		want       string
	}{
		"mcollective": {map[string]any{"action": "rpcutil.ping", "nodes": []any{"a"}}, "nats.servers"},
		"mcollective_assert": {map[string]any{
			"action": "rpcutil.ping", "nodes": []any{"a"}, "expression": []any{"pong", ">", 1},
		}, "nats.servers"},
		"playbook": {map[string]any{"name": "x"}, "set playbooks"},
		"slack":    {map[string]any{"channel": "#ops", "text": "x"}, "token"},
	} {
		for _, tt := range builtin.Types(builtin.Deps{}).Tasks {
			if tt.Name != name {
				continue
			}
			task, err := tt.Decode(playbooks.FromMap(row.properties))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := task.Run(t.Context(), tasktest.Call(nil)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: got %v, want %q", name, err, row.want)
			}
		}
	}
}

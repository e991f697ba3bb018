package realfleet_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/choria-io/go-choria/providers/agent/mcorpc/ddl/agent"

	"github.com/playbot/playbot/engine/choria/ddl"
)

// values are what playbooks give, good and bad.
func values() []any {
	return []any{
		nil, "", "web", "a b", "a; b", "a&&b", "5", "5.5", "-1", "1e3", "1e400", "0x1p4", "yes", "TRUE", "drain", "maint",
		"10.0.0.1", "::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1.2.3.4/8", "[]", `["a", 1]`, `{"a": 1}`, "null", "é\u0000\n", "x\nrm -rf",
		string(make([]byte, 121)), 0, 5, -5, int64(1) << 53, 5.0, 5.5, 1e300, true, false,
		[]any{"a", 1, nil},
		map[string]any{"a": []any{}},
	}
}

// TestDDL_whatPassesChoriaAccepts holds our check against the one that Choria's servers make of a
// request: nothing that we let through may be refused there.
func TestDDL_whatPassesChoriaAccepts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "ddl", "testdata", "agents", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	files = append(files, filepath.Join("..", "ddl", "testdata", "agents", "haproxy", "haproxy.json"))
	random := rand.New(rand.NewPCG(1, 2))
	passed, refused := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := ddl.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := agent.NewFromBytes(data)
		if err != nil {
			t.Fatal(err)
		}
		if ours.Timeout != theirs.Timeout() {
			t.Errorf("%s: the time-out is %v, Choria's %v", file, ours.Timeout, theirs.Timeout())
		}
		for range 20_000 {
			action := ours.Actions[ours.ActionNames()[random.IntN(len(ours.Actions))]]
			given := given(action, random)
			sent, flaws := action.Bind(given)
			if len(flaws) > 0 {
				refused++
				continue
			}
			passed++
			request, err := json.Marshal(sent)
			if err != nil {
				t.Fatalf("%s.%s cannot be sent with %v: %v", ours.Agent, action.Name, sent, err)
			}
			other, err := theirs.ActionInterface(action.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.ValidateRequestJSON(request); err != nil {
				t.Errorf("%s.%s with %#v passes here as %s, and Choria says %v", ours.Agent, action.Name, given, request, err)
			}
		}
	}
	if passed < 10_000 || refused < 10_000 {
		t.Errorf("only %d requests passed, and %d were refused: the values say nothing", passed, refused)
	}
}

// given chooses values for some inputs of an action, and seldom for one that it does not have.
func given(a *ddl.Action, random *rand.Rand) map[string]any {
	all := values()
	out := make(map[string]any)
	for _, name := range a.InputNames() {
		if !a.Inputs[name].Optional || random.IntN(2) == 0 {
			out[name] = all[random.IntN(len(all))]
		}
	}
	if random.IntN(50) == 0 {
		out["unknown"] = "x"
	}
	return out
}

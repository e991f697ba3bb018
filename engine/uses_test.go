package engine_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// inventory is a fleet by what each node says of its agents; who is not in it keeps silent.
type inventory map[string]map[string]string

// Ping implements [engine.Fleet].
func (f inventory) Ping(_ context.Context, nodes []string) (silent []string, err error) {
	for _, n := range nodes {
		if f[n] == nil {
			silent = append(silent, n)
		}
	}
	return silent, nil
}

// Agents implements [engine.Fleet].
func (f inventory) Agents(_ context.Context, nodes []string) (map[string]map[string]string, error) {
	out := make(map[string]map[string]string)
	for _, n := range nodes {
		if f[n] != nil {
			out[n] = f[n]
		}
	}
	return out, nil
}

func TestUses_comparesEveryAgentOfEveryNode(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ ranges, version, want string }{ // want of the failure; empty when it fits
		"a range that is a number":         {"puppet: 1.10", "1.10.7", ""},
		"a range that is a number, missed": {"puppet: 1.10", "1.1.0", "web2 has agent puppet 1.1.0, wanted 1.10"},
		"a version of two parts":           {`puppet: ">= 1.11"`, "1.11", ""},
		"a version of one part":            {`puppet: ">= 1"`, "1", `web2 has agent puppet with a version that cannot be compared: "1" is no version`},
		"a pre-release":                    {"puppet: 1.x", "1.2.0-rc1", "web2 has agent puppet 1.2.0-rc1, wanted 1.x"},
		"a template":                       {`puppet: "~{{ inputs.least }}"`, "1.2.9", ""},
		"a template, missed":               {`puppet: "~{{ inputs.least }}"`, "1.3.0", "web2 has agent puppet 1.3.0, wanted ~1.2"},
		"a template that gives no range":   {`puppet: "{{ inputs.least }}.x.y.z"`, "1.3.0", `"1.2.x.y.z" is no range of versions`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = log.Close() })
				fleet := inventory{"web1": {"puppet": "1.10.0"}, "web2": {"puppet": row.version}}
				if strings.HasPrefix(row.ranges, `puppet: "~`) {
					fleet["web1"]["puppet"] = "1.2.0"
				}
				if strings.Contains(row.ranges, "1.11") {
					fleet["web1"]["puppet"] = "1.12.0"
				}
				h := enginetest.NewHouse(t, log, func(o *engine.Options) { o.Fleet = fleet })
				h.Book("b", `
inputs: {least: {type: String, default: "1.2"}}
uses: {`+row.ranges+`}
nodes: {web: {type: list, nodes: [web1, web2], uses: [puppet]}}
tasks: [{do: {name: a, nodes: "{{ nodes.web }}"}}]
`)
				run := h.Finish(h.Start("b", nil))
				if !strings.Contains(run.Message, row.want) || (run.Status == engine.RunSuccess) != (row.want == "") {
					t.Errorf("%s: %s; want %q", run.Status, run.Message, row.want)
				}
			})
		})
	}
}

func TestUses_namesEveryNodeThatDoesNotFit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		fleet := inventory{"web1": {"puppet": "1.2.3", "nrpe": "4.0.0"}, "web2": {"puppet": "1.9.0"}}
		h := enginetest.NewHouse(t, log, func(o *engine.Options) { o.Fleet = fleet })
		h.Book("b", `
uses: {puppet: "~1.2", nrpe: ">= 3 < 4 || ^5"}
nodes: {web: {type: list, nodes: [web1, web2, web3], uses: [puppet, nrpe]}}
tasks: [{do: {name: a, nodes: "{{ nodes.web }}"}}]
`)
		run := h.Finish(h.Start("b", nil))
		want := "agents do not match `uses`: web1 has agent nrpe 4.0.0, wanted >= 3 < 4 || ^5, web2 has agent puppet 1.9.0, wanted ~1.2, " +
			"web2 has no agent nrpe (wanted >= 3 < 4 || ^5), web3 did not say which agents it has"
		if run.Status != engine.RunFailed || !strings.HasSuffix(run.Message, want) || h.Script.Calls("a") != 0 {
			t.Errorf("%s: got %q, want %q", run.Status, run.Message, want)
		}
	})
}

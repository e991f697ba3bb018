package terraform_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/terraform"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// state is a state file of Terraform 1; the double below knows the same outputs.
const state = `{
  "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "suite", "resources": [],
  "outputs": {
    "web": {"value": ["web2.example.net", "web1.example.net", "web2.example.net"], "type": ["list", "string"]},
    "mixed": {"value": ["web1", "web2"], "type": ["tuple", ["string", "string"]]},
    "hidden": {"value": ["web3"], "type": ["set", "string"], "sensitive": true},
    "none": {"value": [], "type": ["list", "string"]},
    "one": {"value": "web1", "type": "string"},
    "numbers": {"value": [1, 2], "type": ["list", "number"]},
    "map": {"value": {"type": "list", "a": "b"}, "type": ["map", "string"]},
    "odd": {"value": ["web1", "web 2"], "type": ["list", "string"]}
  }
}`

// double answers as Terraform 1 does; with OLD in its place, as versions before 0.12 did.
const double = `#!/bin/sh
test "$#" = 5 && test "$1 $3 $4" = 'output -json -no-color' && test -r "${2#-state=}" || { echo "unexpected: $*" >&2; exit 9; }
say() { if test -n 'OLD'; then printf '{"sensitive": false, "type": "%s", "value": %s}\n' "$1" "$2"; else printf '%s\n' "$2"; fi; }
case "$5" in
  web) say list '["web2.example.net","web1.example.net","web2.example.net"]' ;;
  mixed) say list '["web1","web2"]' ;;
  hidden) say list '["web3"]' ;;
  none) say list '[]' ;;
  one) say string '"web1"' ;;
  numbers) say list '[1,2]' ;;
  map) say map '{"type":"list","a":"b"}' ;;
  odd) say list '["web1","web 2"]' ;;
  slow) sleep 300 ;;
  *) printf '\nError: Output "%s" not found\n\nThe output variable requested could not be found.\n' "$5" >&2; exit 1 ;;
esac
`

// program is a Terraform, and the folder with its state.
type program struct{ path, dir string }

// programs are two doubles, and the real one where there is one.
func programs(t *testing.T) map[string]program {
	t.Helper()
	dir := t.TempDir()
	out := make(map[string]program)
	for name, mark := range map[string]string{"a double": "", "a double of an old one": "OLD"} {
		path := filepath.Join(dir, "terraform"+mark)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(double, "OLD", mark)), 0o700); err != nil {
			t.Fatal(err)
		}
		out[name] = program{path, dir}
	}
	if path, err := exec.LookPath("terraform"); err == nil {
		out["Terraform itself"] = program{path, dir}
	}
	if err := os.WriteFile(filepath.Join(dir, "a.tfstate"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

func (p program) output(name string) map[string]any {
	return map[string]any{"statefile": "a.tfstate", "output": name, "terraform": p.path}
}

func (p program) discover(t *testing.T, properties map[string]any) ([]string, error) {
	t.Helper()
	s, err := terraform.Type(p.dir).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return s.Discover(t.Context(), &engine.Call{})
}

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	for name, p := range programs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := p.output("web")
			broken["statefile"] = "gone.tfstate"
			nodestest.Run(t, func(t *testing.T) nodestest.Case {
				t.Helper()
				return nodestest.Case{
					Type: terraform.Type(p.dir), Some: p.output("web"), Want: []string{"web2.example.net", "web1.example.net"},
					None: p.output("none"), Broken: broken, Names: "gone.tfstate",
				}
			})
		})
	}
}

func TestSource_readsListsOfHostNames(t *testing.T) {
	t.Parallel()
	for name, p := range programs(t) {
		for output, want := range map[string][]string{"mixed": {"web1", "web2"}, "hidden": {"web3"}} {
			if got, err := p.discover(t, p.output(output)); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s: got %v, %v; want %v", name, output, got, err, want)
			}
		}
	}
}

func TestSource_refusesOtherOutputs(t *testing.T) {
	t.Parallel()
	for name, p := range programs(t) {
		for output, want := range map[string]string{
			"one": "output one of " + p.dir + "/a.tfstate is not a list", "numbers": "is not a list", "map": "is not a list",
			"odd": `"web 2", which is no host name`, "nosuch": `exit 1: Output "nosuch" not found`,
		} {
			got, err := p.discover(t, p.output(output))
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: got %v, %v; want %q", name, output, got, err, want)
			}
		}
	}
}

func TestSource_namesWhatCannotBeUsed(t *testing.T) {
	t.Parallel()
	p := programs(t)["a double"]
	for want, change := range map[string]map[string]any{
		"gone.tfstate: no such file": {"statefile": "gone.tfstate"},
		"is not a file":              {"statefile": p.dir},
		"no/such/terraform":          {"terraform": "no/such/terraform"},
		"no-such-terraform":          {"terraform": "no-such-terraform"},
		"within 100ms":               {"output": "slow", "timeout": "100ms"},
	} {
		properties := p.output("web")
		maps.Copy(properties, change)
		began := time.Now()
		if got, err := p.discover(t, properties); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, %v; want %q", change, got, err, want)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%v: it took %s", change, took)
		}
	}
}

func TestSource_relativePathsStartAtTheFolder(t *testing.T) {
	t.Parallel()
	p := programs(t)["a double"]
	got, err := p.discover(t, map[string]any{"statefile": "./a.tfstate", "output": "mixed", "terraform": "./terraform"})
	if err != nil || !slices.Equal(got, []string{"web1", "web2"}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSource_refusesWhatNamesNothing(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"statefile is missing":       {"output": "web"},
		"output is missing":          {"statefile": "a"},
		"is not the name of an outp": {"statefile": "a", "output": "-lock=false"},
		`"a b" is not the name`:      {"statefile": "a", "output": "a b"},
		"terraform is empty":         {"statefile": "a", "output": "web", "terraform": ""},
		"timeout must be a duration": {"statefile": "a", "output": "web", "timeout": "x"},
	} {
		_, err := terraform.Type("").Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

package builtin_test

import (
	"io/fs"
	"testing"

	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/playbooks"
)

// TestExamples_askForAgentsThatServersHave: rpcutil is a part of a Choria server and has its version,
// which began with 0 for ten years.
func TestExamples_askForAgentsThatServersHave(t *testing.T) {
	t.Parallel()
	files, err := playbooks.Examples()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, name := range names {
		source, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		book, err := playbooks.Parse(name, source, builtin.Types(builtin.Deps{}))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range book.Uses {
			version, has := fleetsim.Agents()[u.Agent]
			if !has {
				continue
			}
			asked++
			want, err := playbooks.ParseVersionRange(u.Range.Source())
			if err != nil {
				t.Fatal(err)
			}
			if fits, err := want.Contains(version); err != nil || !fits {
				t.Errorf("%s wants %s %s, and the fleet has %s (%v)", name, u.Agent, u.Range.Source(), version, err)
			}
		}
	}
	if asked < len(names) {
		t.Errorf("only %d ranges in %d playbooks", asked, len(names))
	}
}

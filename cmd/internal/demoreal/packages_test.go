package demoreal

import (
	"context"
	"slices"
	"strings"
	"testing"
)

const wantedLine = "apt-get install -y --no-install-recommends nagios-nrpe-server puppetdb"

// lacking is a machine without NRPE's server and PuppetDB; ran is what was run on it.
func lacking(root bool, ran *[]string) installer {
	installed := false
	return installer{
		root: root,
		exists: func(path string) bool {
			return installed || path != nrpeBin && !strings.Contains(path, "puppetdb")
		},
		run: func(_ context.Context, line string) error {
			*ran = append(*ran, line)
			installed = line == wantedLine
			return nil
		},
	}
}

func TestInstall_saysTheLineWhenItMayNot(t *testing.T) {
	t.Parallel()
	var ran []string
	err := lacking(false, &ran).install(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sudo "+wantedLine) || len(ran) > 0 {
		t.Errorf("got %v, having run %q; want the line, and nothing run", err, ran)
	}
}

func TestInstall_installsWhatIsMissing(t *testing.T) {
	t.Parallel()
	var ran []string
	if err := lacking(true, &ran).install(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"apt-get update -q", wantedLine}; !slices.Equal(ran, want) {
		t.Errorf("it ran %q, want %q", ran, want)
	}
	for _, p := range Packages() {
		if programs()[p] == "" {
			t.Errorf("nobody knows what %s brings", p)
		}
	}
}

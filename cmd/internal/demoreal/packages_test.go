package demoreal

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lacking is a machine without NRPE's server and PuppetDB; ran is what was installed on it.
func lacking(root bool, ran *[]string) installer {
	return installer{
		root: root,
		exists: func(path string) bool {
			return len(*ran) > 0 || path != nrpeBin && !strings.Contains(path, "puppetdb")
		},
		install: func(_ context.Context, packages []string) error {
			*ran = append(*ran, packages...)
			return nil
		},
	}
}

func TestInstall_saysTheLineWhenItMayNot(t *testing.T) {
	t.Parallel()
	var ran []string
	const line = "sudo sh cmd/internal/demoreal/apt-install.sh nagios-nrpe-server puppetdb"
	err := lacking(false, &ran).run(t.Context())
	if err == nil || !strings.Contains(err.Error(), line) || len(ran) > 0 {
		t.Errorf("got %v, having installed %q; want the line, and nothing installed", err, ran)
	}
}

func TestInstall_installsWhatIsMissing(t *testing.T) {
	t.Parallel()
	var ran []string
	if err := lacking(true, &ran).run(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"nagios-nrpe-server", "puppetdb"}; !slices.Equal(ran, want) {
		t.Errorf("it installed %q, want %q", ran, want)
	}
	for _, p := range Packages() {
		if programs()[p] == "" {
			t.Errorf("nobody knows what %s brings", p)
		}
	}
}

// aptGet stands for the real one: it asks the policy as Debian does for a service that it installs.
const aptGet = `#!/bin/sh
echo "$*" >>"$RAN"
if [ "$1" = install ]; then
	"$POLICY_RC_D" haproxy start && code=0 || code=$?
	echo "policy $code" >>"$RAN"
	exit "$FAILS"
fi
`

func TestAptInstall_startsNoServiceAndLeavesThePolicyAsItWas(t *testing.T) {
	t.Parallel()
	const own, kept, ours = "#!/bin/sh\n# somebody's\nexit 0\n", ".before-playbot", "#!/bin/sh\n# playbot installs packages, and was killed\nexit 101\n"
	for name, row := range map[string]struct {
		before map[string]string // files, by what follows the path of the policy
		after  string            // the policy; empty: none
		fails  string
	}{
		"no policy":                     {nil, "", "0"},
		"a policy that starts":          {map[string]string{"": own}, own, "0"},
		"an installation that fails":    {map[string]string{"": own}, own, "100"},
		"a run before this was killed":  {map[string]string{"": ours, kept: own}, own, "0"},
		"and there was none before":     {map[string]string{"": ours}, "", "0"},
		"it was killed in between":      {map[string]string{kept: own}, own, "0"},
		"fails without a policy before": {nil, "", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			policy, ran := filepath.Join(dir, "policy-rc.d"), filepath.Join(dir, "ran")
			files := map[string]string{filepath.Join(dir, "apt-get"): aptGet}
			for suffix, text := range row.before {
				files[policy+suffix] = text
			}
			for file, text := range files {
				if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", aptInstall, "apt-install.sh", "haproxy", "puppetdb")
			cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "POLICY_RC_D=" + policy, "RAN=" + ran, "FAILS=" + row.fails}
			if said, err := cmd.CombinedOutput(); (err != nil) != (row.fails != "0") {
				t.Errorf("it ended with %v: %s", err, said)
			}
			got, err := os.ReadFile(ran)
			if want := "update -q\ninstall -qy --no-install-recommends haproxy puppetdb\npolicy 101\n"; err != nil || string(got) != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
			after, err := os.ReadFile(policy)
			if string(after) != row.after || (err == nil) != (row.after != "") {
				t.Errorf("the policy is %q, %v; want %q", after, err, row.after)
			}
			if _, err := os.Stat(policy + kept); err == nil {
				t.Error("what was put aside is still there")
			}
		})
	}
}

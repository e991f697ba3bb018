package demoreal

import (
	"context"
	_ "embed" // of apt-install.sh
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

//go:embed apt-install.sh
var aptInstall string

// programs are what a Debian package brings that we need.
func programs() map[string]string {
	return map[string]string{
		"haproxy": haproxyBin, "nagios-nrpe-server": nrpeBin, "nagios-nrpe-plugin": agents.CheckNRPE,
		"monitoring-plugins-basic": plugins + "check_http", "puppet-agent": puppetBin,
		"puppetdb": "/usr/share/puppetdb/puppetdb.jar", "postgresql": "/usr/lib/postgresql",
	}
}

// Packages are those of Debian that the demonstration needs.
func Packages() []string {
	return append([]string{"haproxy", "nagios-nrpe-server", "nagios-nrpe-plugin", "monitoring-plugins-basic", "puppet-agent"}, realpdb.Packages()...)
}

// installer is what installing needs of the machine.
type installer struct {
	root    bool
	exists  func(path string) bool
	install func(ctx context.Context, packages []string) error
}

// Install installs what is missing, when it may, and tells out what it runs. No service of a package is started.
// Its error has the line that would install what is missing.
func Install(ctx context.Context, out io.Writer) error {
	i := installer{
		root:   os.Geteuid() == 0,
		exists: func(path string) bool { _, err := os.Stat(path); return err == nil },
		install: func(ctx context.Context, packages []string) error {
			fmt.Fprintf(out, "%s, with no service started\n", aptLine(packages))
			args := append([]string{"-c", aptInstall, "apt-install.sh"}, packages...)
			said, err := exec.CommandContext(ctx, "sh", args...).CombinedOutput() //nolint:gosec // our own words
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", aptLine(packages), err, said)
			}
			return nil
		},
	}
	return i.run(ctx)
}

func aptLine(packages []string) string {
	return "apt-get install -y --no-install-recommends " + strings.Join(packages, " ")
}

func (i installer) run(ctx context.Context) error {
	need := i.missing()
	if len(need) == 0 {
		return nil
	}
	names := strings.Join(need, ", ")
	switch {
	case !i.exists("/usr/bin/apt-get"):
		return fmt.Errorf("not installed: %s; there is no apt-get here: this needs Debian, or a system whose packages are named alike, and: %s", names, aptLine(need))
	case !i.root:
		return fmt.Errorf("not installed: %s; only root may install, so run: sudo sh cmd/internal/demoreal/apt-install.sh %s", names, strings.Join(need, " "))
	}
	if err := i.install(ctx, need); err != nil {
		return err
	}
	if need := i.missing(); len(need) > 0 {
		return fmt.Errorf("%s has run, and there is still no %s", aptLine(need), strings.Join(need, ", "))
	}
	return nil
}

// missing are the packages that are not installed.
func (i installer) missing() []string {
	var out []string
	for _, p := range Packages() {
		if !i.exists(programs()[p]) {
			out = append(out, p)
		}
	}
	return out
}

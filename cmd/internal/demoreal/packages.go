package demoreal

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

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
	root   bool
	exists func(path string) bool
	run    func(ctx context.Context, line string) error
}

// Install installs what is missing, when it may, and tells out what it runs. Its error has the line that
// would install it.
func Install(ctx context.Context, out io.Writer) error {
	i := installer{
		root:   os.Geteuid() == 0,
		exists: func(path string) bool { _, err := os.Stat(path); return err == nil },
		run: func(ctx context.Context, line string) error {
			fmt.Fprintln(out, line)
			cmd := exec.CommandContext(ctx, "sh", "-c", line) //nolint:gosec // our own words
			cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
			said, err := cmd.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", line, err, said)
			}
			return nil
		},
	}
	return i.install(ctx)
}

func (i installer) install(ctx context.Context) error {
	need := i.missing()
	if len(need) == 0 {
		return nil
	}
	line := "apt-get install -y --no-install-recommends " + strings.Join(need, " ")
	switch {
	case !i.exists("/usr/bin/apt-get"):
		return fmt.Errorf("not installed: %s; there is no apt-get here: this needs Debian, or a system whose packages are named alike, and: %s", strings.Join(need, ", "), line)
	case !i.root:
		return fmt.Errorf("not installed: %s; only root may install, so run: sudo %s", strings.Join(need, ", "), line)
	}
	for _, l := range []string{"apt-get update -q", line} {
		if err := i.run(ctx, l); err != nil {
			return err
		}
	}
	if need := i.missing(); len(need) > 0 {
		return fmt.Errorf("%s has run, and there is still no %s", line, strings.Join(need, ", "))
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

package demoreal

import (
	"context"
	"fmt"
	"strings"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const (
	nrpeBin  = "/usr/sbin/nrpe"
	nrpeUser = "nagios"
	nrpePort = "5666"
	plugins  = "/usr/lib/nagios/plugins/"
	// checkApp is GREEN when the application answers as the release that is installed.
	checkApp = "check_app"
)

// nrpeConfig is that of a machine. In a command, $ would begin a macro of NRPE.
func nrpeConfig(m *machine) string {
	return strings.NewReplacer("ADDRESS", m.address, "PORT", nrpePort, "USER", nrpeUser, "PLUGINS", plugins,
		"CHECK", checkApp, "HTTP", webapp.Port, "RELEASE", m.path("app", webapp.Current, webapp.RevisionFile)).Replace(`server_address=ADDRESS
server_port=PORT
nrpe_user=USER
nrpe_group=USER
allowed_hosts=127.0.0.0/8
dont_blame_nrpe=0
command_timeout=20
command[check_load]=PLUGINScheck_load -r -w 15,10,5 -c 30,25,20
command[CHECK]=PLUGINScheck_http -I ADDRESS -p HTTP -u /version -t 10 -s "revision ` + "`cat RELEASE`" + `"
`)
}

// startNRPE returns when the server has run a check.
func startNRPE(ctx context.Context, m *machine) (*daemon.Process, error) {
	if err := m.write("nrpe.cfg", nrpeConfig(m)); err != nil {
		return nil, err
	}
	p, err := daemon.Start(ctx, daemon.Command{
		Name: "NRPE of " + m.name, Argv: []string{nrpeBin, "-c", m.path("nrpe.cfg"), "-f"}, User: nrpeUser,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing after %v", patience))
	defer cancel()
	err = p.Poll(ctx, func(ctx context.Context) error {
		c, err := m.check(ctx)
		if err == nil && c.Code != 0 {
			err = fmt.Errorf("%s is %d: %s", checkApp, c.Code, c.Output)
		}
		return err
	})
	if err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// check has NRPE look at the application of a machine.
func (m *machine) check(ctx context.Context) (agents.Checked, error) {
	return agents.Check(ctx, m.address, nrpePort, checkApp)
}

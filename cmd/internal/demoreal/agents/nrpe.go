package agents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// CheckNRPE is Debian's client of NRPE.
const CheckNRPE = "/usr/lib/nagios/plugins/check_nrpe"

// nrpe has the NRPE server of a machine run checks. Its settings are address and port, and commands, the
// names of all checks with commas in between.
func nrpe() external.Agent {
	return external.Agent{Name: "nrpe", Actions: map[string]external.Action{"runcommand": runCommand, "runallcommands": runAllCommands}}
}

// runCommand fails the reply for anything but OK, as Choria's own agent does, and tells all the same what
// the check said.
func runCommand(ctx context.Context, r *external.Request) (map[string]any, error) {
	var in struct {
		Command string `json:"command"`
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	address, err := r.Settings.Need("address")
	if err != nil {
		return nil, err
	}
	port, err := r.Settings.Need("port")
	if err != nil {
		return nil, err
	}
	c, err := Check(ctx, address, port, in.Command)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"exitcode": c.Code, "output": c.Output, "perfdata": c.Perfdata, "command": in.Command}
	if c.Code != 0 {
		return nil, &external.Error{Message: c.word(), Data: data}
	}
	return data, nil
}

func runAllCommands(ctx context.Context, r *external.Request) (map[string]any, error) {
	address, err := r.Settings.Need("address")
	if err != nil {
		return nil, err
	}
	port, err := r.Settings.Need("port")
	if err != nil {
		return nil, err
	}
	commands, err := r.Settings.Need("commands")
	if err != nil {
		return nil, err
	}
	all := make(map[string]any)
	for name := range strings.SplitSeq(commands, ",") {
		c, err := Check(ctx, address, port, name)
		if err != nil {
			return nil, err
		}
		all[name] = map[string]any{"exitcode": c.Code, "output": c.Output, "perfdata": c.Perfdata}
	}
	return map[string]any{"commands": all}, nil
}

// Checked is what a check found.
type Checked struct {
	Code     int // 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
	Output   string
	Perfdata string
}

func (c Checked) word() string {
	if words := []string{"OK", "WARNING", "CRITICAL"}; c.Code >= 0 && c.Code < len(words) {
		return words[c.Code]
	}
	return "UNKNOWN"
}

// Check asks an NRPE server for a check.
func Check(ctx context.Context, address, port, command string) (Checked, error) {
	cmd := exec.CommandContext(ctx, CheckNRPE, "-H", address, "-p", port, "-t", "20", "-c", command) //nolint:gosec // no shell reads it, and the name was checked against the description
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || exit.ExitCode() < 0) {
		return Checked{}, fmt.Errorf("check_nrpe: %w", err)
	}
	text, perfdata, _ := strings.Cut(strings.TrimSpace(out.String()), "|")
	return Checked{Code: cmd.ProcessState.ExitCode(), Output: strings.TrimSpace(text), Perfdata: strings.TrimSpace(perfdata)}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/cmd/internal/stage"
)

// play is the demo.
type play struct {
	local   *app.Local
	out     io.Writer
	failing bool // one node fails to upgrade
}

const (
	demoRevision = "abc"
	demoLine     = "/playbook run web_upgrade tier=bravo rev=" + demoRevision
)

// perform plays the deployment: ana asks, ana may not approve her own run, ben does, and it ends.
func (p *play) perform(ctx context.Context) error {
	s := &stage.Stage{Workspace: p.local.Workspace, Channel: "deploys", Others: []string{"ops"}, Out: p.out}
	if err := s.Connected(ctx); err != nil {
		return err
	}
	p.title("A team deploys from chat. Everything below went over Slack's protocol and Choria's.")
	if err := s.Type(ctx, "ana", demoLine); err != nil {
		return err
	}
	gate, err := s.Gate(ctx)
	if err != nil {
		return err
	}
	for _, who := range []string{"ana", "ben"} {
		if err := s.Approve(ctx, who, gate); err != nil {
			return err
		}
	}
	runs := 1
	if p.failing {
		runs = 2 // the failure handler is a run of its own
	}
	if err := s.Ended(ctx, runs); err != nil {
		return err
	}
	if err := s.Type(ctx, "ana", "/playbook history"); err != nil {
		return err
	}
	s.Print()
	return errors.Join(p.verdict(), s.Refused())
}

func (p *play) title(text string) { fmt.Fprintf(p.out, "%s\n", text) }

// verdict asks the fleet what really happened to it.
func (p *play) verdict() error {
	p.title("\nAsked afterwards, the simulated fleet says:")
	var wrong []string
	for _, n := range p.local.Fleet.Nodes() {
		s := p.local.Fleet.Node(n.Name)
		puppet := "enabled"
		if !s.PuppetEnabled {
			puppet = "disabled"
		}
		if tier, ok := n.Facts["tier"]; ok {
			fmt.Fprintf(p.out, "  %-18s tier %-5v  revision %-6s  puppet %s\n", n.Name, tier, s.Revision, puppet)
			upgraded := tier == "bravo"
			if (s.Revision == demoRevision) != upgraded || !s.PuppetEnabled {
				wrong = append(wrong, n.Name)
			}
			continue
		}
		fmt.Fprintf(p.out, "  %-18s keeps out of its backends: %s\n", n.Name, orNone(s.Drained))
		if len(s.Drained) > 0 {
			wrong = append(wrong, n.Name)
		}
	}
	switch {
	case p.failing && len(wrong) == 0:
		return errors.New("an upgrade was to fail, and nothing did")
	case p.failing:
		p.title("\nThe failed tier stays out of haproxy until somebody has looked at it, as the playbook wants.")
	case len(wrong) > 0:
		return fmt.Errorf("these are not as they should be: %s", strings.Join(wrong, ", "))
	default:
		p.title("\nDone: every bravo node runs the new revision, is back in haproxy and under puppet; no alfa node was touched.")
	}
	return nil
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/playbot/playbot/playbooks"
)

// checkUses compares the agents on the nodes with the version ranges of the playbook.
func (p *performer) checkUses(ctx context.Context, nodes map[string][]string, pad *notebook) error {
	wanted := make(map[string][]string) // node -> agents
	var ask []string
	for _, set := range p.book.NodeSets {
		for _, n := range nodes[set.Name] {
			if len(set.Uses) == 0 {
				continue
			}
			ask = append(ask, n)
			wanted[n] = unique(append(wanted[n], set.Uses...))
		}
	}
	ask = unique(ask)
	if len(ask) == 0 {
		return nil
	}
	ranges, err := p.ranges(ctx)
	if err != nil {
		return err
	}
	if p.engine.opts.Fleet == nil {
		return Errorf(CodeInvalid, "uses needs a Choria network; set nats in the configuration")
	}
	inventory, err := p.engine.opts.Fleet.Agents(ctx, ask)
	if err != nil {
		return fmt.Errorf("agent versions could not be determined: %w", err)
	}
	if problems := mismatches(ask, wanted, ranges, inventory); len(problems) > 0 {
		for _, line := range problems {
			pad.add(line)
		}
		return Errorf(CodeFailed, "agents do not match `uses`: %s", few(problems))
	}
	pad.add(fmt.Sprintf("agent versions: all %d nodes match", len(ask)))
	return nil
}

func (p *performer) ranges(ctx context.Context) (map[string]playbooks.VersionRange, error) {
	out := make(map[string]playbooks.VersionRange, len(p.book.Uses))
	for _, u := range p.book.Uses {
		r, err := u.VersionRange(ctx, p.scope())
		if err != nil {
			return nil, fmt.Errorf("uses %s: %w", u.Agent, err)
		}
		out[u.Agent] = r
	}
	return out, nil
}

// mismatches lists, in the order of the nodes, what does not fit.
func mismatches(ask []string, wanted map[string][]string, ranges map[string]playbooks.VersionRange, have map[string]map[string]string) []string {
	var out []string
	for _, node := range ask {
		agents, answered := have[node]
		if !answered {
			out = append(out, node+" did not say which agents it has")
			continue
		}
		for _, agent := range wanted[node] {
			if why := mismatch(agent, ranges, agents); why != "" {
				out = append(out, node+" "+why)
			}
		}
	}
	slices.Sort(out)
	return out
}

func mismatch(agent string, ranges map[string]playbooks.VersionRange, agents map[string]string) string {
	want, declared := ranges[agent]
	if !declared {
		return fmt.Sprintf("is to be checked for agent %s, which the top-level uses does not list", agent)
	}
	version, there := agents[agent]
	if !there {
		return fmt.Sprintf("has no agent %s (wanted %s)", agent, want)
	}
	ok, err := want.Contains(version)
	if err != nil {
		return fmt.Sprintf("has agent %s with a version that cannot be compared: %v", agent, err)
	}
	if !ok {
		return fmt.Sprintf("has agent %s %s, wanted %s", agent, version, want)
	}
	return ""
}

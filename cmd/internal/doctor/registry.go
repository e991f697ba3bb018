package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/registry"
)

// most is how many agents the registry is asked about, at most; each is a question of its own.
const most = 20

// registry asks the network's registry, as the bot does, about the agents of playbooks that no folder describes.
func (w network) registry(ctx context.Context, n *notes) {
	if !w.cfg.Choria.Registry {
		n.skip("choria.registry is not set; agents are described by the folders of choria.ddls alone")
		return
	}
	agents, err := w.undescribed() //nolint:contextcheck // literals are folded, nothing is waited for
	if err != nil {
		n.skip("it is not asked before playbooks and folders of DDLs can be read; see above")
		return
	}
	if len(agents) == 0 {
		n.ok("it is not needed: folders describe all agents of playbooks")
		return
	}
	var described []string
	for _, agent := range agents[:min(most, len(agents))] {
		d, err := registry.Describe(ctx, w.client, agent, w.patience())
		switch {
		case err == nil:
			described = append(described, agent+" "+d.Version)
		case errors.Is(err, choria.ErrNoService), errors.Is(err, choria.ErrNotSent), ctx.Err() != nil:
			n.warn("let a server of this collective offer choria_registry, with plugin.choria.services.registry.store; or take choria.registry away",
				"it does not answer, and agents without a DDL are asked unchecked: %v", err)
			return
		default:
			n.warn("put its DDL into the registry, or into a folder of choria.ddls", "%s has no DDL that counts, and is asked unchecked: %v", agent, err)
		}
	}
	if len(described) > 0 {
		n.ok("it describes %s", strings.Join(described, ", "))
	}
}

// undescribed are the agents that playbooks name and no folder describes, sorted.
func (s site) undescribed() ([]string, error) {
	shelf, err := s.library()
	if err != nil {
		return nil, err
	}
	folders, err := s.cfg.DDLs()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, b := range shelf.List() {
		for _, t := range tasksOf(b) {
			agent, _, isAction := strings.Cut(t.Properties.Lookup("action").Source(), ".")
			if isAction && ddl.IsAgent(agent) && folders.Newest(agent) == nil {
				out = append(out, agent)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// kept looks at the DDLs that were fetched from the registry before: with them playbooks are checked until it answers.
func (s site) kept(n *notes) {
	dir, described, refused, err := s.cfg.KeptDDLs()
	if err != nil {
		n.problem(err, "let playbot's user read the folder")
		return
	}
	for _, agent := range sortedKeys(refused) {
		n.warn("remove the file; it is fetched again", "what was kept of the registry about %s does not count: %s", agent, refused[agent])
	}
	if len(described) > 0 {
		n.ok("%s kept from the registry in %s", counted(len(described), "DDL"), dir)
	}
}

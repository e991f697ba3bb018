package demoreal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
	"github.com/playbot/playbot/cmd/internal/stage"
)

// Scenario is one run of web_upgrade.
type Scenario struct {
	Tier     string
	Revision string
	Fails    bool     // the run is to fail
	Edits    []string // of the playbook: pairs of a text, which must be there once, and what takes its place
}

// answersEach is how many requests each web server answers, through the load balancers, before the run
// and after it.
const answersEach = 5

// Play plays a scenario with requests under way all the time: ana asks for the run, ana may not approve
// it herself, ben does. The error is one that kept it from being played; what came of it is the report's.
func (w *World) Play(ctx context.Context, s Scenario) (*Report, error) {
	w.plays++
	r := &Report{Scenario: s}
	var err error
	if r.Before, err = w.look(ctx); err != nil {
		return nil, err
	}
	b, err := w.startBot(ctx, filepath.Join(w.dir, fmt.Sprintf("bot%d", w.plays)), s.Edits...)
	if err != nil {
		return nil, err
	}
	acts, err := w.acts()
	if err != nil {
		return nil, errors.Join(err, b.stop(ctx))
	}
	load := startLoad(ctx, w.lbs)
	err = w.perform(ctx, r, b, load)
	r.Traffic = load.Stop()
	if err = errors.Join(err, b.stop(ctx)); err != nil {
		return r, err
	}
	all, err := w.acts()
	r.Acts = without(all, acts)
	return r, err
}

// perform is the time with requests.
func (w *World) perform(ctx context.Context, r *Report, b *bot, l *load) error {
	if err := l.More(ctx, answersEach, answers(r.Before, w.webs)); err != nil {
		return err
	}
	people := &stage.Stage{Workspace: b.workspace, Channel: "deploys", Others: []string{"ops"}, Out: w.out}
	if err := w.converse(ctx, r, people); err != nil {
		return err
	}
	var err error
	if r.After, err = w.look(ctx); err != nil {
		return err
	}
	serving := slices.DeleteFunc(slices.Clone(w.webs), func(m *machine) bool { return r.Scenario.Fails && m.tier == r.Scenario.Tier })
	if err := l.More(ctx, answersEach, answers(r.After, serving)); err != nil {
		return err
	}
	r.Hooks = w.hooks.Bodies()
	return people.Refused()
}

// converse is what people do.
func (w *World) converse(ctx context.Context, r *Report, people *stage.Stage) error {
	if err := people.Connected(ctx); err != nil {
		return err
	}
	line := fmt.Sprintf("/playbook run web_upgrade tier=%s rev=%s", r.Scenario.Tier, r.Scenario.Revision)
	if err := people.Type(ctx, "ana", line); err != nil {
		return err
	}
	gate, err := people.Gate(ctx)
	if err != nil {
		return err
	}
	// Puppet is disabled now, and users notice nothing.
	if r.During, err = w.look(ctx); err != nil {
		return err
	}
	if r.PuppetDuring, err = w.first(r.Scenario.Tier).puppetSays(ctx); err != nil {
		return err
	}
	for _, who := range []string{"ana", "ben"} {
		if err := people.Approve(ctx, who, gate); err != nil {
			return err
		}
	}
	runs := 1
	if r.Scenario.Fails {
		runs = 2 // the failure handler is a run of its own
	}
	if err := people.Ended(ctx, runs); err != nil {
		return err
	}
	r.PuppetAfter, err = w.first(r.Scenario.Tier).puppetSays(ctx)
	people.Print()
	return err
}

// first is the first web server of a tier.
func (w *World) first(tier string) *machine {
	return w.webs[slices.IndexFunc(w.webs, func(m *machine) bool { return m.tier == tier })]
}

// answers are what requests are told by these machines.
func answers(states []State, by []*machine) []webapp.Answer {
	var out []webapp.Answer
	for _, s := range states {
		if slices.ContainsFunc(by, func(m *machine) bool { return m.name == s.Node }) {
			out = append(out, webapp.Answer{Node: s.Node, Revision: s.Revision})
		}
	}
	return out
}

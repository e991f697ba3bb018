package commands

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
)

const (
	// maxDiffers bounds the lines about what differs from the last run.
	maxDiffers = 8
	// maxLooked is how many earlier runs are looked at for one to compare with.
	maxLooked = 20
)

// Previous is the run of the same playbook before this one that got as far as its nodes, and has ended; nil when
// there is none among the latest.
func (c *Commands) Previous(ctx context.Context, run *engine.Run) (*engine.Run, error) {
	found, err := c.history.Find(ctx, engine.HistoryQuery{Playbook: run.Requested.Playbook.Name, Before: run.ID, Limit: maxLooked})
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if !s.Status.Final() {
			continue
		}
		before, err := c.engine.Load(ctx, s.Run)
		if err != nil {
			return nil, err
		}
		if before.Prepared != nil {
			return before, nil
		}
	}
	return nil, nil //nolint:nilnil // that there is none is an answer, and no error
}

// Differs says in lines what is different from an earlier run of the same playbook: the version of the file, the
// inputs, the nodes. before may be nil.
func Differs(before, run *engine.Run) []string {
	if before == nil {
		return []string{"No earlier run of this playbook to compare with"}
	}
	lines := slices.Concat(differsFile(before, run), differsInputs(before, run), differsNodes(before, run))
	which := fmt.Sprintf("the last run, %s of %s (%s)", before.ID.Short(), stamp(before.At), before.Status)
	if len(lines) == 0 {
		return []string{"The same file, inputs and nodes as " + which}
	}
	if n := len(lines) - maxDiffers; n > 0 {
		lines = append(lines[:maxDiffers], fmt.Sprintf("and %d more differences", n))
	}
	return append([]string{"Different from " + which + ":"}, lines...)
}

func differsFile(before, run *engine.Run) []string {
	was, is := before.Requested.Playbook, run.Requested.Playbook
	switch {
	case was.Digest == is.Digest:
		return nil
	case was.Version == is.Version:
		return []string{fmt.Sprintf("file: changed, and still calls itself version %s", short(is.Version, 40))}
	}
	return []string{fmt.Sprintf("file: version %s, was %s", short(is.Version, 40), short(was.Version, 40))}
}

func differsInputs(before, run *engine.Run) []string {
	was, is := inputsOf(before), inputsOf(run)
	names := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
	slices.Sort(names)
	var out []string
	for _, name := range slices.Compact(names) {
		old, had := was[name]
		now, has := is[name]
		switch {
		case had && has && reflect.DeepEqual(old, now):
		case had && has:
			out = append(out, fmt.Sprintf("input %s: %s, was %s", name, short(exact(now), 120), short(exact(old), 120)))
		case has:
			out = append(out, fmt.Sprintf("input %s: %s, was not given", name, short(exact(now), 120)))
		default:
			out = append(out, fmt.Sprintf("input %s: not given, was %s", name, short(exact(old), 120)))
		}
	}
	return out
}

// inputsOf are the inputs of a run with their defaults. Secrets are masked in it, so that they do not differ.
func inputsOf(r *engine.Run) map[string]any {
	out := maps.Clone(r.Requested.Inputs)
	if out == nil {
		out = map[string]any{}
	}
	if r.Prepared != nil {
		maps.Copy(out, r.Prepared.Inputs)
	}
	return out
}

// differsNodes compares the node sets. Sets are told by their names, which a new version may change.
func differsNodes(before, run *engine.Run) []string {
	if run.Prepared == nil {
		return nil
	}
	names := slices.Concat(slices.Collect(maps.Keys(before.Prepared.Nodes)), slices.Collect(maps.Keys(run.Prepared.Nodes)))
	slices.Sort(names)
	var out []string
	for _, set := range slices.Compact(names) {
		was, is := before.Prepared.Nodes[set], run.Prepared.Nodes[set]
		more, less := beyond(is, was), beyond(was, is)
		if len(more)+len(less) == 0 {
			continue
		}
		var parts []string
		if len(more) > 0 {
			parts = append(parts, "new "+firstFew(more))
		}
		if len(less) > 0 {
			parts = append(parts, "gone "+firstFew(less))
		}
		out = append(out, fmt.Sprintf("nodes %s: %d, were %d; %s", set, len(is), len(was), strings.Join(parts, "; ")))
	}
	return out
}

// beyond are the names of a list that another one has not.
func beyond(list, other []string) []string {
	have := make(map[string]bool, len(other))
	for _, n := range other {
		have[n] = true
	}
	var out []string
	for _, n := range list {
		if !have[n] {
			out = append(out, n)
		}
	}
	return out
}

// firstFew names the first nodes of a list.
func firstFew(nodes []string) string {
	const most = 5
	text := strings.Join(nodes[:min(len(nodes), most)], ", ")
	if len(nodes) > most {
		text += fmt.Sprintf(" and %d more", len(nodes)-most)
	}
	return text
}

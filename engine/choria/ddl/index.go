package ddl

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Index holds DDLs by agent and version. A nil index knows none. It may be shared once it is filled.
type Index struct {
	agents map[string][]*DDL // newest first
}

// Add adds a DDL. A second one of the same agent and version must say the same.
func (x *Index) Add(d *DDL) error {
	if x.agents == nil {
		x.agents = make(map[string][]*DDL)
	}
	all := x.agents[d.Agent]
	for _, other := range all {
		if other.Version != d.Version {
			continue
		}
		if other.digest == d.digest {
			return nil
		}
		return fmt.Errorf("%s: agent %s %s is described differently in %s; leave one of them out", d.File, d.Agent, d.Version, other.File)
	}
	all = append(all, d)
	slices.SortStableFunc(all, func(a, b *DDL) int { return compareVersions(b.Version, a.Version) })
	x.agents[d.Agent] = all
	return nil
}

// Agents lists the agents that are described, sorted.
func (x *Index) Agents() []string {
	if x == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(x.agents))
}

// Newest returns the DDL of an agent in its newest version; nil when there is none.
func (x *Index) Newest(agent string) *DDL {
	if x == nil || len(x.agents[agent]) == 0 {
		return nil
	}
	return x.agents[agent][0]
}

// Version returns the DDL of an agent in one version; nil when there is none.
func (x *Index) Version(agent, version string) *DDL {
	if x == nil {
		return nil
	}
	for _, d := range x.agents[agent] {
		if d.Version == version {
			return d
		}
	}
	return nil
}

// Warnings lists what is left unchecked or unused of all DDLs, sorted.
func (x *Index) Warnings() []string {
	var out []string
	for _, agent := range x.Agents() {
		for _, d := range x.agents[agent] {
			out = append(out, d.Warnings...)
		}
	}
	slices.Sort(out)
	return out
}

// compareVersions orders versions by their numbers, from the left; 1.0.0-rc1 comes before 1.0.0.
func compareVersions(a, b string) int {
	numbersA, preA, isPreA := strings.Cut(a, "-")
	numbersB, preB, isPreB := strings.Cut(b, "-")
	if c := slices.CompareFunc(strings.Split(numbersA, "."), strings.Split(numbersB, "."), comparePart); c != 0 {
		return c
	}
	switch {
	case isPreA && !isPreB:
		return -1
	case isPreB && !isPreA:
		return 1
	}
	return strings.Compare(preA, preB)
}

// comparePart compares numbers as such, and everything else as text.
func comparePart(a, b string) int {
	n, errA := strconv.Atoi(a)
	m, errB := strconv.Atoi(b)
	if errA != nil || errB != nil {
		return strings.Compare(a, b)
	}
	return cmp.Compare(n, m)
}

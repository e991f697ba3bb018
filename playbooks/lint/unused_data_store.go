package lint

import (
	"strings"

	"github.com/playbot/playbot/playbooks"
)

func unusedDataStore() Rule {
	return Rule{
		ID: "unused-data-store", Severity: Advice,
		Reason: "A run connects to every store, and fails when one that it does not need is away.",
		Remedy: "use it, or remove it",
		find: func(b *book) {
			used := b.storePaths()
			for _, s := range b.DataStores {
				if !mentions(used, s.Name) {
					b.report(s.Pos, "", "nothing uses data store %q", s.Name)
				}
			}
		},
	}
}

// storePaths lists every text that may be the path of a key: those of inputs and locks, and every
// property, because only its type knows which of them name stores.
func (b *book) storePaths() []string {
	var out []string
	for _, in := range b.Inputs {
		out = append(out, in.Data)
		if in.Choices != nil {
			out = append(out, in.Choices.Store)
		}
	}
	for _, l := range b.Locks {
		out = append(out, l.Source())
	}
	for _, t := range b.tasks {
		for _, l := range t.Locks {
			out = append(out, l.Source())
		}
		out = texts(t.Properties, out)
	}
	for _, s := range b.NodeSets {
		out = texts(s.Properties, out)
	}
	return out
}

func texts(v playbooks.Value, out []string) []string {
	if s := v.Source(); s != "" {
		out = append(out, s)
	}
	for _, item := range v.Items() {
		out = texts(item, out)
	}
	for _, e := range v.Entries() {
		out = texts(e.Value, out)
	}
	return out
}

// mentions reports whether one of the paths is, or may turn out to be, in a store.
func mentions(paths []string, store string) bool {
	for _, p := range paths {
		first, _, _ := strings.Cut(p, "/")
		computed := strings.Contains(first, "{{") && (strings.Contains(p, "}}/") || strings.Contains(p, store))
		if first == store || computed {
			return true
		}
	}
	return false
}

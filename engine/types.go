package engine

import (
	"fmt"
	"slices"

	"github.com/playbot/playbot/playbooks"
)

// Types is the list of everything that playbooks may use. It is their vocabulary too: a playbook is
// checked with the very functions that later decode it.
type Types struct {
	Tasks  []TaskType
	Nodes  []NodeSourceType
	Stores []DataStoreType
	// Program answers `choices: {command: …}`; nil: such choices cannot be looked up.
	Program Program
}

var _ playbooks.Vocabulary = Types{}

// Task checks the properties of a task. An unknown type is an error that wraps [playbooks.ErrUnknownType].
func (t Types) Task(typ string, p *playbooks.Properties) error {
	tt, ok := t.task(typ)
	if !ok {
		return fmt.Errorf("task type %q: %w", typ, playbooks.ErrUnknownType)
	}
	return check(tt.Decode, p)
}

// NodeSet checks the properties of a node set.
func (t Types) NodeSet(typ string, p *playbooks.Properties) error {
	nt, ok := t.nodes(typ)
	if !ok {
		return fmt.Errorf("node set type %q: %w", typ, playbooks.ErrUnknownType)
	}
	return check(nt.Decode, p)
}

// DataStore checks the properties of a data store.
func (t Types) DataStore(typ string, p *playbooks.Properties) error {
	st, ok := t.store(typ)
	if !ok {
		return fmt.Errorf("data store type %q: %w", typ, playbooks.ErrUnknownType)
	}
	return check(st.Decode, p)
}

// Names lists what may be written, aliases included; kind is "task", "nodes" or "data_stores".
func (t Types) Names(kind string) []string {
	var names []string
	switch kind {
	case "task":
		for _, tt := range t.Tasks {
			names = append(append(names, tt.Name), tt.Aliases...)
		}
	case "nodes":
		for _, nt := range t.Nodes {
			names = append(append(names, nt.Name), nt.Aliases...)
		}
	case "data_stores":
		for _, st := range t.Stores {
			names = append(names, st.Name)
		}
	}
	slices.Sort(names)
	return names
}

// check decodes and adds what the properties themselves found, unknown keys above all.
func check[T any](decode func(*playbooks.Properties) (T, error), p *playbooks.Properties) error {
	if _, err := decode(p); err != nil {
		return err
	}
	return p.Err()
}

// task finds a task type by its name or an alias.
func (t Types) task(name string) (TaskType, bool) {
	i := slices.IndexFunc(t.Tasks, func(tt TaskType) bool { return tt.Name == name || slices.Contains(tt.Aliases, name) })
	if i < 0 {
		return TaskType{}, false
	}
	return t.Tasks[i], true
}

// nodes finds a node set type by its name or an alias.
func (t Types) nodes(name string) (NodeSourceType, bool) {
	i := slices.IndexFunc(t.Nodes, func(nt NodeSourceType) bool { return nt.Name == name || slices.Contains(nt.Aliases, name) })
	if i < 0 {
		return NodeSourceType{}, false
	}
	return t.Nodes[i], true
}

// store finds a data store type by its name.
func (t Types) store(name string) (DataStoreType, bool) {
	i := slices.IndexFunc(t.Stores, func(st DataStoreType) bool { return st.Name == name })
	if i < 0 {
		return DataStoreType{}, false
	}
	return t.Stores[i], true
}

package refdoc

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

// Pages are the reference pages, by their path below docs/guide/reference. checkout holds the examples:
// example.yaml in the folder of each type.
func Pages(checkout fs.FS) (map[string]string, error) {
	types := builtin.Types(builtin.Deps{ReadOnly: func(string) bool { return false }})
	reading := builtin.Types(builtin.Deps{ReadOnly: func(string) bool { return true }})
	pages := map[string]string{"keys.md": keysPage(), "README.md": indexPage(Catalog(types))}
	for i, t := range types.Tasks {
		p := page{kind: "task", typ: Catalog(types).Tasks[i]}
		if err := p.read(checkout, path.Join("engine/tasks", t.Name, "example.yaml"), types); err != nil {
			return nil, err
		}
		p.notes = taskNotes(p.book, t, reading.Tasks[i])
		pages["tasks/"+t.Name+".md"] = p.text()
	}
	for i, t := range types.Nodes {
		p := page{kind: "node set", typ: Catalog(types).NodeSets[i]}
		if err := p.read(checkout, path.Join("engine/nodes", t.Name, "example.yaml"), types); err != nil {
			return nil, err
		}
		pages["nodes/"+t.Name+".md"] = p.text()
	}
	for i, t := range types.Stores {
		p := page{kind: "data store", typ: Catalog(types).DataStores[i]}
		if err := p.read(checkout, path.Join("engine/datastores", t.Name, "example.yaml"), types); err != nil {
			return nil, err
		}
		p.notes = storeNotes(p.book, t)
		pages["data_stores/"+t.Name+".md"] = p.text()
	}
	rolling := page{kind: "task", typ: rollingType()}
	if err := rolling.read(checkout, "cmd/internal/refdoc/rolling.yaml", types); err != nil {
		return nil, err
	}
	rolling.notes = []string{
		"Each task of a wave is a step of its own, with its own gate, tries and report; after a crash the run goes on with the wave that it was in.",
		"A rolling task has neither `tries` nor `idempotent`, and cannot stand in another one.",
		"While it runs, `/playbook pause`, `next`, `slow`, `stop` and `resume` are about its next waves. A stopped one has failed, or is tolerated with `fail_ok`.",
		"`approval: {each_wave: true}` asks before each wave for its nodes. Approvers may grant less than a gate asks for: see the [guide](../../playbooks.md).",
	}
	pages["tasks/rolling.md"] = rolling.text()
	return pages, nil
}

// rollingType describes the task type that the language itself knows.
func rollingType() playbooks.TypeDoc {
	for _, s := range playbooks.Sections() {
		if s.Name == "rolling" {
			return playbooks.TypeDoc{Name: s.Name, Summary: s.Doc, Keys: s.Keys}
		}
	}
	return playbooks.TypeDoc{}
}

// page is a reference page under way.
type page struct {
	kind    string // task, node set or data store
	typ     playbooks.TypeDoc
	example string
	book    *playbooks.Playbook // the example
	notes   []string            // sentences
}

// read reads the example, which must load and use the type.
func (p *page) read(checkout fs.FS, name string, types engine.Types) error {
	source, err := fs.ReadFile(checkout, name)
	if err != nil {
		return fmt.Errorf("the example of the %s %s: %w", p.kind, p.typ.Name, err)
	}
	p.example = string(source)
	if p.book, err = playbooks.Parse(name, source, types); err != nil {
		return fmt.Errorf("the example of the %s %s does not load:\n%w", p.kind, p.typ.Name, err)
	}
	used := map[string]bool{}
	for _, t := range p.book.Tasks {
		used["task"+t.Type] = true
	}
	for _, n := range p.book.NodeSets {
		used["node set"+n.Type] = true
	}
	for _, s := range p.book.DataStores {
		used["data store"+s.Type] = true
	}
	if !used[p.kind+p.typ.Name] {
		return fmt.Errorf("%s does not use the %s %s", name, p.kind, p.typ.Name)
	}
	return nil
}

func (p *page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# `%s` (%s)\n\n%s\n", generated, p.typ.Name, p.kind, sentence(p.typ.Summary))
	if p.typ.Deprecated != "" {
		fmt.Fprintf(&b, "\n**Deprecated:** %s\n", sentence(p.typ.Deprecated))
	}
	if len(p.typ.Aliases) > 0 {
		fmt.Fprintf(&b, "\nIt may also be written %s.\n", code(p.typ.Aliases, " or "))
	}
	b.WriteString("\n## Keys\n\n")
	switch {
	case p.typ.Keys == nil:
		b.WriteString("Any.\n")
	case len(p.typ.Keys) == 0:
		b.WriteString("None of its own.\n")
	default:
		table(&b, p.typ.Keys)
	}
	fmt.Fprintf(&b, "\nBeside these it may have the [keys of every %s](../keys.md#%s). A template may stand for any value.\n", p.kind, anchor(p.kind))
	fmt.Fprintf(&b, "\n## Example\n\n```yaml\n%s```\n", p.example)
	if len(p.notes) > 0 {
		b.WriteString("\n## Good to know\n\n")
		for _, n := range p.notes {
			b.WriteString("- " + n + "\n")
		}
	}
	return b.String()
}

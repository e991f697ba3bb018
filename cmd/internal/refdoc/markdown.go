package refdoc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

const generated = "<!-- Written by `go test ./cmd/internal/refdoc -update` from the code. -->\n"

// table lists keys, the required ones first.
func table(b *strings.Builder, keys []playbooks.Key) {
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for _, required := range []bool{true, false} {
		for _, k := range keys {
			if k.Required != required {
				continue
			}
			fallback := "–"
			switch {
			case required:
				fallback = "**required**"
			case k.Default != "":
				fallback = code([]string{k.Default}, "")
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.Name, k.Kind, fallback, cell(meaning(k)))
		}
	}
}

// meaning is what a key does, and the only values that it takes.
func meaning(k playbooks.Key) string {
	if len(k.Choices) == 0 {
		return k.Doc
	}
	return strings.TrimSpace(k.Doc + " One of " + code(k.Choices, ", ") + ".")
}

// cell makes text fit for a cell of a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

func code(words []string, between string) string {
	return "`" + strings.Join(words, "`"+between+"`") + "`"
}

// sentence makes a sentence of a summary.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

func anchor(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }

// keysPage lists what the language itself reads.
func keysPage() string {
	var b strings.Builder
	b.WriteString(generated + "\n# The keys of the language\n\nThey are the same whatever [types](README.md) a playbook uses. A template may stand for a value unless it says \"as written\".\n")
	for _, s := range playbooks.Sections() {
		if s.Name == rollingType().Name {
			continue // a page of its own
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", sentence(s.Name)[:len(s.Name)], s.Doc)
		table(&b, marked(s))
	}
	return b.String()
}

// marked says of which values the text itself counts.
func marked(s playbooks.Section) []playbooks.Key {
	keys := slices.Clone(s.Keys)
	if len(s.Written) == len(keys) {
		return keys // the section says so
	}
	for i := range keys {
		if slices.Contains(s.Written, keys[i].Name) && slices.Contains([]playbooks.Kind{playbooks.KindText, playbooks.KindBool, playbooks.KindInt, playbooks.KindTexts}, keys[i].Kind) {
			keys[i].Kind += ", as written"
		}
	}
	return keys
}

func indexPage(c playbooks.Catalog) string {
	var b strings.Builder
	b.WriteString(generated + `
# Reference

[The keys of the language](keys.md) are the same in every playbook. What a task, a node set and a data store take beside them depends
on its type. ` + "`playbot check`" + ` is the authority on what may be written; [Writing playbooks](../playbooks.md) begins at the beginning.
`)
	for _, part := range []struct {
		title, folder string
		types         []playbooks.TypeDoc
	}{
		{"Tasks", "tasks", append(append([]playbooks.TypeDoc(nil), c.Tasks...), rollingType())},
		{"Node sets", "nodes", c.NodeSets},
		{"Data stores", "data_stores", c.DataStores},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| type | |\n|---|---|\n", part.title)
		for _, t := range part.types {
			text := t.Summary
			if t.Deprecated != "" {
				text += " (deprecated)"
			}
			fmt.Fprintf(&b, "| [`%s`](%s/%s.md) | %s |\n", t.Name, part.folder, t.Name, cell(text))
		}
	}
	b.WriteString(`
## In an editor

[playbook.json](../../schema/playbook.json) is the JSON Schema of the types above; ` + "`playbot schema`" + ` prints that of the playbot that you
have. An editor that knows it completes keys and marks mistakes while you type. Editors with the YAML language server (VS Code, Neovim,
Emacs and others) find it by a first line in the playbook:

` + "```yaml\n# yaml-language-server: $schema=" + playbooks.SchemaID + "\n```" + `

or by the key ` + "`$schema`" + `, which playbot knows and does not read. A schema cannot see everything: whether a name in a template exists, for
one, is told by ` + "`playbot check`" + `.
`)
	return b.String()
}

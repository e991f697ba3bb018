package refdoc_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/cmd/internal/refdoc"
	"github.com/playbot/playbot/playbooks"
)

// values are tried under every key: what people write, right and wrong.
func values() []any {
	return []any{
		nil, "", "x", "yes", "Off", "5", "0", "50%", "10m", "1h30m", "2d", ".5", "a.b", "a=b", "a/b", "/x/y", "/[a-z]/", ":shellsafe", ":integer",
		"http://localhost/x", "#ops", ">= 1.0", "get", "Get", "true", "t", "1.0.0", "choria=a.b", "{{ uuid }}", "x {{ uuid }}", "{{{{ x", "fail", "fatal", "memory", "pql", "uuid == ''",
		true, false, 0, 1, 2, 10, -1, 1.5, 3.0,
	}
}

// collections are tried under the keys that take one. Elsewhere a list with a template inside loads, since
// nobody knows yet what it will be, and is wrong all the same.
func collections() []any {
	return []any{
		[]any{},
		[]any{"a"},
		[]any{1},
		[]any{"{{ uuid }}"},
		[]any{"summarize"},
		[]any{"a", "=", "b"},
		[]any{"a", "==", 1},
		[]any{1, "10%"},
		[]any{"puppet"},
		map[string]any{},
		map[string]any{"a": "b"},
		map[string]any{"a": 1, "b": nil},
		map[string]any{"a": []any{1}},
		map[string]any{":a:": "{{ uuid }}"},
	}
}

// triedUnder are the values that are tried under a key.
func triedUnder(k playbooks.Key) []any {
	tried := values()
	if k.Required {
		tried = slices.DeleteFunc(tried, func(v any) bool { return v == nil }) // no value is no key
	}
	for _, choice := range k.Choices {
		tried = append(tried, choice, strings.ToLower(choice))
		if k.Kind == playbooks.KindTexts {
			tried = append(tried, []any{choice})
		}
	}
	for _, v := range collections() {
		_, isList := v.([]any)
		if slices.Contains(taking(isList), k.Kind) {
			tried = append(tried, v)
		}
	}
	return tried
}

// taking are the kinds that take a list, or a mapping.
func taking(list bool) []playbooks.Kind {
	if list {
		return []playbooks.Kind{playbooks.KindAny, playbooks.KindTexts, playbooks.KindList, playbooks.KindCommand, playbooks.KindTasks}
	}
	return []playbooks.Kind{playbooks.KindAny, playbooks.KindMap, playbooks.KindTextMap}
}

// corner is a mapping in a book whose keys are tried.
type corner struct {
	name string
	book string
	path []any // from the top of the book
	keys []playbooks.Key
}

const head = "name: b\nversion: 1.0.0\nauthor: A\ndescription: D\n"

// TestSchema_acceptsWhateverLoads tries every key of the language and of every type with many values, and
// with its name written as a symbol of 2017. What loads, the schema must accept.
func TestSchema_acceptsWhateverLoads(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for _, c := range append(sections(), ofTypes(t)...) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			loaded := 0
			for _, k := range c.keys {
				symbol := k.Name != "$schema" // that one is no word
				for _, v := range triedUnder(k) {
					if !c.try(t, s, k.Name, v) {
						continue
					}
					loaded++
					if symbol {
						c.try(t, s, ":"+k.Name+":", v)
						c.try(t, s, ":"+k.Name, v)
						symbol = false
					}
				}
			}
			if loaded < len(c.keys) {
				t.Errorf("only %d of the books loaded; the corner is not read right", loaded)
			}
		})
	}
}

// try puts a value under a key, and reports whether the book loads.
func (c corner) try(t *testing.T, s *jsonschema.Schema, key string, value any) bool {
	t.Helper()
	var book any
	if err := yaml.Unmarshal([]byte(c.book), &book); err != nil {
		t.Fatal(err)
	}
	at := book
	for _, step := range c.path {
		switch step := step.(type) {
		case string:
			at = at.(map[string]any)[step]
		case int:
			at = at.([]any)[step]
		}
	}
	m := at.(map[string]any)
	delete(m, strings.Trim(key, ":"))
	m[key] = value
	source, err := yaml.Marshal(book)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := playbooks.Parse("b.yaml", source, types()); err != nil {
		return false
	}
	doc, err := instance(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("%s: %v loads, and the schema refuses it: %v", key, value, err)
	}
	return true
}

// sections are the corners of the language.
func sections() []corner {
	places := map[string]corner{
		"playbook":      {book: head},
		"input":         {book: head + "data_stores: {a: {type: memory}}\ninputs: {x: {type: String}}\n", path: []any{"inputs", "x"}},
		"choices":       {book: head + "inputs: {x: {type: String, choices: {}}}\n", path: []any{"inputs", "x", "choices"}},
		"data store":    {book: head + "data_stores: {a: {type: memory}}\n", path: []any{"data_stores", "a"}},
		"node set":      {book: head + "uses: {puppet: \">= 1.0.0\"}\nnodes: {a: {type: pql, query: q}}\n", path: []any{"nodes", "a"}},
		"list of hooks": {book: head + "hooks: {}\n", path: []any{"hooks"}},
		"task":          {book: head + "data_stores: {a: {type: memory}}\ntasks: [{log: {message: x}}]\n", path: []any{"tasks", 0, "log"}},
		"approval":      {book: head + "approval: {}\n", path: []any{"approval"}},
		"rolling": {
			book: head + "tasks: [{rolling: {nodes: [a], waves: [1], tasks: [{log: {message: x}}]}}]\n",
			path: []any{"tasks", 0, "rolling"},
		},
	}
	var out []corner
	for _, s := range playbooks.Sections() {
		c := places[s.Name]
		c.name, c.keys = s.Name, s.Keys
		out = append(out, c)
	}
	return out
}

// ofTypes are the examples of the types, each at its first use of the type.
func ofTypes(t *testing.T) []corner {
	t.Helper()
	catalog := refdoc.Catalog(types())
	var out []corner
	for folder, list := range map[string][]playbooks.TypeDoc{"tasks": catalog.Tasks, "nodes": catalog.NodeSets, "datastores": catalog.DataStores} {
		for _, one := range list {
			source, err := os.ReadFile(filepath.Join(root, "engine", folder, one.Name, "example.yaml"))
			if err != nil {
				t.Errorf("%v; every type has one", err)
				continue
			}
			c := corner{name: folder + "_" + one.Name, book: string(source), keys: one.Keys}
			if c.path = firstUse(t, source, folder, one.Name); c.path == nil {
				t.Errorf("the example of %s does not use it", c.name)
				continue
			}
			out = append(out, c)
		}
	}
	return out
}

// firstUse is the way to the first part of a book that is of a type.
func firstUse(t *testing.T, source []byte, folder, name string) []any {
	t.Helper()
	var book struct {
		Tasks      []map[string]any
		Nodes      map[string]map[string]any
		DataStores map[string]map[string]any `yaml:"data_stores"`
	}
	if err := yaml.Unmarshal(source, &book); err != nil {
		t.Fatal(err)
	}
	for i, task := range book.Tasks {
		if _, ok := task[name]; ok && folder == "tasks" {
			return []any{"tasks", i, name}
		}
	}
	section, parts := "nodes", book.Nodes
	if folder == "datastores" {
		section, parts = "data_stores", book.DataStores
	}
	for key := range maps.Keys(parts) {
		if parts[key]["type"] == name && folder != "tasks" {
			return []any{section, key}
		}
	}
	return nil
}

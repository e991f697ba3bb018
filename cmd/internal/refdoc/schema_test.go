package refdoc_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/playbot/playbot/playbooks"
)

func TestSchema_isTheOneInDocs(t *testing.T) {
	t.Parallel()
	golden(t, "schema/playbook.json", source(t))
}

func TestSchema_isValid(t *testing.T) {
	t.Parallel()
	const meta = "https://json-schema.org/draft/2020-12/schema"
	s, err := jsonschema.NewCompiler().Compile(meta)
	if err != nil {
		t.Fatal(err)
	}
	doc := decoded(t, source(t))
	if err := s.Validate(doc); err != nil {
		t.Error(err)
	}
	if got := doc.(map[string]any)["$schema"]; got != meta {
		t.Errorf("got the draft %v, want %s", got, meta)
	}
	compiled(t)
}

func TestSchema_everyKeyHasAText(t *testing.T) {
	t.Parallel()
	doc := decoded(t, source(t)).(map[string]any)
	texts := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		if list, isList := v.([]any); isList {
			for _, item := range list {
				walk(at, item)
			}
		}
		o, isObject := v.(map[string]any)
		if !isObject {
			return
		}
		for word, item := range o {
			switch word {
			case "if", "then", "allOf": // say more about what is described elsewhere
			case "properties":
				for name, key := range item.(map[string]any) {
					shape := key.(map[string]any)
					if ref, isRef := shape["$ref"].(string); isRef {
						shape = lookup(t, doc, ref)
					}
					if shape["description"] == nil {
						t.Errorf("%s/%s has no description", at, name)
					}
					texts++
					walk(at+"/"+name, key)
				}
			case "$defs":
				for name, def := range item.(map[string]any) {
					walk(at+"/"+name, def)
				}
			default:
				walk(at+"/"+word, item)
			}
		}
	}
	walk("", doc)
	if texts < 150 {
		t.Errorf("only %d keys were seen; the walk is broken", texts)
	}
}

// lookup follows a reference inside of a document.
func lookup(t *testing.T, doc map[string]any, ref string) map[string]any {
	t.Helper()
	at := doc
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		next, ok := at[step].(map[string]any)
		if !ok {
			t.Fatalf("%s leads nowhere", ref)
		}
		at = next
	}
	return at
}

func TestSchema_acceptsEveryBookThatLoads(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{
		"playbooks/examples/*.yaml", "playbooks/testdata/good/*.yaml", "playbooks/testdata/2017/*.yaml",
		"engine/*/*/example.yaml", "cmd/internal/refdoc/rolling.yaml",
	} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	s, accepted := compiled(t), 0
	for _, name := range files {
		data := read(t, name)
		if _, err := playbooks.Parse(name, data, types()); err != nil {
			if !strings.Contains(filepath.ToSlash(name), "/2017/") { // of those, some are refused on purpose
				t.Errorf("%s does not load:\n%v", name, err)
			}
			continue
		}
		accepted++
		doc, err := instance(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if accepted < 25 {
		t.Errorf("only %d books were found", accepted)
	}
}

// unseen are the faults that no schema can see, and why.
func unseen() map[string]string {
	return map[string]string{
		"as-used-twice-in-a-wave":        "uniqueness: one name in two tasks",
		"assert-that-cannot-match":       "the text of an assertion",
		"expect-names-unknown":           "expression",
		"reply-outside-of-expect":        "expression",
		"task-lock-store-unknown":        "reference",
		"uses-range":                     "the grammar of version ranges",
		"wave-item-unknown":              "reference in a template",
		"wave-outside-of-rolling":        "reference in a template",
		"as-used-twice":                  "uniqueness: one name in two tasks",
		"duplicate-symbol-key":           "uniqueness: :message and message are two keys to it",
		"expression-cut-by-a-comment":    "expression",
		"expression-of-another-language": "expression",
		"expression-syntax":              "expression",
		"expression-type":                "expression",
		"expression-with-a-dash":         "expression",
		"input-unknown":                  "reference in a template",
		"line-break-of-yaml-alone":       "a character of the file that YAML reads as another",
		"input-unknown-in-a-block":       "reference in a template",
		"node-set-in-a-node-set":         "reference in a template",
		"node-set-unknown":               "reference in a template",
		"node-set-uses-undeclared":       "reference",
		"recursion":                      "reference: the book's own name",
		"several-documents":              "it sees one document at a time",
		"shell-unsafe-place":             "the text of a command",
		"store-unknown":                  "reference",
		"task-name-unknown":              "reference in a template",
		"template-empty":                 "template",
		"template-not-closed":            "template",
		"template-unknown":               "reference in a template",
		"templates-in-merged-macros":     "reference in a template",
		"too-deep":                       "bounds of the whole file",
	}
}

func TestSchema_refusesWhatASchemaCanSee(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "playbooks", "testdata", "bad", "*.yaml"))
	if err != nil || len(files) < 60 {
		t.Fatalf("got %d files (%v)", len(files), err)
	}
	s, excused := compiled(t), unseen()
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		reason, listed := excused[name]
		delete(excused, name)
		doc, err := instance(read(t, path))
		if err != nil { // not YAML, which an editor sees without a schema
			if listed {
				t.Errorf("%s is no YAML (%v); take it off the list", name, err)
			}
			continue
		}
		switch err := s.Validate(doc); {
		case err == nil && !listed:
			t.Errorf("%s is accepted; let the schema refuse it, or say why it cannot", name)
		case err != nil && listed:
			t.Errorf("%s is refused now; take it off the list (%s): %v", name, reason, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(excused)) {
		t.Errorf("there is no %s.yaml", name)
	}
}

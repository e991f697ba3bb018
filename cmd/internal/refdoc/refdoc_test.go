package refdoc_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/cmd/internal/refdoc"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/playbooks"
)

var update = flag.Bool("update", false, "rewrite the files in docs")

// root is the checkout, seen from this package.
var root = filepath.Join("..", "..", "..")

func types() engine.Types { return builtin.Types(builtin.Deps{}) }

// source is the schema of the built-in types.
func source(t *testing.T) []byte {
	t.Helper()
	data, err := playbooks.Schema(refdoc.Catalog(types()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decoded(t *testing.T, schema []byte) any {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource(playbooks.SchemaID, decoded(t, source(t))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(playbooks.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance is a YAML file as a validator sees it; an error says that it is not YAML, or not JSON's kind of it.
func instance(data []byte) (any, error) {
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	text, err := json.Marshal(plain(doc))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// plain makes text of keys and dates, as YAML 1.2 has them.
func plain(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for k := range t {
			t[k] = plain(t[k])
		}
	case map[any]any:
		out := make(map[string]any, len(t))
		for k, item := range t {
			out[fmt.Sprint(k)] = plain(item)
		}
		return out
	case []any:
		for i := range t {
			t[i] = plain(t[i])
		}
	case time.Time:
		return t.Format(time.DateOnly)
	}
	return v
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// golden holds a file in docs against what it is made from, or rewrites it.
func golden(t *testing.T, name string, want []byte) {
	t.Helper()
	path := filepath.Join(root, "docs", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./cmd/internal/refdoc -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the code says (-code +file); run go test ./cmd/internal/refdoc -update\n%s", path, diff)
	}
}

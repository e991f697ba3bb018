package document_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/document"
)

func TestYAML_isReadAsJSONWouldHaveIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "null",
		"{a: 1, b: 1.5, c: true, d: ~}":   `{"a":1,"b":1.5,"c":true,"d":null}`,
		"{day: 2026-01-02, 7: seven}":     `{"7":"seven","day":"2026-01-02"}`,
		"[yes, \"1\", 0x10]":              `["yes","1",16]`,
		"a: &a {x: 1, y: 1}\nb: *a":       `{"a":{"x":1,"y":1},"b":{"x":1,"y":1}}`,
		"a: &a {x: 1}\nb: {<<: *a, y: 2}": `{"a":{"x":1},"b":{"x":1,"y":2}}`,
		"a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b], z: 4}": `{"a":{"x":1},"b":{"x":2,"z":3},"c":{"x":1,"z":4}}`,
	} {
		v, err := document.YAML([]byte(text))
		raw, _ := json.Marshal(v)
		if err != nil || string(raw) != want {
			t.Errorf("%q: got %s, %v; want %s", text, raw, err, want)
		}
	}
}

func TestYAML_refusesWithTheLine(t *testing.T) {
	t.Parallel()
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += strings.NewReplacer("N", string(c), "O", string(c-1)).Replace("N: &N [*O, *O, *O, *O, *O, *O, *O, *O, *O]\n")
	}
	for text, want := range map[string]string{
		"a: [\n":            "line 1",
		"a: 1\na: 2":        "line 2",
		"a: 1\nb: .inf":     "line 2: JSON has no value such as .inf",
		"? [a]\n: b":        "invalid map key",
		"a: 1\n---\nb: 2\n": "",
		bomb:                "excessive aliasing",
	} {
		v, err := document.YAML([]byte(text))
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.40q: got %v, %v; want %q", text, v, err, want)
		}
	}
}

func TestJSON_keepsNumbersAndNamesLines(t *testing.T) {
	t.Parallel()
	v, err := document.JSON([]byte(`{"a": 1.50, "b": 12345678901234567890}`))
	if raw, _ := json.Marshal(v); err != nil || string(raw) != `{"a":1.50,"b":12345678901234567890}` {
		t.Errorf("got %s, %v", raw, err)
	}
	for text, want := range map[string]string{"": "it ends too soon", "{\"a\":\n x}": "line 2: invalid character 'x'", "[1]\n[2]": "line 2: there is more than one value"} {
		if v, err := document.JSON([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want %q", text, v, err, want)
		}
	}
}

func TestRead_isBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := document.Read("list", path, 2<<20); err != nil || len(data) != 2<<20 {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
	if _, err := document.Read("list", path, 1<<20); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "list "+path+" is larger than 1 MiB") {
		t.Errorf("got %v", err)
	}
}

// Package document reads files of plain data that playbooks name: YAML or JSON, of a bounded size.
package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine"
)

// Read reads a file of at most max bytes. What it is stands in front of every error.
func Read(what, path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", what, path, err)
	}
	if int64(len(data)) > max {
		return nil, engine.Errorf(engine.CodeInvalid, "%s %s is larger than %d MiB", what, path, max>>20)
	}
	return data, nil
}

// JSON reads one JSON value. Its numbers are json.Number, as they are written.
func JSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, place(data, d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, place(data, d.InputOffset(), errors.New("there is more than one value"))
	}
	return v, nil
}

// place adds the line to what is wrong with JSON.
func place(data []byte, at int64, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = int64(len(data)), errors.New("it ends too soon")
	}
	at = min(max(at, 0), int64(len(data)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:at], []byte("\n")), err)
}

// YAML reads one YAML document as JSON would have it: keys are text, and so is a date.
func YAML(data []byte) (any, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(root.Content) == 0 {
		return nil, nil
	}
	var check any // aliases that grow without end, and keys that stand twice
	if err := root.Decode(&check); err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return plain(root.Content[0])
}

func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := plain(item)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.MappingNode:
		return mapping(n)
	case yaml.ScalarNode:
		return scalar(n)
	case yaml.DocumentNode:
	}
	return nil, fmt.Errorf("line %d: this is no value", n.Line)
}

func mapping(n *yaml.Node) (any, error) {
	own, merged := make(map[string]any), make(map[string]any)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		v, err := plain(n.Content[i+1])
		switch {
		case err != nil:
			return nil, err
		case key.Tag == "!!merge":
			merge(merged, v)
		case key.Kind != yaml.ScalarNode:
			return nil, fmt.Errorf("line %d: a key is one word, not a list or a mapping", key.Line)
		default:
			own[key.Value] = v
		}
	}
	for k, v := range merged {
		if _, there := own[k]; !there {
			own[k] = v
		}
	}
	return own, nil
}

// merge adds what << brings: a mapping, or a list of them of which the first counts.
func merge(into map[string]any, v any) {
	switch t := v.(type) {
	case map[string]any:
		for k, item := range t {
			if _, there := into[k]; !there {
				into[k] = item
			}
		}
	case []any:
		for _, item := range t {
			merge(into, item)
		}
	}
}

func scalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!str", "!!timestamp", "!!binary":
		return n.Value, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	if _, err := json.Marshal(v); err != nil {
		return nil, fmt.Errorf("line %d: JSON has no value such as %s", n.Line, n.Value)
	}
	return v, nil
}

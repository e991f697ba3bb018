package playbooks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// head is what every book needs.
const head = "name: b\nversion: 1.0.0\nauthor: A\ndescription: D\n"

// declared declares the inputs of inputValues, some node sets and a named task.
const declared = head + `
inputs:
  text: {type: String}
  int: {type: Integer}
  float: {type: Float}
  bool: {type: Boolean}
  list: {type: Array}
  map: {type: String}
  web-tier: {type: String}
  template: {type: String}
  hostile: {type: String}
  broken: {type: String}
nodes:
  web: {type: any}
  none: {type: any}
hooks:
  pre_book:
    - any: {as: first}
`

// anything is a vocabulary in which every type takes every property.
type anything struct{}

func (anything) Task(typ string, _ *playbooks.Properties) error      { return known(typ) }
func (anything) NodeSet(typ string, _ *playbooks.Properties) error   { return known(typ) }
func (anything) DataStore(typ string, _ *playbooks.Properties) error { return known(typ) }
func (anything) Names(string) []string                               { return []string{"any"} }

func known(typ string) error {
	if typ == "any" {
		return nil
	}
	return fmt.Errorf("type %q: %w", typ, playbooks.ErrUnknownType)
}

func parse(t *testing.T, source string) *playbooks.Playbook {
	t.Helper()
	book, err := playbooks.Parse("b.yaml", []byte(source), anything{})
	if err != nil {
		t.Fatalf("got problems, want none:\n%v", err)
	}
	return book
}

// taskValue is the value of a task's property that is written as in the YAML text.
func taskValue(t *testing.T, yamlText string) (playbooks.Value, error) {
	t.Helper()
	source := declared + "tasks:\n  - any:\n      v: " + strings.ReplaceAll(yamlText, "\n", "\n        ") + "\n"
	book, err := playbooks.Parse("b.yaml", []byte(source), anything{})
	if err != nil {
		return playbooks.Value{}, err
	}
	return book.Tasks[0].Properties.Entries()[0].Value, nil
}

func mustValue(t *testing.T, yamlText string) playbooks.Value {
	t.Helper()
	v, err := taskValue(t, yamlText)
	if err != nil {
		t.Fatalf("%s: got problems, want none:\n%v", yamlText, err)
	}
	return v
}

var errStore = errors.New("the store is away")

func inputFrom(values map[string]any) func(context.Context, string) (any, error) {
	return func(_ context.Context, name string) (any, error) {
		v, ok := values[name]
		if !ok {
			return "<" + name + ">", nil
		}
		if err, failed := v.(error); failed {
			return nil, err
		}
		return v, nil
	}
}

package list_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/nodestest"
	"github.com/playbot/playbot/engine/nodes/list"
	"github.com/playbot/playbot/playbooks"
)

func named(nodes ...any) map[string]any { return map[string]any{"nodes": nodes} }

func TestSource_passesTheSuite(t *testing.T) {
	t.Parallel()
	nodestest.Run(t, func(t *testing.T) nodestest.Case {
		t.Helper()
		return nodestest.Case{
			Type: list.Type(), Some: named("web2", "web1", "web2", 3), Want: []string{"web2", "web1", "3"}, None: map[string]any{"nodes": []any{}},
		}
	})
}

// parse reads a playbook with one list.
func parse(nodes string) (*playbooks.Playbook, error) {
	return playbooks.Parse("suite.yaml", []byte(`name: suite
version: 1.0.0
author: Test <test@example.net>
description: A test
run_as: choria=test.user
inputs: {servers: {description: Servers, type: Array}}
nodes: {web: {type: list, nodes: `+nodes+`}}
tasks: []
`), engine.Types{Nodes: []engine.NodeSourceType{list.Type()}})
}

func TestSource_templateMayGiveTheListOrItsItems(t *testing.T) {
	t.Parallel()
	scope := playbooks.Scope{Input: func(context.Context, string) (any, error) { return []any{"web1", "web2"}, nil }}
	for nodes, want := range map[string][]string{
		`"{{ inputs.servers }}"`:               {"web1", "web2"},
		`[lb1, "{{ inputs.servers[1] }}"]`:     {"lb1", "web2"},
		`[lb1, "x-{{ inputs.servers[0] }}.y"]`: {"lb1", "x-web1.y"},
	} {
		book, err := parse(nodes)
		if err != nil {
			t.Error(err)
			continue
		}
		p, err := playbooks.Rendered(book.NodeSets[0].Properties, t.Context(), scope, playbooks.Special{})
		if err != nil {
			t.Error(err)
			continue
		}
		source, err := list.Type().Decode(p)
		if err != nil {
			t.Error(err)
			continue
		}
		if got, err := source.Discover(t.Context(), &engine.Call{}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", nodes, got, err, want)
		}
	}
}

func TestSource_refusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	for nodes, want := range map[string]string{
		"web1": "nodes must be a list", "": "nodes is missing", "{a: b}": "nodes must be a list", "[[a]]": "nodes must be a list of text",
	} {
		if _, err := parse(nodes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", nodes, err, want)
		}
	}
}

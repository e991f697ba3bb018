package booktest

import (
	"strings"
	"testing"
)

const filedBook = `
nodes:
  web: {type: mcollective, discovery_method: inventory, discovery_options: {file: fleet.yaml}, at_least: 2}
tasks:
  - mcollective: {description: restart, nodes: "{{ nodes.web }}", action: kafka.restart}
`

// A file is not the case's: what it would list must be said.
func TestCase_declaresTheNodesOfFiles(t *testing.T) {
	t.Parallel()
	const head = "playbook: filed\nnodes: {\"web[1-2]\": {}}\nreplies: [kafka.restart]\n"
	for declared, want := range map[string]string{
		"node_sets: {web: \"web[1-2]\"}\n": "",
		"":                                 `node set "web", of type mcollective, looks outside; name its nodes under node_sets:`,
	} {
		result := play(t, map[string]string{"filed": filedBook}, head+declared+"cases:\n  - name: x\n    expect: {outcome: success}\n")
		var all strings.Builder
		for _, f := range result.Failures {
			all.WriteString(f.Error() + "\n")
		}
		if got := all.String(); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", declared, got, want)
		}
	}
}

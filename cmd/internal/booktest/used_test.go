package booktest

import (
	"strings"
	"testing"
)

const lockBook = `
data_stores:
  desk: {type: memory}
locks: [desk]
tasks:
  - shell: {description: look, command: look}
`

// What a case declares itself has to come to pass: a misspelt word would let it pass for nothing.
func TestCase_tellsOfWhatItDeclaresInVain(t *testing.T) {
	t.Parallel()
	books := map[string]string{"fleet": fleetBook, "lock": lockBook, "gate": gateBook}
	for name, row := range map[string]struct {
		source string
		want   []string
	}{
		"a reply to nobody": {`
playbook: fleet
nodes: {"k[1-2]": {agents: {kafka: "1.0.0"}}}
replies: [kafka.restart, kafka.other]
cases:
  - name: x
    replies: [{action: kafka.restart, nodes: k9}, {action: kafka.restrat, data: {a: 1}}]
`, []string{
			"7:15: the reply was never given: kafka.restart of k9 was not asked, or another reply came first; correct its action, nodes and call",
			"7:51: the reply was never given: kafka.restrat of any node was not asked",
		}},
		"a reply that is given, and then one that is not, in a case that fails": {`
playbook: fleet
nodes: {"k[1-2]": {agents: {kafka: "1.0.0"}}}
cases:
  - name: x
    replies: [{action: kafka.restart, statusmsg: no}, {action: kafka.other}]
`, []string{"5:5: the outcome should be success, and is failed"}},
		"an answer to no command": {`
playbook: lock
commands: [other]
cases:
  - name: x
    commands: [look, lok]
`, []string{"6:22: the answer was never given: nothing under commands asked for it"}},
		"the lock of the playbook, by its store": {`
playbook: lock
commands: [look]
cases:
  - name: x
    held: {desk: 1m}
    expect: {took: 1m}
`, nil},
		"a node that another run has, for a while": {`
playbook: gate
nodes: {web1: {held: 1m}}
replies: [kafka.stop]
cases:
  - name: x
    clicks: [approve: all]
    expect: {took: 1m}
`, nil},
		"a node that another run has, and keeps": {`
playbook: gate
nodes: {web1: {held: {by: carla, for: ever}}}
cases:
  - name: x
    expect: {outcome: failed, took: 2m, message: "(carla)", steps: []}
`, nil},
		"a lock in no store": {`
playbook: lock
commands: [look]
cases:
  - name: x
    held: {dsk/one: 1m}
`, []string{`6:12: no playbook here has a data store "dsk"; did you mean "desk"?`}},
		"a gate at which nobody clicks": {`
playbook: gate
nodes: {web1: {}}
replies: [kafka.stop]
cases:
  - name: x
`, []string{"let somebody click, as in clicks: [approve: all], or expect outcome: expired"}},
		"another name": {`
playbook: lok.yaml
cases:
  - name: x
`, []string{`did you mean "lock"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, books, row.source)
			if len(r.Failures) != len(row.want) {
				t.Fatalf("%d failures, want %d: %q\n%s", len(r.Failures), len(row.want), row.want, r.Failed())
			}
			for i, p := range r.Failures {
				if !strings.Contains(p.Error(), row.want[i]) {
					t.Errorf("got %q, want %q in it", p.Error(), row.want[i])
				}
			}
			if strings.HasSuffix(r.Failed(), "the run was \n") {
				t.Error("an outcome is told where there was no run")
			}
		})
	}
}

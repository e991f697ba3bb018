package commands_test

import (
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// T-20: what an approver has to look at first is what is not as it was.
func TestDiffers_saysWhatIsNotAsItWas(t *testing.T) {
	t.Parallel()
	run := func(id, version, digest string, inputs map[string]any, nodes ...string) *engine.Run {
		r := &engine.Run{}
		for i, p := range []engine.Payload{
			engine.RunRequested{Playbook: engine.PlaybookRef{Name: "web", Version: version, Digest: digest}, Inputs: inputs},
			engine.Prepared{Inputs: map[string]any{"tier": "bravo"}, Nodes: map[string][]string{"web": nodes}},
		} {
			r.Apply(engine.Event{Stream: engine.RunID(id).Stream(), Seq: engine.Seq(i + 1), Time: time.Unix(0, 0).UTC(), Payload: p})
		}
		r.Status = engine.RunSuccess
		return r
	}
	before := run("01JNFKS0000000000000AAAAAA", "1.0.0", "d1", map[string]any{"rev": "abc", "old": 1.0, "token": "***"}, "web1", "web2", "web3")
	many := []string{"web1", "web2", "n1", "n2", "n3", "n4", "n5", "n6"}
	for name, row := range map[string]struct {
		before, run *engine.Run
		want        string
	}{
		"nothing before": {nil, before, "No earlier run of this playbook to compare with"},
		"nothing": {
			before, run("01JNFKS0000000000000BBBBBB", "1.0.0", "d1", map[string]any{"rev": "abc", "old": 1.0, "token": "***"}, "web1", "web2", "web3"),
			"The same file, inputs and nodes as the last run, r-aaaaaa of 1970-01-01 00:00:00 UTC (success)",
		},
		"everything": {before, run("01JNFKS0000000000000BBBBBB", "1.1.0", "d2", map[string]any{"rev": "abd\u202e", "new": true, "token": "***"}, many...), `
Different from the last run, r-aaaaaa of 1970-01-01 00:00:00 UTC (success):
file: version 1.1.0, was 1.0.0
input new: true, was not given
input old: not given, was 1
input rev: "abd\u202e", was "abc"
nodes web: 8, were 3; new n1, n2, n3, n4, n5 and 1 more; gone web3`},
		"a file that hides it": {
			before, run("01JNFKS0000000000000BBBBBB", "1.0.0", "d2", map[string]any{"rev": "abc", "old": 1.0, "token": "***"}, "web1", "web2", "web3"),
			"Different from the last run, r-aaaaaa of 1970-01-01 00:00:00 UTC (success):\nfile: changed, and still calls itself version 1.0.0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(commands.Differs(row.before, row.run), "\n"); got != strings.TrimSpace(row.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(row.want))
			}
		})
	}
}

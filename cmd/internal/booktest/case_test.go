package booktest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/builtin"
)

// book is a playbook from what comes after its metadata.
func book(name, body string) string {
	return fmt.Sprintf("name: %s\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: A test\nrun_as: choria=test.user\n%s", name, body)
}

// play runs the only case of a source on some playbooks.
func play(t *testing.T, books map[string]string, source string) Result {
	t.Helper()
	dir := t.TempDir()
	for name, body := range books {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(book(name, body)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shelf, err := OpenShelf(dir, builtin.Types(builtin.Deps{}))
	if err != nil {
		t.Fatal(err)
	}
	for name := range books {
		if _, err := shelf.missing(name); err != nil && name != "broken" {
			t.Fatal(err)
		}
	}
	file, err := Parse("cases.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 1 {
		t.Fatalf("%d cases, want 1", len(file.Cases))
	}
	return file.Run(t.Context(), &file.Cases[0], shelf, Options{})
}

const fleetBook = `
nodes:
  web: {type: mcollective, agents: [kafka]}
tasks:
  - mcollective:
      description: restart
      nodes: "{{ nodes.web }}"
      action: kafka.restart
      batch_size: 2
      batch_sleep_time: 10
      silent: true
`

const shellBook = `
inputs:
  who: {description: Who, type: String, default: o'hara}
tasks:
  - shell:
      description: greet
      command: echo "hello {{ inputs.who }}" {{ inputs.who }}
      tries: 2
      try_sleep: 5
`

const hookBook = `
tasks:
  - webhook: {description: tell, uri: "https://x.example.net/a?token=1", data: {n: 1}}
  - slack: {description: say, channel: "#ops", text: hello}
`

const storeBook = `
inputs:
  rev: {description: Revision, type: String, data: kept/rev, save: true, required: false}
data_stores:
  kept: {type: file, file: kept.yaml, format: yaml, create: true}
  mine: {type: memory}
  env: {type: environment}
locks: [mine/one]
tasks:
  - log: {message: "rev {{ inputs.rev }}"}
`

const gateBook = `
nodes:
  web: {type: mcollective}
tasks:
  - mcollective: {description: stop it, action: kafka.stop, nodes: "{{ nodes.web }}", destructive: true}
  - mcollective: {description: stop it again, action: kafka.stop, nodes: "{{ nodes.web }}", destructive: true}
`

const parentBook = `
tasks:
  - playbook: {description: go down, name: child}
`

const childBook = `
tasks:
  - log: {description: say, message: from below}
  - sleep: {description: rest, duration: 30m}
`

const rollingBook = `
nodes:
  kafka: {type: list, nodes: [k1, k2, k3]}
tasks:
  - rolling:
      description: roll
      nodes: "{{ nodes.kafka }}"
      waves: [1, 2]
      tasks:
        - mcollective: {description: restart, action: service.restart, nodes: "{{ wave.nodes }}", properties: {service: kafka}}
        - mcollective: {description: check, action: kafka.health, nodes: "{{ wave.nodes }}", expect: data.lag == 0, tries: 3, try_sleep: 10}
`

const moreBook = `
data_stores:
  keep: {type: shell, command: /usr/bin/keep}
nodes:
  db: {type: terraform, statefile: state.json, output: x}
tasks:
  - data: {description: remember, action: write, key: keep/last, value: "{{ nodes.db }}"}
  - graphite_event: {description: mark, what: deploy, data: done, graphite: "https://g.example.net/events/"}
`

const twoBook = `
approval: {count: 2, from: [sre], scope: run}
tasks:
  - shell: {description: one, command: "true", destructive: true}
  - shell: {description: two, command: "true", destructive: true}
`

const writerBook = `
data_stores:
  mine: {type: memory}
tasks:
  - data: {description: remember, action: write, key: mine/x, value: "1"}
  - playbook: {description: go down, name: reader}
`

const readerBook = `
inputs:
  x: {description: What is remembered, type: String, data: mine/x, default: nothing}
data_stores:
  mine: {type: memory}
tasks:
  - log: {message: "remembered: {{ inputs.x }}"}
`

const fleetCase = `
playbook: fleet
nodes:
  web[1-3]: {agents: {kafka: 3.0.0}}
  db1: {agents: {postgres: 1.0.0}}
`

func TestCase_saysWhatIsNotAsExpected(t *testing.T) {
	t.Parallel()
	books := map[string]string{
		"fleet": fleetBook, "sh": shellBook, "hook": hookBook, "store": storeBook, "gate": gateBook,
		"parent": parentBook, "child": childBook, "rolling": rollingBook, "more": moreBook, "two": twoBook,
		"writer": writerBook, "reader": readerBook,
	}
	gate := "playbook: gate\nnodes: {web1: {}}\nreplies: [kafka.*]\n"
	for name, row := range map[string]struct {
		source string
		want   []string // what every failure says, in order, behind its place; none: the case passes
	}{
		"batches pause, and count in the time": {fleetCase + `
replies: [{action: kafka.restart, takes: 5s}]
cases:
  - name: x
    expect:
      took: 20s
      nodes: {web: "web[1-3]"}
      calls: [{kafka.restart: "web[1-3]"}]
      steps: [{restart: {ok: "web[1-3]", attempts: 1, took: 20s}}]
`, nil},
		"a late reply is silence": {fleetCase + `
replies: [{action: kafka.restart, nodes: web3, takes: 20s}, kafka.*]
cases:
  - name: x
    expect: {outcome: failed, took: 30s, steps: [{restart: {status: failed, silent: web3, ok: "web[1-2]"}}]}
`, nil},
		"an undeclared reply": {fleetCase + `
cases:
  - name: x
    expect: {steps: [{restart: failed}]}
`, []string{"cases.yaml:8:5: no reply is declared for kafka.restart; add it under replies:, as in - kafka.restart"}},
		"another outcome, message, time and node set": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      outcome: failed
      message: nothing
      took: "> 1m"
      nodes: {web: web1}
      calls: []
`, []string{
			"11:16: the outcome should be failed, and is success: 1 of 1 tasks done",
			`12:16: the message should hold "nothing", and is: 1 of 1 tasks done`,
			"13:13: the run should take > 1m, and takes 10s",
			"14:15: node set web should be web1, and is web1, web2, web3",
			`15:14: calls should end, and go on with "kafka.restart: web1, web2, web3"; add it, or ... for any others`,
		}},
		"other calls": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      calls: [{kafka.restart: web1}]
`, []string{"11:15: kafka.restart should ask web1, and asks web1, web2, web3"}},
		"a step that is not there": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      steps:
        - restart: ok
        - start: ok
`, []string{`13:11: the run should go on with step "start", and has no further step`}},
		"a step that is another": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      steps:
        - stop: ok
`, []string{`12:11: the run should go on with step "stop", and goes on with tasks.1 "restart": ok`}},
		"a step that was not expected": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      steps: []
`, []string{`11:14: the run should end, and goes on with tasks.1 "restart": ok; add it to steps, or - ... for any others`}},
		"other attempts, nodes and times of a step": {fleetCase + `
replies: [kafka.restart]
cases:
  - name: x
    expect:
      steps:
        - tasks.1: {attempts: 2, ok: web1, failed: web2, took: 1s, message: bad}
`, []string{
			`12:77: the message of "restart" should hold "bad", and is: 3 of 3 ok`,
			`12:31: "restart" should make 2 attempts, and makes 1`,
			`12:38: the ok nodes of "restart" should be web1, and are web1, web2, web3`,
			`12:52: the failed nodes of "restart" should be web2, and are empty`,
			`12:64: "restart" should take 1s, and takes 10s`,
		}},
		"a command with its parameters written out, tried twice": {`
playbook: sh
commands:
  - {command: hello o'hara, call: 1, exit: 3, output: "first\nno\n", takes: 2s}
  - {command: /hello o'hara" o'hara$/, call: 2+, output: fine}
cases:
  - name: x
    expect: {took: 7s, commands: [hello, hello], steps: [{greet: {attempts: 2, message: "exit 0: fine"}}]}
`, nil},
		"an undeclared command": {`
playbook: sh
cases:
  - name: x
`, []string{`4:5: no answer is declared for the command "echo \"hello o'hara\" o'hara"; add it under commands:`}},
		"an undeclared request": {`
playbook: hook
cases:
  - name: x
`, []string{`no answer is declared for the request POST https://x.example.net/a?token=1; add it under requests:`}},
		"a request that is refused": {`
playbook: hook
cases:
  - name: x
    requests: [{request: x.example.net, status: 503, body: later}]
    expect: {outcome: failed, message: "POST https://x.example.net/a: 503 Service Unavailable", messages: []}
`, nil},
		"a request that does not arrive, and other data": {`
playbook: hook
cases:
  - name: x
    requests: [{request: x.example.net, fail: connection refused}]
    expect:
      outcome: failed
      requests: [{x.example.net: {data: {n: 2}}}]
`, []string{`8:18: POST https://x.example.net/a?token=1 should have n: 2, and has 1`}},
		"a message that does not arrive": {`
playbook: hook
requests: [x.example.net]
cases:
  - name: x
    messages: [{message: "#ops", fail: channel_not_found}]
    expect: {outcome: failed, message: channel_not_found, messages: ["#ops: hello"]}
`, nil},
		"stores begin and end as declared": {`
playbook: store
inputs: {rev: abc}
stores: {kept: {other: 1}}
cases:
  - name: x
    expect:
      log: [rev abc]
      stores: {kept: {rev: abc, other: 1, none: }}
`, nil},
		"another value in a store": {`
playbook: store
stores: {kept: {rev: def}}
cases:
  - name: x
    expect:
      log: [rev abc]
      stores: {kept: {rev: abc, none: 1}}
`, []string{
			`7:13: log should go on with "rev abc", and go on with "rev def"`,
			`8:23: kept/rev should be "abc", and is "def"`,
			`8:33: kept/none should be 1, and is not there`,
		}},
		"a lock held for ever": {`
playbook: store
inputs: {rev: a}
held: {mine/one: {by: carla, for: ever}}
cases:
  - name: x
    expect: {outcome: failed, message: held by, steps: []}
`, nil},
		"a click that is refused, one that is not, and one that never comes": {gate + `
cases:
  - name: x
    clicks:
      - {approve: stop it, by: ana}
      - {approve: tasks.1, by: ben, refused: never}
      - {approve: again, by: ben, after: 2h}
      - {cancel: start}
    expect: {outcome: expired}
`, []string{
			"8:9: approve by ana was refused: refused: you asked for this run, so somebody else has to approve it",
			`9:9: approve by ben should be refused with "never", and was not`,
			"10:9: approve by ben never came to pass",
			"11:9: cancel by ana never came to pass",
		}},
		"one click for all gates": {gate + `
cases:
  - name: x
    clicks: [{approve: all}]
    expect: {steps: [{stop it: ok}, {stop it again: ok}]}
`, nil},
		"a case that takes too long": {gate + `
limit: 10m
cases:
  - name: x
`, []string{`7:5: the run had not ended after 10m; it was waiting at tasks.1, stop it`, "the outcome should be success, and is waiting"}},
		"the steps of a child, in virtual time": {`
playbook: parent
cases:
  - name: x
    expect:
      took: 30m
      log: [from below]
      steps: [{go down: {steps: [{say: ok}, {rest: {took: 30m}}]}}]
`, nil},
		"the steps of a child that are others": {`
playbook: parent
cases:
  - name: x
    expect:
      steps: [{go down: {steps: [{say: failed}, ...]}}]
`, []string{`6:40: "say" should be failed, and is ok: from below`}},
		"a declared child": {`
playbook: parent
children: [{playbook: child, fail: no power, takes: 1m}]
cases:
  - name: x
    expect:
      outcome: failed
      message: no power
      took: 1m
      steps: [{go down: {status: failed, steps: []}}]
`, []string{`10:49: "go down" should start a run with steps, and starts none`}},
		"waves, each with its check": {`
playbook: rolling
nodes: {"k[1-3]": {}}
replies:
  - service.restart
  - {action: kafka.health, nodes: k3, call: 1, data: {lag: 5}}
  - {action: kafka.health, data: {lag: 0}}
cases:
  - name: x
    expect:
      took: 10s
      steps:
        - roll: ok
        - tasks.1.wave1.1: ok
        - check: {attempts: 1}
        - tasks.1.wave2.1: ok
        - tasks.1.wave2.2: {attempts: 2}
      calls: [{service.restart: k1}, {kafka.health: k1}, {service.restart: "k[2-3]"}, {kafka.health: "k[2-3]"}, {kafka.health: "k[2-3]"}]
`, nil},
		"node sets and stores that look outside": {`
playbook: more
node_sets: {db: "db[1-2]"}
requests: [g.example.net]
cases:
  - name: x
    expect:
      stores: {keep: {last: [db1, db2]}}
      requests: [{g.example.net: {data: {what: deploy}}}]
`, nil},
		"an undeclared node set": {`
playbook: more
cases:
  - name: x
`, []string{`node set "db", of type terraform, looks outside; name its nodes under node_sets:`}},
		"two people of a role, for the rest of the run": {`
playbook: two
roles: {sre: [ben, carla]}
commands: ["true"]
cases:
  - name: x
    clicks:
      - {approve: one, by: ben, rest: true}
      - {approve: one, by: dora, refused: with the role sre}
      - {approve: one, by: carla, rest: true}
    expect: {steps: [{one: ok}, {two: ok}]}
`, nil},
		"a memory store belongs to its run": {`
playbook: writer
cases:
  - name: x
    expect: {stores: {mine: {x: "1"}}, log: ["remembered: nothing"]}
`, nil},
		"a playbook that is not there": {`
playbook: fleat
cases:
  - name: x
`, []string{`2:11: there is no playbook "fleat" in`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, books, row.source)
			for i, p := range r.Failures {
				if i >= len(row.want) || !strings.Contains(p.Error(), row.want[i]) {
					t.Errorf("got %q", p.Error())
				}
			}
			if len(r.Failures) < len(row.want) {
				t.Errorf("%d failures, want %d: %q\n%s", len(r.Failures), len(row.want), row.want, r.Failed())
			}
		})
	}
}

func TestCase_ofABrokenPlaybook_saysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	r := play(t, map[string]string{"broken": "tsks: []\n"}, "playbook: broken\ncases:\n  - name: x\n")
	if got := r.Failed(); !strings.Contains(got, "cases.yaml:1:11: playbook \"broken\" does not load") || !strings.Contains(got, `did you mean "tasks"`) {
		t.Errorf("got %s", got)
	}
}

func TestCase_whoseHoursPass_takesNoTime(t *testing.T) {
	t.Parallel()
	began := time.Now()
	r := play(t, map[string]string{"nap": "tasks:\n  - sleep: {duration: 20d}\n"}, "playbook: nap\ncases:\n  - {name: x, expect: {took: 480h}}\n")
	if !r.Passed() {
		t.Error(r.Failed())
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("twenty days took %s", took)
	}
}

func TestInBubble_survivesPanicsAndDeadlocks(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]func(){
		"which is a bug: boom": func() { panic("boom") },
		"cannot go on":         func() { <-make(chan int) },
	} {
		if err := inBubble(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if err := inBubble(func() { time.Sleep(time.Hour) }); err != nil {
		t.Error(err)
	}
}

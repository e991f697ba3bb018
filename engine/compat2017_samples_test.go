//nolint:thelper // what inSample runs are the tests: a failure names their lines
package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/playbooks"
)

const uk = "uk: [web1.example.net, web2.example.net, web1.example.net, web3.example.net]\nde: [lb1.example.net]\n"

// keeper is a program that keeps values, as the documentation wants it.
const keeper = `#!/bin/sh
test "$*" = "--$CHORIA_DATA_ACTION" || exit 9
case "$1" in
  --read) cat "$KEEPER/$CHORIA_DATA_KEY" 2>/dev/null || exit 1 ;;
  --write) echo "$CHORIA_DATA_VALUE" > "$KEEPER/$CHORIA_DATA_KEY" ;;
  --delete) rm -f "$KEEPER/$CHORIA_DATA_KEY" ;;
esac
`

const state = `{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "resources": [],
"outputs": {"webservers": {"value": ["web1.example.net", "web2.example.net"], "type": ["list", "string"]}}}`

// terraform answers as the real one does.
const terraform = `#!/bin/sh
test "$1" = output && for last; do :; done && test "$last" = webservers && echo '["web1.example.net","web2.example.net"]'
`

// files puts what the samples expect into /srv/app.
func (s *sample) files() {
	s.t.Helper()
	s.file("nodes.yaml", uk)
	s.file("nodes.sh", "#!/bin/sh\ntest \"$*\" = '--tier bravo' && echo web4.example.net && echo web5.example.net\n")
	s.file("keeper.sh", keeper)
	s.file("terraform.tfstate", state)
	s.file("terraform", terraform)
	s.file("settings.json", `{"retries": 3}`)
	s.file("tell.sh", "#!/bin/sh\ntest \"$1\" = --fail && echo sorry >&2 && exit 3\necho \"$GREETING from ${PWD##*/}: $*\"\n")
	if err := os.Mkdir(filepath.Join(s.dir, "kept"), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

func TestCompat2017_samplesRun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		given map[string]any
		want  string
	}{
		"nodes_mcollective":      {nil, `tasks.1 "mcollective task" ok: 2 of 2 ok` + "\nsuccess: 1 of 1 tasks done"},
		"nodes_discovery_choria": {nil, `tasks.1 "mcollective task" ok: 3 of 3 ok` + "\nsuccess: 1 of 1 tasks done"},
		"nodes_pql": {
			map[string]any{"country": "uk"},
			`tasks.1 "shell task" ok: exit 0: lb2.example.net, web2.example.net, web5.example.net` + "\nsuccess: 1 of 1 tasks done",
		},
		"nodes_yaml":      {nil, `tasks.1 "shell task" ok: exit 0: --nodes web1.example.net,web2.example.net` + "\nsuccess: 1 of 1 tasks done"},
		"nodes_shell":     {nil, `tasks.1 "shell task" ok: exit 0: --nodes web4.example.net,web5.example.net` + "\nsuccess: 1 of 1 tasks done"},
		"nodes_terraform": {nil, `tasks.1 "shell task" ok: exit 0: --nodes web1.example.net,web2.example.net` + "\nsuccess: 1 of 1 tasks done"},
		"nodes_input": {
			map[string]any{"servers": []any{"web1.example.net", "web4.example.net"}},
			`tasks.1 "Are they there" ok: 2 of 2 ok` + "\n" + `tasks.2 "mcollective task" ok: 2 of 2 ok` + "\nsuccess: 2 of 2 tasks done",
		},
		"store_memory": {nil, `tasks.1 "data task" ok: wrote scratch/colour` + "\n" + `tasks.2 "shell task" ok: exit 0: not blue` + "\nsuccess: 2 of 2 tasks done"},
		"store_blue_green": {nil, `
pre_book.1 "data task" ok: deleted scratch/deploy/cluster
tasks.1 "shell task" ok: exit 0: --cluster alpha
tasks.2 "data task" ok: wrote scratch/deploy/cluster
tasks.3 "shell task" ok: exit 0: --cluster bravo
success: 3 of 3 tasks done`},
		"store_file": {nil, `
tasks.1 "Was none" ok: exit 0: was none
tasks.2 "data task" ok: wrote state/revision
tasks.3 "Is abc" ok: exit 0: is abc
success: 3 of 3 tasks done`},
		"store_shell": {nil, `
tasks.1 "shell task" ok: exit 0: nothing
tasks.2 "data task" ok: wrote keeper/colour
tasks.3 "shell task" ok: exit 0: blue
tasks.4 "data task" ok: deleted keeper/colour
tasks.5 "shell task" ok: exit 0: nothing
success: 5 of 5 tasks done`},
		"task_shell": {
			map[string]any{"tier": "bravo"}, `
tasks.1 "Tell the tier bravo" ok: exit 0: hello bravo from DIR: --tier bravo --nodes web1.example.net,web2.example.net
tasks.2 "Fails and is tolerated" tolerated: exit 3: sorry
success: 2 of 2 tasks done`,
		},
		"task_mcollective_assert": {nil, `tasks.1 "Wait for puppet to idle" ok: 3 of 3 ok; all satisfy idling == true` + "\nsuccess: 1 of 1 tasks done"},
		"macros": {nil, `
tasks.1 "Are they there" ok: 3 of 3 ok
tasks.2 "shell task" ok: exit 0
tasks.3 "mcollective task" ok: 3 of 3 ok
success: 3 of 3 tasks done`},
		"fixture": {
			map[string]any{"two": "2", "data_backed_save": "kept"}, `
tasks.1 "Disable puppet on alpha" ok: 3 of 3 ok: 3 × enabled=false status=Successfully locked Puppet: test_playbook for 2
tasks.1.pre_task.1 "Are they there" ok: 3 of 3 ok
on_success.1 "Say so" ok: exit 0
success: 1 of 1 tasks done`,
		},
		"inputs": {
			map[string]any{"revision": "0123abc", "servers": []any{"web1", "web2"}, "force": "true", "share": "0.25", "owner": "ana", "channel": "#deploys"},
			`tasks.1 "Batches of 5 for ana" ok: exit 0: alpha web1, web2 true 0.25 #deploys of the store` + "\nsuccess: 1 of 1 tasks done",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inSample(t, func(t *testing.T, s *sample) {
				s.files()
				s.file("settings.yaml", "token: of the store\nchannel: nobody asks\n")
				r := s.run(s.book(name), row.given)
				wantOutline(t, r, strings.ReplaceAll(row.want, "DIR", filepath.Base(s.dir)))
			})
		})
	}
}

func TestCompat2017_sampleOfPuppetDBFindsWhatTheNetworkDoes(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		want := map[string][]string{"servers": {"web4.example.net", "web5.example.net", "web6.example.net"}, "balancers": {"lb1.example.net", "lb2.example.net"}}
		for method, b := range map[string]*playbooks.Playbook{
			"choria": s.book("nodes_discovery_choria"), "mc": s.book("nodes_discovery_choria", "discovery_method: choria", "discovery_method: mc"),
		} {
			s.books[b.Name] = b
			if r := s.run(b, nil); !reflect.DeepEqual(r.Prepared.Nodes, want) {
				t.Errorf("%s: got the sets %v, want %v", method, r.Prepared.Nodes, want)
			}
		}
		s.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Action: "rpcutil.ping", Kind: fleetsim.Silent})
		r := s.run(s.book("nodes_discovery_choria"), nil)
		if want := "connectivity test: 1 of 3 nodes did not answer: web5.example.net"; r.Status != engine.RunFailed || r.Message != want {
			t.Errorf("%s: %s; want %s, for PuppetDB knows it", r.Status, r.Message, want)
		}
	})
}

func TestCompat2017_sampleOfNodesKeepsToTheSet(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		r := s.run(s.book("nodes_mcollective"), nil)
		if want := map[string][]string{"servers": {"web4.example.net", "web5.example.net"}, "nobody": {}}; !reflect.DeepEqual(r.Prepared.Nodes, want) {
			t.Errorf("got the sets %v, want %v", r.Prepared.Nodes, want)
		}
		if n := s.fleet.Count("web6.example.net", ""); n > 0 {
			t.Errorf("a node beyond the limit was asked %d times", n)
		}
		s.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Action: "rpcutil.ping", Kind: fleetsim.Silent})
		r = s.run(s.books["nodes_mcollective"], nil)
		if want := "connectivity test: 1 of 2 nodes did not answer: web5.example.net"; r.Status != engine.RunFailed || r.Message != want {
			t.Errorf("%s: %s; want %s", r.Status, r.Message, want)
		}
		s.fleet.ClearFaults()
		r = s.run(s.book("nodes_mcollective", "tier=bravo", "tier=delta"), nil)
		if want := `node set "servers": Nobody is in tier bravo`; r.Message != want {
			t.Errorf("got %s, want %s", r.Message, want)
		}
		r = s.run(s.book("nodes_mcollective", "puppet: 1.x", "puppet: 2.x"), nil)
		if want := "agents do not match `uses`: web4.example.net has agent puppet 1.13.1, wanted 2.x"; !strings.HasPrefix(r.Message, want) {
			t.Errorf("got %s, want %s", r.Message, want)
		}
	})
}

func TestCompat2017_sampleOfEnvironmentReadsTheProcess(t *testing.T) {
	t.Setenv("PLAYBOT_2017_tier", "bravo")
	inSample(t, func(t *testing.T, s *sample) {
		wantOutline(t, s.run(s.book("store_environment"), nil), `tasks.1 "shell task" ok: exit 0: bravo`+"\nsuccess: 1 of 1 tasks done")
		r := s.run(s.book("store_environment", "data: environment/tier", "data: environment/nosuch"), nil)
		if r.Status != engine.RunFailed || !strings.Contains(r.Message, "PLAYBOT_2017_nosuch is not set") {
			t.Errorf("%s: %s", r.Status, r.Message)
		}
	})
}

// A saved input is read by later runs (2.5); a value of the store is validated (2.4).
func TestCompat2017_sampleOfInputsRemembers(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		s.file("settings.yaml", "token: t1\n")
		b := s.book("inputs")
		s.run(b, map[string]any{"revision": "0123abc", "owner": "ana"})
		r := s.run(b, map[string]any{"revision": "0123abc"})
		wantOutline(t, r, `tasks.1 "Batches of 5 for ana" ok: exit 0: alpha  false 0.5 #ops t1`+"\nsuccess: 1 of 1 tasks done")
		for name, value := range map[string]any{
			"revision": "v1", "batch": "some", "cluster": "a;b", "vip": "::1", "tier": "charlie", "token": "x", "nosuch": "x",
		} {
			given := map[string]any{"revision": "0123abc"}
			given[name] = value
			if _, err := b.Bind(given, true); err == nil || !strings.Contains(err.Error(), `"`+name+`"`) {
				t.Errorf("%s=%v: got %v, want it refused by name", name, value, err)
			}
		}
		if _, err := b.Bind(nil, true); err == nil || !strings.Contains(err.Error(), `input "revision" is missing (Revision to install)`) {
			t.Errorf("without the required input: got %v", err)
		}
	})
}

func TestCompat2017_sampleOfLocksIsHeldByOneRun(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		b := s.book("locks", "command: /bin/true", "command: /bin/true\n      pre_sleep: 600")
		first, began := s.Start(b.Name, nil), time.Now()
		time.Sleep(time.Second)
		r := s.Finish(s.Start(b.Name, nil))
		want := fmt.Sprintf("lock coordination/choria/locks/playbook/locks is held by %s (ana) since", first.Short())
		if r.Status != engine.RunFailed || !strings.HasPrefix(r.Message, want) || time.Since(began).Round(time.Second) != 61*time.Second {
			t.Errorf("%s after %s: %s; want %s after 60 s", r.Status, time.Since(began), r.Message, want)
		}
		if r := s.Finish(first); r.Status != engine.RunSuccess || !slices.Equal(r.Locks, []string(nil)) && !r.LocksReleased {
			t.Errorf("%s: %s, locks %v", r.Status, r.Message, r.Locks)
		}
	})
}

// A file that cannot be read is found before the first task, as in 2017, also when only the last one needs it.
func TestCompat2017_sampleOfFilesIsReadBeforeTheFirstTask(t *testing.T) {
	t.Parallel()
	for want, content := range map[string]string{"settings.json does not exist; create it": "", "does not hold a json mapping": "[1]"} {
		inSample(t, func(t *testing.T, s *sample) {
			if content != "" {
				s.file("settings.json", content)
			}
			r := s.run(s.book("store_file"), nil)
			if r.Status != engine.RunFailed || !strings.Contains(r.Message, want) || len(r.Steps) > 0 {
				t.Errorf("got\n%s\nwant %q and no task", outlined(r), want)
			}
		})
	}
}

func TestCompat2017_sampleOfHooksRunsTheListsInOrder(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[string]string{
		"good": `
pre_book.1 "pre_book" ok: exit 0
tasks.1 "first" ok: exit 0
tasks.1.pre_task.1 "pre_task" ok: exit 0
tasks.1.post_task.1 "post_task" ok: exit 0
tasks.2 "second" ok: exit 0
tasks.2.pre_task.1 "pre_task" ok: exit 0
tasks.2.post_task.1 "post_task" ok: exit 0
on_success.1 "on_success" ok: exit 0
post_book.1 "post_book" ok: exit 0
success: 2 of 2 tasks done`,
		"bad": `
pre_book.1 "pre_book" ok: exit 0
tasks.1 "first" ok: exit 0
tasks.1.pre_task.1 "pre_task" ok: exit 0
tasks.1.post_task.1 "post_task" ok: exit 0
tasks.2 "second" failed: exit 1
tasks.2.pre_task.1 "pre_task" ok: exit 0
tasks.2.post_task.1 "post_task" ok: exit 0
on_fail.1 "on_fail after post_task" ok: exit 0
post_book.1 "post_book" ok: exit 0
failed: "second" failed: exit 1`,
	} {
		inSample(t, func(t *testing.T, s *sample) {
			wantOutline(t, s.run(s.book("hooks"), map[string]any{"outcome": outcome}), want)
		})
	}
}

func TestCompat2017_sampleOfTemplatesKeepsTypes(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		s.files()
		s.run(s.book("templates"), nil)
		if len(s.ear.all) != 2 {
			t.Fatalf("heard %+v", s.ear.all)
		}
		nodes := []any{"web1.example.net", "web2.example.net", "web3.example.net"}
		want := map[string]any{
			"list": []any{"a", "b"}, "number": 5.0, "flag": true, "nodes": nodes, "tags": []any{"one", "two"}, "previous": false,
			"literal": "{{{ inputs.number }}}",
		}
		body := s.ear.all[0].Body
		if !reflect.DeepEqual(body["alone"], want) {
			t.Errorf("alone: got %v, want %v", body["alone"], want)
		}
		y := fmt.Sprint(time.Now().Year())
		want = map[string]any{
			"text": "on web1.example.net, web2.example.net, web3.example.net: a, b, 5 true", "dates": y + " " + y + " " + y,
			"lines": "first\n5\nlast\n", "brace": "{ inputs.number }",
		}
		if !reflect.DeepEqual(body["mixed"], want) {
			t.Errorf("mixed: got %v, want %v", body["mixed"], want)
		}
		if id, _ := body["uuid"].(string); len(id) != 36 {
			t.Errorf("the uuid is %v", body["uuid"])
		}
		if _, isNumber := body["elapsed"].(float64); !isNumber {
			t.Errorf("elapsed is %v", body["elapsed"])
		}
		message := "POST " + s.url + "/deploys: 200 OK"
		want = map[string]any{"description": "Of templates 1.0.0", "success": true, "msg": message, "message": message, "data": []any{`{"ok": true}`}, "runtime": 0.0}
		if !reflect.DeepEqual(s.ear.all[1].Body, want) {
			t.Errorf("the previous task: got %v, want %v", s.ear.all[1].Body, want)
		}
	})
}

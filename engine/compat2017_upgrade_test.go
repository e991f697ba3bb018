//nolint:thelper // what inHouse and inSample run are the tests: a failure names their lines
package engine_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// The documentation's first sample, which finds its nodes through PuppetDB.
func TestCompat2017_sampleOfAnUpgrade(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fault *fleetsim.Fault
		want  string
		says  string // Slack
		hook  string
	}{
		"all good": {nil, `
tasks.1 "Disable puppet" ok: 3 of 3 ok
tasks.2 "Wait for puppet to go idle" ok: 3 of 3 ok
tasks.3 "Stop the web server" ok: 3 of 3 ok
tasks.4 "Install revision abc" ok: 3 of 3 ok: 3 × previous=1.0.0 revision=abc
tasks.5 "Start the web server" ok: 3 of 3 ok
tasks.6 "Enable puppet" ok: 3 of 3 ok
tasks.7 "Trigger a puppet run" ok: 3 of 3 ok
on_success.1 "Tell the ops room" ok: posted to #ops
on_success.2 "webhook task" ok: POST URL/deploys: 200 OK
success: 7 of 7 tasks done`, "Tier bravo runs abc", "Installed abc"},
		"a node fails": {
			&fleetsim.Fault{Node: "web5.example.net", Action: "appmgr.upgrade", Kind: fleetsim.Fail, Message: "disk full"}, `
tasks.1 "Disable puppet" ok: 3 of 3 ok
tasks.2 "Wait for puppet to go idle" ok: 3 of 3 ok
tasks.3 "Stop the web server" ok: 3 of 3 ok
tasks.4 "Install revision abc" failed x2: 1 of 3 ok; 1 failed: web5.example.net said "disk full"; 1 were not asked: web6.example.net
on_fail.1 "Tell the ops room" ok: posted to #ops
on_fail.2 "webhook task" ok: POST URL/deploys: 200 OK
failed: "Install revision abc" failed: 1 of 3 ok; 1 failed: web5.example.net said "disk full"; 1 were not asked: web6.example.net`,
			"Task `Install revision abc` on `web4.example.net, web5.example.net, web6.example.net` failed after `0", "Revision abc failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inSample(t, func(t *testing.T, s *sample) {
				if row.fault != nil {
					s.fleet.Fault(*row.fault)
				}
				r := s.run(s.book("app_upgrade"), map[string]any{"tier": "bravo", "revision": "abc"})
				wantOutline(t, r, strings.ReplaceAll(row.want, "URL", s.url))
				if len(s.ear.all) != 2 {
					t.Fatalf("heard %+v", s.ear.all)
				}
				said, _ := s.ear.all[0].Body["attachments"].([]any)[0].(map[string]any)["text"].(string)
				if !strings.HasPrefix(said, row.says) {
					t.Errorf("Slack heard %q, want %q", said, row.says)
				}
				hook := s.ear.all[1]
				if hook.Body["message"] != row.hook || hook.Header.Get("X-Deploy-Token") != "TOKEN" || !reflect.DeepEqual(hook.Body["nodes"], []any{"web4.example.net", "web5.example.net", "web6.example.net"}) {
					t.Errorf("the webhook heard %+v", hook)
				}
			})
		})
	}
}

// The use case of the reference (13.1), with the two books as they stand there. Consul has a
// stand-in.
func TestCompat2017_sampleOfTheUseCase(t *testing.T) {
	t.Parallel()
	const first = `
pre_book.1 "Announce the start" ok: posted to #ops
tasks.1 "1 Disable puppet on tier bravo" ok: 3 of 3 ok
tasks.2 "2 Wait for running puppet runs to end" ok: 3 of 3 ok
tasks.3 "3 Drain tier bravo from backend web" ok: 2 of 2 ok
tasks.4 "4 Upgrade the application to abc" ok: 3 of 3 ok: 3 × previous=1.0.0 revision=abc
`
	for name, row := range map[string]struct {
		fault *fleetsim.Fault
		want  string
		took  time.Duration // at least; the last sleeps of 30 s
		hook  map[string]any
	}{
		"all good": {nil, first + `tasks.5 "5 Load average must be GREEN" ok: 3 of 3 ok
tasks.6 "6 Return tier bravo to backend web" ok: 2 of 2 ok
tasks.7 "7 Show the deployed status" ok: 3 of 3 ok: 3 × revision=abc status=running
tasks.8 "8 Enable puppet" ok: 3 of 3 ok
tasks.9 "9 Announce the result" ok: NOWZ tier bravo now runs abc on web4.example.net, web5.example.net, web6.example.net
on_success.1 "Tell Lambda about the success" ok: POST URL/lambda: 200 OK
on_success.2 "Tell the ops room about the success" ok: posted to #ops
success: 9 of 9 tasks done`, 5 * time.Second, map[string]any{"outcome": "success"}},
		"never green": {
			&fleetsim.Fault{Node: "web5.example.net", Action: "nrpe.runcommand", Kind: fleetsim.Fail, Message: "CRITICAL"},
			first + `tasks.5 "5 Load average must be GREEN" failed x10: 2 of 3 ok; 1 failed: web5.example.net said "CRITICAL"
on_fail.1 "Tell Lambda about the failure" ok: POST URL/lambda: 200 OK
on_fail.2 "Tell the ops room about the failure" ok: posted to #ops
on_fail.3 "Run the failure handler with the same parameters" ok: run CHILD of deploy_failure_handler: success
failed: "5 Load average must be GREEN" failed: 2 of 3 ok; 1 failed: web5.example.net said "CRITICAL"`,
			(5 + 9*30) * time.Second,
			map[string]any{"outcome": "failure", "step": "5 Load average must be GREEN"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inSample(t, func(t *testing.T, s *sample) {
				s.file("settings.yaml", "slack_token: xoxb-1\nlambda_url: "+s.url+"/lambda\n")
				if row.fault != nil {
					s.fleet.Fault(*row.fault)
				}
				s.book("deploy_failure_handler", "command: open-incident", "command: /bin/true")
				b := s.book("upgrade_tier", "type: consul", "type: memory", "~/.deploy-settings.yaml", s.dir+"/settings.yaml", `'/\Ahttps:/'`, `'/\Ahttp:/'`)
				began := time.Now()
				r := s.run(b, map[string]any{"tier": "bravo", "revision": "abc"})
				for _, step := range r.Steps { // what no test can know beforehand
					if o := step.Last().Outcome; o.Result.Child != "" {
						s.Watch(o.Result.Child)
						row.want = strings.Replace(row.want, "run CHILD of deploy_failure_handler: success", step.Message, 1)
						if !strings.Contains(step.Message, "deploy_failure_handler") || o.Result.Child == r.ID {
							t.Errorf("the handler says %q", step.Message)
						}
					}
				}
				wantOutline(t, r, strings.NewReplacer("URL", s.url, "NOWZ", time.Now().UTC().Format("2006-01-02T15:04:05Z")).Replace(row.want))
				if took := time.Since(began); took < row.took || took > row.took+30*time.Second {
					t.Errorf("took %s, want %s", took, row.took)
				}
				var outcome map[string]any
				for _, h := range s.ear.all {
					if h.Path == "/lambda" {
						outcome = h.Body
					}
				}
				row.hook["tier"], row.hook["revision"] = "bravo", "abc"
				for k, v := range row.hook {
					if outcome[k] != v {
						t.Errorf("Lambda heard %v, want %s=%v", outcome, k, v)
					}
				}
			})
		})
	}
}

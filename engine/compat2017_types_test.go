//nolint:thelper // what inHouse and inSample run are the tests: a failure names their lines
package engine_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// Section 5.2: symbols become the arguments of the action, with their types; batches pause; silence is of good replies.
func TestCompat2017_sampleOfMcollectiveReachesTheNodes(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		s.fleet.Fault(fleetsim.Fault{Node: "web5.example.net", Action: "puppet.status", Kind: fleetsim.Fail, Times: 2, Message: "try later"})
		began := time.Now()
		r := s.run(s.book("task_mcollective"), map[string]any{"message": "hello world"})
		wantOutline(t, r, `
tasks.1 "Disable puppet" ok: 3 of 3 ok
tasks.2 "Wait for running puppet runs" ok x3: 3 of 3 ok
tasks.3 "Show the revisions" ok: 3 of 3 ok: 3 × revision=1.0.0 status=running
success: 3 of 3 tasks done`)
		if took := time.Since(began).Truncate(5 * time.Second); took != (90+5+2*30)*time.Second {
			t.Errorf("took %s, want one pause of 90 s, 5 s before and twice 30 s between", took)
		}
		bravo := []any{"web4.example.net", "web5.example.net", "web6.example.net"}
		want := map[string]any{"message": "hello world", "force": true, "servers": bravo, "retries": 5.0}
		for _, c := range s.fleet.Calls() {
			if c.Action == "disable" && !maps.EqualFunc(c.Data, want, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
				t.Errorf("%s got %v, want %v", c.Node, c.Data, want)
			}
		}
		notes := r.Steps["tasks.2"].Attempts[0].Outcome.Notes
		if !slices.Equal(notes, []string{"web5.example.net: failed: try later"}) {
			t.Errorf("a silent task said %q", notes)
		}
		if notes := r.Steps["tasks.3"].Last().Outcome.Notes; len(notes) != 3 {
			t.Errorf("a task that is not silent said %q", notes)
		}
		data, _ := r.Steps["tasks.3"].Last().Outcome.Result.Data.([]any)
		if reply, _ := data[0].(map[string]any); len(data) != 3 || reply["agent"] != "appmgr" || reply["action"] != "status" || reply["statuscode"] != 0 {
			t.Errorf("got the data %v", data)
		}
	})
}

func TestCompat2017_sampleOfSlackPostsAnAttachment(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		wantOutline(t, s.run(s.book("task_slack"), nil), `tasks.1 "Tell the task_slack channel" ok: posted to #ops`+"\nsuccess: 1 of 1 tasks done")
		if len(s.ear.all) != 1 {
			t.Fatalf("Slack heard %+v", s.ear.all)
		}
		got := s.ear.all[0]
		attachment := got.Body["attachments"].([]any)[0].(map[string]any)
		for what, pair := range map[string][2]any{
			"path": {got.Path + "?" + got.Query, "/api/chat.postMessage?"}, "token": {got.Header.Get("Authorization"), "Bearer xoxb-1234-of-the-documentation"},
			"channel": {got.Body["channel"], "#ops"}, "username": {got.Body["username"], "Deploy Bot"}, "color": {attachment["color"], "good"},
			"text": {attachment["text"], "*task_slack* 1.0.0 begins"}, "fallback": {attachment["fallback"], "*task_slack* 1.0.0 begins"},
			"pretext": {attachment["pretext"], "Task: Tell the task_slack channel"},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
			}
		}
	})
}

func TestCompat2017_sampleOfWebhooksSendsWhatIsWritten(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		s.run(s.book("task_webhook"), nil)
		if len(s.ear.all) != 2 {
			t.Fatalf("heard %+v", s.ear.all)
		}
		post, get := s.ear.all[0], s.ear.all[1]
		if post.Method+" "+post.Path+"?"+post.Query != "POST /deploys?source=choria" || post.Header.Get("X-Deploy-Tier") != "bravo" || post.Header.Get("X-Choria-Request-Id") == "" ||
			!reflect.DeepEqual(post.Body, map[string]any{"tier": "bravo", "retries": 5.0, "tags": []any{"deploy", "web"}}) {
			t.Errorf("got %+v", post)
		}
		if get.Method+" "+get.Path+"?"+get.Query != "GET /may?source=choria&tier=bravo" || get.Header.Get("Content-Type") != "" || get.Header.Get("X-Choria-Request-Id") == post.Header.Get("X-Choria-Request-Id") {
			t.Errorf("got %+v", get)
		}
	})
}

func TestCompat2017_sampleOfGraphiteMarksEvents(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		began := float64(time.Now().Unix())
		s.run(s.book("task_graphite_event"), nil)
		want := []map[string]any{
			{"what": "task_graphite_event begins", "data": "Run by choria=deploy.bot", "tags": "deploy,web", "when": began},
			{"what": "done", "data": "done", "tags": "choria", "when": began},
		}
		for i, w := range want {
			if i >= len(s.ear.all) || s.ear.all[i].Path != "/events/" || !reflect.DeepEqual(s.ear.all[i].Body, w) {
				t.Fatalf("heard %+v, want %v", s.ear.all, want)
			}
		}
		if s.ear.all[0].Header.Get("X-Team") != "platform" {
			t.Errorf("got the headers %v", s.ear.all[0].Header)
		}
	})
}

func TestCompat2017_sampleOfDataWritesAndDeletes(t *testing.T) {
	t.Parallel()
	inSample(t, func(t *testing.T, s *sample) {
		r := s.run(s.book("task_data"), nil)
		got, err := os.ReadFile(filepath.Join(s.dir, "state.yaml"))
		if err != nil || string(got) != "deploy/last:\n    name: task_data\n    retries: 5\n" {
			t.Errorf("%s: the file holds %q, %v", r.Message, got, err)
		}
	})
}

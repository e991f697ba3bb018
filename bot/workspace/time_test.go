package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// mute is an app that never acks.
func mute(*world, socketmode.Event) {}

func TestTrigger_expiresAfterThreeSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil).connect(ack)
		for age, want := range map[time.Duration]string{2900 * time.Millisecond: "", 3100 * time.Millisecond: "expired_trigger_id"} {
			if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err != nil {
				t.Fatal(err)
			}
			cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
			time.Sleep(age)
			_, err := w.api.OpenViewContext(t.Context(), cmd.TriggerID, form("Form"))
			if got := fmt.Sprint(err); want == "" && err != nil || want != "" && got != want {
				t.Errorf("after %v: %v, want %q", age, err, want)
			}
		}
		w.noViolations()
	})
}

func TestResponseURL_expiresAfterThirtyMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil).connect(ack)
		if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err != nil {
			t.Fatal(err)
		}
		cmd, _ := w.next(socketmode.EventTypeSlashCommand).Data.(slack.SlashCommand)
		time.Sleep(29 * time.Minute)
		w.respond(cmd.ResponseURL, &slack.WebhookMessage{Text: "in time"})
		time.Sleep(2 * time.Minute)
		if status, _, text := w.send(cmd.ResponseURL, "", "application/json", `{"text":"late"}`); status != 404 || text != "expired_url" {
			t.Errorf("after 31 minutes: %d %q", status, text)
		}
		w.noViolations()
	})
}

func TestDeliver_givesUpOnAnAppThatDoesNotAck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil).connect(mute)
		start := time.Now()
		_, err := w.Slash(t.Context(), "ana", channel, "/playbook")
		if err == nil || !strings.Contains(err.Error(), "operation_timeout") || time.Since(start) != 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.Slash(ctx, "ana", channel, "/playbook"); err == nil || !strings.Contains(err.Error(), "deadline") {
			t.Errorf("a caller who gave up: %v", err)
		}
		w.next(socketmode.EventTypeSlashCommand)
		w.next(socketmode.EventTypeSlashCommand)
		time.Sleep(10 * time.Minute)
		if n := len(w.envelopes()); n != 2 {
			t.Errorf("%d envelopes were sent; commands are never sent again", n)
		}
	})
}

// An event that is not acked comes again at once, after a minute and after five more, always with the
// same event_id; one that is acked never does.
func TestEvent_isRedelivered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		deaf := 2
		w := pipedWorld(t, nil).connect(func(w *world, e socketmode.Event) {
			if e.Type == socketmode.EventTypeEventsAPI {
				if deaf--; deaf >= 0 {
					return
				}
			}
			w.ack(e)
		})
		start := time.Now()
		if _, err := w.Say("ana", channel, "", "@playbot help"); err != nil {
			t.Fatal(err)
		}
		var at []time.Duration
		ids := map[string]bool{}
		for attempt := range 3 {
			e := w.nextIn(socketmode.EventTypeEventsAPI, 10*time.Minute)
			outer, _ := e.Data.(slackevents.EventsAPIEvent)
			callback, _ := outer.Data.(*slackevents.EventsAPICallbackEvent)
			ids[callback.EventID] = true
			at = append(at, time.Since(start).Round(time.Second))
			if e.Request.RetryAttempt != attempt || (e.Request.RetryReason == "timeout") != (attempt > 0) {
				t.Errorf("attempt %d says %d %q", attempt, e.Request.RetryAttempt, e.Request.RetryReason)
			}
		}
		if want := []time.Duration{0, 3 * time.Second, 66 * time.Second}; fmt.Sprint(at) != fmt.Sprint(want) || len(ids) != 1 {
			t.Errorf("it came at %v with ids %v, want %v with one", at, ids, want)
		}
		time.Sleep(20 * time.Minute)
		if n := len(w.envelopes()); n != 3 {
			t.Errorf("%d envelopes, want 3: the last was acked", n)
		}
	})
}

func TestEvent_waitsForAnAppThatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil)
		if _, err := w.Say("ana", channel, "", "@playbot help"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		w.connect(ack)
		if e := w.nextIn(socketmode.EventTypeEventsAPI, 10*time.Minute); e.Request.RetryAttempt != 2 {
			t.Errorf("it came at attempt %d, want the one after a minute", e.Request.RetryAttempt)
		}
	})
}

// nextIn waits longer for an event than next; in a bubble that takes no time.
func (w *world) nextIn(kind socketmode.EventType, most time.Duration) socketmode.Event {
	w.t.Helper()
	end := time.After(most)
	for {
		select {
		case e := <-w.seen:
			if e.Type == kind {
				return e
			}
		case <-end:
			w.t.Fatalf("no %s within %v", kind, most)
		}
	}
}

// The client of slack-go gives up on a connection without pings for 30 seconds.
func TestSocket_isKeptAliveByPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil).connect(ack)
		time.Sleep(30 * time.Minute)
		if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err != nil {
			t.Error(err)
		}
		hellos := 0
		for len(w.seen) > 0 {
			if e := <-w.seen; e.Type == socketmode.EventTypeHello {
				hellos++
			}
		}
		if hellos != 1 {
			t.Errorf("the client connected %d times", hellos)
		}
	})
}

func TestDisconnect_endsAConnectionAfterTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for reason, counted := range map[string]int{"warning": 1, "refresh_requested": 0} {
			w := pipedWorld(t, nil)
			a := w.call("apps.connections.open", w.AppToken(), obj{})
			url, _ := a.body["url"].(string)
			ws, res, err := w.dial.Dial(url, http.Header{"Origin": {"https://api.slack.com"}})
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			var hello, bye obj
			start := time.Now()
			if err := ws.ReadJSON(&hello); err != nil || hello["type"] != "hello" {
				t.Fatalf("the first frame is %v, %v", hello, err)
			}
			told := make(chan struct{})
			go func() { w.Disconnect(reason); close(told) }()
			if err := ws.ReadJSON(&bye); err != nil || bye["type"] != "disconnect" || bye["reason"] != reason {
				t.Fatalf("the second frame is %v, %v", bye, err)
			}
			<-told
			if w.Connected() != counted {
				t.Errorf("%s: %d sockets count", reason, w.Connected())
			}
			_, _, err = ws.ReadMessage()
			if err == nil || time.Since(start) != 10*time.Second {
				t.Errorf("%s: after %v: %v", reason, time.Since(start), err)
			}
			ws.Close()
			_, res, err = w.dial.Dial(url, nil)
			if err == nil || res.StatusCode != http.StatusForbidden {
				t.Errorf("a ticket opened two sockets: %v", err)
			}
			res.Body.Close()
		}
	})
}

func TestUntil_endsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		asked := 0
		err := w.Until(ctx, func() bool { asked++; return false })
		if err == nil || asked != 1 {
			t.Errorf("got %v after asking %d times; nothing changed", err, asked)
		}
	})
}

// In a bubble no time passes between two posts.
func TestTS_growsWithinOneInstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil)
		last := ""
		for range 3 {
			ts := w.post(slack.MsgOptionText("x", false))
			if ts <= last {
				t.Errorf("%s follows %s", ts, last)
			}
			last = ts
		}
	})
}

package workspace_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

func TestChaos_answersAsSlackDoesOnABadDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	try := func() error {
		_, _, err := w.api.PostMessageContext(t.Context(), "C0DEPLOYS", slack.MsgOptionText("x", false))
		return err
	}
	w.FailNext("chat.postMessage", "fatal_error", 2)
	for range 2 {
		if answer, ok := errors.AsType[slack.SlackErrorResponse](try()); !ok || answer.Err != "fatal_error" {
			t.Errorf("got %v, want fatal_error", answer)
		}
	}
	w.RateLimitNext("chat.postMessage", 7, 1)
	if limited, ok := errors.AsType[*slack.RateLimitedError](try()); !ok || limited.RetryAfter != 7*time.Second {
		t.Errorf("got %v, want to wait 7 seconds", limited)
	}
	if n := len(w.Everything(channel)); n != 0 {
		t.Errorf("%d messages were stored", n)
	}
	w.BreakNext("chat.postMessage", true, 1)
	if code, ok := errors.AsType[slack.StatusCodeError](try()); !ok || code.Code != 500 || len(w.Everything(channel)) != 1 {
		t.Errorf("got %v and %d messages, want 500 and a message", code, len(w.Everything(channel)))
	}
	w.BreakNext("chat.postMessage", false, 1)
	if try() == nil || len(w.Everything(channel)) != 1 {
		t.Error("the call was carried out")
	}
	w.FailNext("chat.update", "fatal_error", 1)
	if err := try(); err != nil {
		t.Errorf("a fault of another method: %v", err)
	}
	w.noViolations()
}

func TestChaos_losesAndDoublesEnvelopes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got atomic.Int32
		w := pipedWorld(t, nil).connect(func(w *world, e socketmode.Event) {
			if e.Type == socketmode.EventTypeSlashCommand {
				got.Add(1)
			}
			w.ack(e)
		})
		slash := func() error { _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); return err }
		w.DropEnvelopes(1)
		if err := slash(); err == nil || !strings.Contains(err.Error(), "operation_timeout") || got.Load() != 0 {
			t.Errorf("a lost envelope: %v, the app got %d", err, got.Load())
		}
		w.RefuseAcks(1)
		if err := slash(); err == nil || got.Load() != 1 {
			t.Errorf("a lost ack: %v, the app got %d", err, got.Load())
		}
		w.DoubleEnvelopes(1)
		if err := slash(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got.Load() != 3 {
			t.Errorf("the app got %d envelopes, want the last one twice", got.Load())
		}
		if err := slash(); err != nil || got.Load() != 4 {
			t.Errorf("a good day: %v, the app got %d", err, got.Load())
		}
	})
}

// Whatever the reason, slack-go comes back, and the workspace remembers everything meanwhile.
func TestChaos_clientsComeBack(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(w *world){
		"asked":  func(w *world) { w.Disconnect("refresh_requested") },
		"warned": func(w *world) { w.Disconnect("warning") },
		"cut":    func(w *world) { w.CutSockets() },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil).connect(ack)
			ts := w.post(slack.MsgOptionBlocks(buttons("go")))
			w.next(socketmode.EventTypeHello)
			end(w)
			w.next(socketmode.EventTypeHello)
			w.until("one connection", func() bool { return w.Connected() == 1 })
			if err := w.Click(t.Context(), "ana", channel, ts, "go"); err != nil {
				t.Errorf("a click after the reconnect: %v", err)
			}
		})
	}
}

func TestSocket_giveEachPayloadToOneOfThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const apps, commands = 3, 30
	counts := make([]atomic.Int32, apps)
	for i := range apps {
		other := &world{Server: w.Server, t: t, http: w.http, dial: w.dial, api: w.api, seen: make(chan socketmode.Event, 1000)}
		other.start(func(w *world, e socketmode.Event) {
			if e.Type == socketmode.EventTypeSlashCommand {
				counts[i].Add(1)
			}
			w.ack(e)
		})
	}
	w.until("all to connect", func() bool { return w.Connected() == apps })
	for range commands {
		if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err != nil {
			t.Fatal(err)
		}
	}
	total := int32(0)
	for i := range apps {
		if n := counts[i].Load(); n == 0 {
			t.Errorf("app %d got nothing", i)
		}
		total += counts[i].Load()
	}
	if total != commands {
		t.Errorf("%d commands reached the apps, want each of %d once", total, commands)
	}
}

// slack-go refuses to send such an ack; the workspace has to drop it from whoever does.
func TestAck_of20KBIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := pipedWorld(t, nil)
		a := w.call("apps.connections.open", w.AppToken(), obj{})
		url, _ := a.body["url"].(string)
		ws, res, err := w.dial.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		res.Body.Close()
		go func() {
			for {
				var env obj
				if ws.ReadJSON(&env) != nil {
					return
				}
				if id := env["envelope_id"]; id != nil {
					_ = ws.WriteJSON(obj{"envelope_id": id, "payload": obj{"text": strings.Repeat("x", 20<<10)}})
				}
			}
		}()
		synctest.Wait()
		_, err = w.Slash(t.Context(), "ana", channel, "/playbook")
		if v := w.Violations(); err == nil || len(v) != 1 || v[0].Error != "ack_too_large" {
			t.Errorf("got %v, violations %+v", err, v)
		}
	})
}

func TestAck_isCheckedLikeAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(func(w *world, e socketmode.Event) {
		w.ack(e, map[string]any{"blocks": []any{obj{"type": "hologram"}}})
	})
	_, err := w.Slash(t.Context(), "ana", channel, "/playbook")
	if v := w.Violations(); err == nil || !strings.Contains(err.Error(), "invalid_blocks") || len(v) != 1 || v[0].Method != "ack" {
		t.Errorf("got %v, violations %+v", err, v)
	}
	if n := len(w.Everything(channel)); n != 0 {
		t.Errorf("%d messages are shown", n)
	}
}

func TestStop_endsEverythingAndMayBeCalledTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil).connect(mute)
	if _, err := w.Say("ana", channel, "", "@playbot help"); err != nil { // an event that is being retried
		t.Fatal(err)
	}
	w.next(socketmode.EventTypeEventsAPI)
	w.Stop()
	w.Stop()
	if _, err := w.Slash(t.Context(), "ana", channel, "/playbook"); err == nil {
		t.Error("a stopped workspace took a command")
	}
	if err := w.OpenHome("ana"); err != nil {
		t.Error(err)
	}
}

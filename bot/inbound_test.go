package bot

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// answers is a Commands that always says the same.
type answers struct {
	Looker // which nothing here asks

	reply commands.Reply
	panic bool
}

func (a answers) Say(context.Context, commands.Request) commands.Reply { return a.answer() }
func (a answers) Press(context.Context, commands.Press) commands.Reply { return a.answer() }
func (a answers) Submit(context.Context, commands.Submission) commands.Reply {
	return a.answer()
}

func (a answers) Options(context.Context, commands.OptionQuery) commands.Found {
	return commands.Found{}
}

func (a answers) answer() commands.Reply {
	if a.panic {
		panic("scripted")
	}
	return a.reply
}

// acks keeps what was acknowledged.
type acks struct {
	mu   sync.Mutex // guards what follows
	list []string
}

func (a *acks) AckCtx(_ context.Context, id string, payload any) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, id+" "+string(raw))
	return nil
}

// deaf is a way to Slack that nothing gets through, for good.
type deaf struct{}

func (deaf) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
}

func lone(tb testing.TB, c Commands) *Bot {
	tb.Helper()
	b := &Bot{
		opts:   Options{Commands: c, HTTP: &http.Client{Transport: deaf{}}},
		logger: slog.New(slog.DiscardHandler), people: newPeople(nil), self: "UBOT",
	}
	b.seen, b.health, b.cards = newSeen(), newHealth(b.logger), map[engine.Place]engine.RunID{}
	b.opts.StaleAfter = staleAfter
	b.thread = newThread(b)
	return b
}

func TestHandle_acknowledgesWhateverComesOnce(t *testing.T) {
	t.Parallel()
	ok := commands.Reply{Private: true, Blocks: []commands.Block{commands.Preformatted{Text: "hello"}}}
	for name, c := range map[string]struct {
		frame frame
		want  string // in the ack
	}{
		"a command":               {frame{Type: "slash_commands", Payload: json.RawMessage(`{"user_id":"UANA","team_id":"T1","text":"help"}`)}, "hello"},
		"a command of nobody":     {frame{Type: "slash_commands", Payload: json.RawMessage(`{"text":"help"}`)}, "could not read that command"},
		"a command of wrong type": {frame{Type: "slash_commands", Payload: json.RawMessage(`{"user_id":7}`)}, "could not read that command"},
		"no payload":              {frame{Type: "slash_commands"}, "could not read that command"},
		"a click without action":  {frame{Type: "interactive", Payload: json.RawMessage(`{"user":{"id":"UANA"},"actions":[],"response_url":"http://x/"}`)}, "null"},
		"a click that is no JSON": {frame{Type: "interactive", Payload: json.RawMessage(`"`)}, "null"},
		"an event of no kind":     {frame{Type: "events_api", Payload: json.RawMessage(`{"event_id":"E1","event":{"type":"team_join","user":"UANA"}}`)}, "null"},
		"an event of a bot":       {frame{Type: "events_api", Payload: json.RawMessage(`{"event_id":"E2","event":{"type":"app_mention","bot_id":"B1","user":"UX"}}`)}, "null"},
		"an event of ours":        {frame{Type: "events_api", Payload: json.RawMessage(`{"event_id":"E3","event":{"type":"message","channel_type":"im","user":"UBOT"}}`)}, "null"},
		"an edit of a message":    {frame{Type: "events_api", Payload: json.RawMessage(`{"event_id":"E4","event":{"type":"message","channel_type":"im","subtype":"message_changed","user":"UANA"}}`)}, "null"},
		"an event that is broken": {frame{Type: "events_api", Payload: json.RawMessage(`[]`)}, "null"},
		"an unknown envelope":     {frame{Type: "telepathy"}, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.frame.EnvelopeID = "env"
			got := &acks{}
			lone(t, answers{reply: ok}).handle(t.Context(), got, c.frame)
			if len(got.list) != 1 || !strings.HasPrefix(got.list[0], "env ") || !has(got.list[0], c.want) {
				t.Errorf("acknowledged with %q, want one that says %q", got.list, c.want)
			}
		})
	}
}

func TestHandle_aPanicCostsOneAnswerOnly(t *testing.T) {
	t.Parallel()
	got := &acks{}
	f := frame{Type: "slash_commands", EnvelopeID: "env", Payload: json.RawMessage(`{"user_id":"UANA"}`)}
	lone(t, answers{panic: true}).handle(t.Context(), got, f)
	if len(got.list) != 0 {
		t.Errorf("what panicked was acknowledged: %q", got.list)
	}
}

func TestReply_thatIsTooLongForAnAckComesThroughItsURL(t *testing.T) {
	t.Parallel()
	long := commands.Reply{Private: true, Blocks: []commands.Block{commands.Preformatted{Text: strings.Repeat(`"`, 2800)}, commands.Preformatted{Text: strings.Repeat(`"`, 2800)}, commands.Preformatted{Text: strings.Repeat(`"`, 2800)}}}
	onStage(t, func(s *stage) {
		t := s.tb
		m, err := s.ws.Slash(t.Context(), "ana", "#random", "/playbook help")
		if err != nil || m != nil {
			t.Errorf("the ack has words or is missing: %v, %v", m, err)
		}
		s.until("the answer is there", func() bool { return len(s.ephemerals("ana")) == 1 })
		if told := s.ephemerals("ana")[0]; strings.Count(told, `"`) != 8400 {
			t.Errorf("the answer is cut: %d quotes", strings.Count(told, `"`))
		}
	}, setting{bot: func(o *Options) { o.Commands = answers{reply: long} }})
}

func FuzzHandle(f *testing.F) {
	for _, kind := range []string{"slash_commands", "interactive", "events_api", "hello"} {
		f.Add(kind, `{"user_id":"UANA","text":"run x","user":{"id":"UANA"},"actions":[{"action_id":"approve/2","value":"a/b"}],"response_url":"http://x/"}`)
		f.Add(kind, `{"team_id":"T1","event_id":"E","event":{"type":"team_join","user":"UANA","text":"<@UBOT> help","channel":"C1","ts":"1.2"}}`)
		f.Add(kind, `null`)
	}
	f.Fuzz(func(t *testing.T, kind, payload string) {
		if has(payload, "app_home_opened") || has(payload, "app_mention") || has(payload, `"im"`) || has(payload, "\\u") {
			return // these call the Web API, which is not here
		}
		got := &acks{}
		b := lone(t, answers{reply: commands.Reply{Blocks: []commands.Block{commands.Preformatted{Text: payload}}}})
		var p pressPayload
		if kind == "interactive" && json.Unmarshal([]byte(payload), &p) == nil && p.ResponseURL == "" {
			return // a click in a Home tab is answered through the Web API
		}
		b.handle(t.Context(), got, frame{Type: kind, EnvelopeID: "env", Payload: json.RawMessage(payload)})
		if len(got.list) != 1 {
			t.Errorf("acknowledged %d times: %q", len(got.list), got.list)
		}
	})
}

func TestNew_saysWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := New(Options{}); err == nil || !has(err.Error(), "Commands, Runs and Feed are required") {
		t.Errorf("got %v", err)
	}
}

func TestVouch_withoutSlackRefuses(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		t := s.tb
		s.net.down(true)
		err := s.current().Vouch(t.Context(), engine.Actor{Team: "T1", User: "UBEN", Name: "ben"})
		if engine.CodeOf(err) != engine.CodeDenied || !has(err.Error(), "could not say who ben is") || errors.Unwrap(err) == nil {
			t.Errorf("got %v, want a refusal with its cause", err)
		}
		s.net.down(false)
	})
}

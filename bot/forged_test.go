package bot

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/engine"
)

// forgeries is how many forged presses are tried; `make integration` tries 20,000.
var forgeries = flag.Int("forgeries", 2000, "forged presses that are tried")

// hooks counts the answers to presses, by the address that each came with.
type hooks struct {
	http.RoundTripper

	mu   sync.Mutex // guards what follows
	told map[string]int
	text map[string]string
}

// RoundTrip implements [http.RoundTripper].
func (h *hooks) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "hooks.test" {
		return h.RoundTripper.RoundTrip(r)
	}
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told[r.URL.Path]++
	h.text[r.URL.Path] = string(body)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// pressing is a press as Slack sends it, to be spoiled.
type pressing map[string]any

// part is an object inside of a press.
func (p pressing) part(name string) map[string]any {
	if name == "action" {
		return p["actions"].([]any)[0].(map[string]any)
	}
	return p[name].(map[string]any)
}

func (s *stage) pressing(gate workspace.Message, action, value string) pressing {
	return pressing{
		"type": "block_actions", "api_app_id": s.current().appID(), "enterprise": nil,
		"team": map[string]any{"id": "T1"}, "user": map[string]any{"id": "UBEN", "username": "ben", "team_id": "T1"},
		"container": map[string]any{"type": "message", "channel_id": gate.Channel, "message_ts": gate.TS, "is_ephemeral": false},
		"channel":   map[string]any{"id": gate.Channel}, "message": map[string]any{"ts": gate.TS, "user": "UBOT"},
		"actions": []any{map[string]any{"action_id": action, "value": value}},
	}
}

// spoil changes one part of a press, or several.
func spoil(luck *rand.Rand, p pressing, run *engine.Run, other engine.RunID, place workspace.Message) string {
	a := run.Approvals[0]
	pick := func(of ...string) string { return of[luck.IntN(len(of))] }
	spoils := map[string]func(){
		"action id": func() {
			p.part("action")["action_id"] = pick("", "APPROVE", "approve_", "approve ", "аpprove", "retry", "mark_done", "cancel", "show", "next", "approve\x00", "x/approve", "resume")
		},
		"value": func() {
			nonce := []byte(a.Approval)
			nonce[luck.IntN(len(nonce))] ^= byte(1 + luck.IntN(15))
			p.part("action")["value"] = pick(string(run.ID)+"/"+string(nonce), string(run.ID)+"/"+a.Approval[:31], string(run.ID), "", "/"+a.Approval, a.Approval,
				string(run.ID)+"/"+a.Approval+"/", string(run.ID)+"/"+strings.ToUpper(a.Approval)+"0", string(run.ID)+"//"+a.Approval, string(run.ID)+"/"+a.Approval+"/x", strings.Repeat("A", 2000))
		},
		"digest": func() {
			p.part("action")["value"] = string(run.ID) + "/" + pick(a.Digest, a.Digest[:32], a.Digest[:12])
		},
		"run id": func() {
			id := []byte(run.ID)
			id[10+luck.IntN(16)] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[luck.IntN(32)]
			if string(id) == string(run.ID) {
				id[25] = '!'
			}
			p.part("action")["value"] = pick(string(other), string(id), strings.ToLower(string(run.ID)), "../../bot", run.ID.Short()) + "/" + a.Approval
		},
		"user": func() {
			p.part("user")["id"] = pick("UANA", "UGUS", "UFOX", "UBOT", "uben", "", "*", "T1/UBEN", "UBEN ")
			if p.part("action")["action_id"] == "deny" { // who asked may say no
				p.part("user")["id"] = pick("UGUS", "UFOX", "UBOT", "")
			}
		},
		"team": func() {
			if luck.IntN(2) == 0 {
				p.part("team")["id"] = pick("T2", "", "t1", "E1")
			} else {
				p.part("user")["team_id"] = pick("T2", "t1", "E1")
			}
		},
		"channel": func() {
			c := pick("C2", "C3", "", "c1")
			p.part("container")["channel_id"] = c
			if luck.IntN(2) == 0 {
				p.part("channel")["id"] = c
			}
		},
		"message ts": func() {
			ts := pick(place.TS, "", "1.000001", "946684800.000001x")
			p.part("container")["message_ts"] = ts
			if luck.IntN(2) == 0 {
				p.part("message")["ts"] = ts
			}
		},
		"app id":      func() { p["api_app_id"] = pick("A0OTHER", "", strings.ToLower(p["api_app_id"].(string))) },
		"other's":     func() { p.part("message")["user"] = pick("UFOX", "UBEN") },
		"no press":    func() { p["type"] = pick("", "interactive_message") },
		"no actions":  func() { p["actions"] = []any{} },
		"no envelope": func() { p["container"] = map[string]any{}; delete(p, "message"); delete(p, "channel") },
	}
	names := slices.Sorted(maps.Keys(spoils))
	var done []string
	for range 1 + luck.IntN(3) {
		name := names[luck.IntN(len(names))]
		if len(p["actions"].([]any)) == 0 {
			break
		}
		if name == "no envelope" && len(done) > 0 || slices.Contains(done, "no envelope") {
			continue
		}
		const button, value = "action id", "value digest run id"
		if name == button && slices.ContainsFunc(done, func(d string) bool { return strings.Contains(value, d) }) || strings.Contains(value, name) && slices.Contains(done, button) {
			continue // both together may be another button that there is, such as Cancel
		}
		spoils[name]()
		done = append(done, name)
	}
	return strings.Join(done, ", ")
}

func (s *stage) reload(run *engine.Run) *engine.Run {
	s.tb.Helper()
	now, err := s.Engine.Load(s.tb.Context(), run.ID)
	if err != nil {
		s.tb.Fatal(err)
	}
	return now
}

// posed waits until a run asks, and until it is known where.
func (s *stage) posed(run *engine.Run) (*engine.Run, workspace.Message) {
	s.tb.Helper()
	var at engine.Place
	s.until("the question is known to stand", func() bool {
		a := s.reload(run).Pending()
		if a == nil {
			return false
		}
		var ok bool
		at, ok = s.reload(run).Posts[a.Ref()]
		return ok
	})
	m, _ := s.ws.Message(at.Channel, at.TS)
	return s.reload(run), m
}

// T-17, G-26: presses that were copied, changed or made up open no gate, and whoever made one is answered.
func TestPress_thatIsForgedDecidesNothingAndIsAnswered(t *testing.T) {
	t.Parallel()
	n := *forgeries
	if testing.Short() {
		n = 300
	}
	h := &hooks{told: map[string]int{}, text: map[string]string{}}
	onStage(t, func(s *stage) {
		s.book("first", "tasks: [{do: {name: look, description: Look, destructive: true}}]")
		s.slash("ana", "#deploys", "run first")
		first, place := s.posed(s.newest())
		s.book("web", gatedBook)
		time.Sleep(time.Second) // runs are told in their order by the time of their ids
		s.slash("ana", "#deploys", "run web rev=abc")
		run, gate := s.posed(s.newest())
		value := string(run.ID) + "/" + run.Approvals[0].Approval
		forge := func(i int, p pressing) (path string, acks int) {
			path = fmt.Sprintf("/%d", i)
			p["response_url"] = "https://hooks.test" + path
			if list := p["actions"].([]any); len(list) > 0 {
				list[0].(map[string]any)["action_ts"] = fmt.Sprintf("%d.0", i)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Error(err)
			}
			s.current().interactive(s.tb.Context(), frame{Type: "interactive", EnvelopeID: path, Payload: raw}, func(any) { acks++ })
			return path, acks
		}
		var wg sync.WaitGroup
		for worker := range 16 {
			wg.Go(func() {
				luck := rand.New(rand.NewPCG(uint64(worker), 17))
				for i := worker; i < n; i += 16 {
					p := s.pressing(gate, []string{"approve", "deny", "approve_first"}[luck.IntN(3)], value)
					what := spoil(luck, p, run, first.ID, place)
					path, acks := forge(i, p)
					h.mu.Lock()
					told, text := h.told[path], h.text[path]
					h.mu.Unlock()
					if strings.Contains(text, "You approved") || strings.Contains(text, "You denied") {
						t.Errorf("a press with another %s counts: %v", what, p)
					}
					if told != 1 || acks != 1 {
						t.Errorf("a press with another %s had %d answers and %d acks", what, told, acks)
					}
				}
			})
		}
		wg.Wait()
		for _, r := range []*engine.Run{run, first} {
			for _, e := range s.Events(r.ID) {
				switch e.Payload.(type) {
				case engine.ApprovalGiven, engine.ApprovalDenied, engine.ApprovalVoided, engine.ApprovalTakenBack, engine.CancelRequested, engine.AttemptResolved, engine.RunPaused:
					t.Errorf("a forged press has left %s", e.Kind())
				default: // a run that goes on
				}
			}
		}
		real := s.pressing(gate, "approve", value)
		if forge(n, real); s.reload(run).Pending() != nil { // what was spoiled was good
			t.Error("the press itself decides nothing")
		}
		s.settle(run)
		for i := range 50 { // copies of it
			forge(n+1+i, s.pressing(gate, "approve", value))
		}
		if got := s.Script.Calls("drain"); got != 1 {
			t.Errorf("the step ran %d times", got)
		}
	}, setting{bot: func(o *Options) {
		h.RoundTripper = o.HTTP.Transport
		o.HTTP = &http.Client{Transport: h}
	}})
}

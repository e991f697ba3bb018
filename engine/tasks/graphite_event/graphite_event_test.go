package graphiteevent_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	graphiteevent "github.com/playbot/playbot/engine/tasks/graphite_event"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "hunter2hunter2"

// graphite keeps events, and answers by path.
type graphite struct {
	mu      sync.Mutex // guards what follows
	events  []map[string]any
	headers []http.Header
	stuck   chan struct{} // closed when a request to /stuck is there
	release chan struct{}
}

func (g *graphite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var event map[string]any
	if err := json.Unmarshal(raw, &event); err != nil || r.Method != http.MethodPost {
		http.Error(w, "no event", http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	g.events, g.headers = append(g.events, event), append(g.headers, r.Header)
	g.mu.Unlock()
	switch r.URL.Path {
	case "/stuck":
		close(g.stuck)
		<-g.release
	case "/full":
		http.Error(w, "the disk is full", http.StatusInsufficientStorage)
	case "/big":
		w.Write([]byte(strings.Repeat("\xff\x00<", 1<<20)))
	}
}

func start(t *testing.T) (*graphite, string) {
	t.Helper()
	g := &graphite{stuck: make(chan struct{}), release: make(chan struct{})}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(g.release) })
	return g, srv.URL
}

func event(address string, more ...any) map[string]any {
	m := map[string]any{"what": "deployed", "data": "revision abc", "graphite": address}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func decode(t *testing.T, o graphiteevent.Options, properties map[string]any) engine.Task {
	t.Helper()
	task, err := graphiteevent.Type(o).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return task
}

func TestGraphiteEvent_passesTheSuite(t *testing.T) {
	t.Parallel()
	g, url := start(t)
	call := func(path string) map[string]any {
		return event(url+path+"?token="+secret, "headers", map[string]any{"Authorization": "Bearer " + secret}, "data", secret)
	}
	tasktest.Run(t, tasktest.Case{
		Type: graphiteevent.Type(graphiteevent.Options{}), Secret: secret, Good: call("/events/"), Bad: call("/full"), Big: call("/big"),
		Long: func(*testing.T) (map[string]any, <-chan struct{}) { return call("/stuck"), g.stuck },
	})
}

func TestGraphiteEvent_saysWhatWhenAndWithWhichTags(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		more []any
		tags string
		data any
	}{
		{nil, "choria", "revision abc"},
		{[]any{"tags", []any{"deploy", "web"}}, "deploy,web", "revision abc"},
		{[]any{"tags", []any{}}, "", "revision abc"},
		{[]any{"data", map[string]any{"n": 5}}, "choria", map[string]any{"n": 5.0}},
	} {
		g, url := start(t)
		c := tasktest.Call(nil)
		c.Started = time.Unix(1_500_000_000, 0)
		result, err := decode(t, graphiteevent.Options{}, event(url+"/events/", row.more...)).Run(t.Context(), c)
		if err != nil || result.Message != "POST "+url+"/events/: 200 OK" {
			t.Errorf("got %q, %v", result.Message, err)
		}
		want := map[string]any{"what": "deployed", "tags": row.tags, "when": 1_500_000_000.0, "data": row.data}
		if len(g.events) != 1 || !reflect.DeepEqual(g.events[0], want) {
			t.Errorf("got %v, want %v", g.events, want)
		}
	}
}

func TestGraphiteEvent_headersReachGraphite(t *testing.T) {
	t.Parallel()
	g, url := start(t)
	task := decode(t, graphiteevent.Options{}, event(url, "headers", map[string]any{"X-Tier": "bravo"}))
	if _, err := task.Run(t.Context(), tasktest.Call(nil)); err != nil {
		t.Fatal(err)
	}
	if h := g.headers[0]; h.Get("X-Tier") != "bravo" || h.Get("Content-Type") != "application/json" || h.Get("X-Choria-Request-ID") == "" {
		t.Errorf("got %v", h)
	}
}

func TestGraphiteEvent_eachAttemptIsANewRequest(t *testing.T) {
	t.Parallel()
	g, url := start(t)
	task := decode(t, graphiteevent.Options{}, event(url))
	for i := range 2 {
		c := tasktest.Call(nil)
		c.Key, c.Started = "key of attempt "+string(rune('1'+i)), time.Unix(int64(100+i), 0)
		if _, err := task.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if g.events[0]["when"] == g.events[1]["when"] || g.headers[0].Get("Idempotency-Key") == g.headers[1].Get("Idempotency-Key") {
		t.Errorf("the second attempt sent the first again: %v %v", g.events, g.headers)
	}
}

func TestGraphiteEvent_callsOnlyWhatWebhooksMayCall(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]graphiteevent.Options{
		"link-local": {},
		"not there":  {Allow: func(netip.AddrPort) error { return errors.New("not there") }},
	} {
		_, err := decode(t, o, event("http://169.254.169.254/events/")).Run(t.Context(), tasktest.Call(nil))
		if engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestGraphiteEvent_refusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	for want, properties := range map[string]map[string]any{
		"what is missing":            {"data": "x", "graphite": "http://x/"},
		"data is missing":            {"what": "x", "graphite": "http://x/"},
		"graphite is missing":        {"what": "x", "data": "x"},
		"is not a web address":       event("ftp://x/"),
		"tags must be a list":        event("http://x/", "tags", "deploy"),
		"headers must be a mapping":  event("http://x/", "headers", "A: b"),
		"cannot be the name of a he": event("http://x/", "headers", map[string]any{"A:": "b"}),
	} {
		_, err := graphiteevent.Type(graphiteevent.Options{}).Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", properties, err, want)
		}
	}
}

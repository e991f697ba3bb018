package realfleettest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// anatomy describes a reply layer by layer: every field, with its value where that is the same for
// every honest server, else with its type.
func anatomy(t *testing.T, m *nats.Msg) string {
	t.Helper()
	var b strings.Builder
	transport := object(t, m.Data)
	headers, _ := transport["headers"].(map[string]any)
	from := headers["mc_sender"] // of version 1
	if from == nil {
		from = headers["sender"]
	}
	fmt.Fprintf(&b, "from %v\nsubject %s\nNATS headers %q\n", from, m.Subject[:strings.LastIndexByte(m.Subject, '.')], slices.Sorted(maps.Keys(m.Header)))
	secure := object(t, decode(t, transport["data"]))
	reply, message := inside(t, secure)
	layer(&b, "transport", transport)
	layer(&b, "secure", secure)
	layer(&b, "reply", reply)
	if !strings.HasPrefix(message, "{") {
		fmt.Fprintf(&b, "payload %q\n", message)
		return b.String()
	}
	layer(&b, "payload", object(t, []byte(message)))
	return b.String()
}

// inside opens a secure reply of version 1, whose layers are texts, or 2, where they are base64.
func inside(t *testing.T, secure map[string]any) (reply map[string]any, message string) {
	t.Helper()
	if text, isText := secure["message"].(string); isText {
		reply = object(t, []byte(text))
		return reply, fmt.Sprint(reply["message"])
	}
	reply = object(t, decode(t, secure["reply"]))
	return reply, string(decode(t, reply["message"]))
}

func decode(t *testing.T, text any) []byte {
	t.Helper()
	body, err := base64.StdEncoding.DecodeString(fmt.Sprint(text))
	if err != nil {
		t.Fatalf("base64 of %v: %v", text, err)
	}
	return body
}

func object(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("decode %q: %v", data, err)
	}
	return m
}

// layer describes one layer. Not the values of ids, times, hashes and what is in the next layer.
func layer(b *strings.Builder, name string, m map[string]any) {
	outline(b, name, m)
	for _, k := range []string{"protocol", "statuscode", "statusmsg", "action"} {
		if v, ok := m[k]; ok {
			fmt.Fprintf(b, "%s.%s = %v\n", name, k, v)
		}
	}
	envelope, ok := m["envelope"].(map[string]any) // of version 1
	id, sender := "requestid", "senderid"
	if !ok {
		envelope, id, sender = m, "request", "sender"
	}
	if _, ok := envelope["agent"]; ok {
		fmt.Fprintf(b, "%s by %v of %v, id of %d characters\n", name, envelope["agent"], envelope[sender], len(fmt.Sprint(envelope[id])))
	}
	for _, k := range []string{"hash", "signature"} {
		if h, ok := m[k].(string); ok {
			fmt.Fprintf(b, "%s %s of %d characters\n", name, k, len(h))
		}
	}
}

// linesNotIn returns the lines of a that b does not have, each once.
func linesNotIn(a, b string) string {
	var out []string
	for line := range strings.Lines(a) {
		if !strings.Contains("\n"+b+"\n", "\n"+strings.TrimSuffix(line, "\n")+"\n") && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

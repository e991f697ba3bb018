package ratio_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// identity is the name of every client.
const identity = "playbot.mcollective"

const collective = "mcollective"

// site is what a client must know to ask the fleet. Without a CA nothing is signed, and the connection is plain.
type site struct{ URL, CA, Cert, Key string }

func (s site) secure() bool { return s.CA != "" }

func (s site) connect(tb testing.TB) *nats.Conn {
	tb.Helper()
	conn, err := s.dial()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(conn.Close)
	return conn
}

func (s site) dial() (*nats.Conn, error) {
	if !s.secure() {
		return nats.Connect(s.URL)
	}
	return nats.Connect(s.URL, nats.RootCAs(s.CA), nats.ClientCert(s.Cert, s.Key))
}

// startFleet starts a broker and nodes of every name. The simulated fleet lends its broker and has no nodes itself:
// it notes every call and speaks to more agents than one, which takes longer than the clients that are compared.
func startFleet(tb testing.TB, secure bool) site {
	tb.Helper()
	o, s := fleetsim.Options{Listen: true, Collective: "nobody"}, site{}
	if secure {
		certs, err := fleetsim.NewCerts(tb.TempDir(), identity)
		if err != nil {
			tb.Fatal(err)
		}
		o.Certs, s = certs, site{CA: certs.CA, Cert: certs.ClientCert, Key: certs.ClientKey}
	}
	f, err := fleetsim.Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(f.Stop)
	s.URL = f.URL()
	conn := s.connect(tb)
	n := nodes{tb: tb, conn: conn, via: s.URL, asked: make(map[string]form)}
	sub, err := conn.Subscribe(wire.NodeSubject(collective, ">"), n.answer)
	if err != nil {
		tb.Fatal(err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		tb.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		tb.Fatal(err)
	}
	return s
}

// nodes answer rpcutil.ping. Only the handler of the subscription uses them.
type nodes struct {
	tb    testing.TB
	conn  *nats.Conn
	via   string
	asked map[string]form // by the bytes of the request
}

// form is the reply to one request, but for the sender.
type form struct {
	to                        string
	before, after             string // of the sender in the reply
	beforeQuoted, afterQuoted string // the same where it stands in a string
}

// maxForms is how many requests may be under way.
const maxForms = 128

func (n nodes) answer(m *nats.Msg) {
	f, ok := n.asked[string(m.Data)]
	if !ok {
		req, err := wire.DecodeRequest(m.Data, wire.Insecure{}) // that signatures are right is for other tests
		if err != nil || req.Agent != "rpcutil" {
			n.tb.Errorf("a request for %q: %v", req.Agent, err)
			return
		}
		f = newForm(req)
		if len(n.asked) == maxForms {
			clear(n.asked)
		}
		n.asked[string(m.Data)] = f
	}
	_ = n.conn.Publish(f.to, f.fill(strings.TrimPrefix(m.Subject, wire.NodeSubject(collective, "")), n.via)) // a client that waits in vain says so
}

func newForm(req wire.Request) form {
	now := time.Now().Unix()
	payload := fmt.Sprintf(`{"action":"ping","statuscode":0,"statusmsg":"OK","data":{"pong":%d}}`, now)
	f := form{
		to:     req.ReplyTo,
		before: fmt.Sprintf(`{"protocol":"choria:reply:1","message":%s,"envelope":{"requestid":%q,"senderid":"`, quoted(payload), req.ID),
		after:  fmt.Sprintf(`","agent":"rpcutil","time":%d}}`, now),
	}
	f.beforeQuoted, f.afterQuoted = strings.TrimSuffix(quoted(f.before), `"`), strings.TrimPrefix(quoted(f.after), `"`)
	return f
}

func quoted(s string) string {
	q, _ := json.Marshal(s) // never fails
	return string(q)
}

// fill writes the reply of one node as [wire.EncodeReply] does.
func (f form) fill(sender, via string) []byte {
	sum := sha256.Sum256([]byte(f.before + sender + f.after))
	secure := `{"protocol":"choria:secure:reply:1","message":` + f.beforeQuoted + sender + f.afterQuoted + `,"hash":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}`
	out := append(make([]byte, 0, 1024), `{"protocol":"choria:transport:1","data":"`...)
	out = base64.StdEncoding.AppendEncode(out, []byte(secure))
	out = append(out, `","headers":{"mc_sender":"`+sender+`","seen-by":[["`+via+`","`+sender+`","`+via+`"]]}}`...)
	return out
}

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("node%05d.example.net", i+1)
	}
	return names
}

func TestForm_isTheReplyThatANodeSends(t *testing.T) {
	t.Parallel()
	req := wire.Request{ID: strings.Repeat("a", 32), ReplyTo: "x"}
	got := newForm(req).fill("node00001.example.net", "nats://127.0.0.1:4222")
	r, err := wire.DecodeReply(got)
	if err != nil {
		t.Fatal(err)
	}
	r.Via = "nats://127.0.0.1:4222"
	want, err := wire.EncodeReply(r)
	if err != nil || string(got) != string(want) {
		t.Errorf("got  %s\nwant %s, %v", got, want, err)
	}
}

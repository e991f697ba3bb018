package choria_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/playbot/playbot/engine/choria"
)

// nameServer answers questions for SRV records over UDP on loopback, as a real name server does.
type nameServer struct {
	conn net.PacketConn

	mu      sync.Mutex // guards what follows
	records map[string][]net.SRV
	code    dnsmessage.RCode // of every answer; 0 is what the records say
	asked   []string
}

func startNameServer(t *testing.T, records map[string][]net.SRV) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, records: records}
	var wg sync.WaitGroup
	wg.Go(s.serve)
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return s
}

// resolver is Go's own, which asks this server and nobody else.
func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.conn.LocalAddr().String())
	}}
}

func (s *nameServer) set(name string, records ...net.SRV) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = map[string][]net.SRV{name: records}
}

func (s *nameServer) fail(code dnsmessage.RCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

// questions lists the names that were asked for, each once, in the order of the first time.
func (s *nameServer) questions() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(unique(s.asked), " ")
}

func unique(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, v := range list {
		if !seen[v] {
			out = append(out, v)
		}
		seen[v] = true
	}
	return out
}

func (s *nameServer) serve() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := s.answer(buf[:n]); reply != nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) answer(question []byte) []byte {
	var q dnsmessage.Message
	if q.Unpack(question) != nil || len(q.Questions) != 1 {
		return nil
	}
	name := q.Questions[0].Name
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name.String())
	records, known := s.records[strings.TrimSuffix(name.String(), ".")]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.ID, Response: true, Authoritative: true, RecursionAvailable: true, RCode: s.code},
		Questions: q.Questions,
	}
	if !known && s.code == dnsmessage.RCodeSuccess {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, r := range records {
		if s.code != dnsmessage.RCodeSuccess || q.Questions[0].Type != dnsmessage.TypeSRV {
			break
		}
		reply.Answers = append(reply.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 1},
			Body:   &dnsmessage.SRVResource{Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: dnsmessage.MustNewName(r.Target)},
		})
	}
	out, err := reply.Pack()
	if err != nil {
		return nil
	}
	return out
}

// turning is a resolver whose records change after the first look.
type turning struct {
	choria.Resolver

	once sync.Once
	turn func()
}

func (r *turning) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	defer r.once.Do(r.turn)
	return r.Resolver.LookupSRV(ctx, service, proto, name)
}

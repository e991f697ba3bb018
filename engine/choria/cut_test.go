package choria_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// cutter is the way to a broker whose first connection is cut at a message; later ones are whole.
type cutter struct {
	fleet *fleetsim.Fleet
	// The connection is cut before this message of requests or of replies, counted from 0, or in the
	// middle of it; -1 is never.
	request, reply int
	middle         bool
	once           sync.Once
}

// InProcessConn implements the dialer of [choria.Options].
func (c *cutter) InProcessConn() (net.Conn, error) {
	conn, err := c.fleet.InProcessConn()
	if err != nil {
		return nil, err
	}
	c.once.Do(func() {
		conn = &cutConn{
			Conn: conn, out: protocol{word: "PUB mcollective.node.", left: c.request, middle: c.middle}, in: protocol{word: "MSG mcollective.reply.", left: c.reply, middle: c.middle},
		}
	})
	return conn, err
}

type cutConn struct {
	net.Conn
	out, in protocol
	ended   bool // nothing more is read; for the reader alone
}

var errCut = errors.New("the network was cut")

func (c *cutConn) Write(p []byte) (int, error) {
	pass, whole := c.out.pass(p)
	n, err := c.Conn.Write(p[:pass])
	if err == nil && !whole {
		err = c.Close()
		return n, errors.Join(errCut, err)
	}
	return n, err
}

func (c *cutConn) Read(p []byte) (int, error) {
	if c.ended {
		return 0, errCut
	}
	n, err := c.Conn.Read(p)
	pass, whole := c.in.pass(p[:n])
	if !whole { // what came before the cut is read, as from a socket
		c.ended = true
		return pass, c.Close()
	}
	return n, err
}

// protocol reads a stream of NATS messages and finds the place to cut it.
type protocol struct {
	word    string // how the lines of the messages that count begin
	left    int    // messages that pass; -1: all
	middle  bool
	line    []byte // of which the end has not come
	payload int    // bytes of a payload that are still to come
	cut     int    // bytes of that payload after which to cut; 0: no cut in it
}

// pass returns how many of the bytes pass, and whether they all do.
func (s *protocol) pass(p []byte) (int, bool) {
	for i := 0; i < len(p); {
		if s.payload > 0 {
			n := min(s.payload, len(p)-i)
			if s.cut > 0 && n >= s.cut {
				return i + s.cut, false
			}
			if s.cut > 0 {
				s.cut -= n
			}
			s.payload -= n
			i += n
			continue
		}
		end := bytes.IndexByte(p[i:], '\n')
		if end < 0 {
			s.line = append(s.line, p[i:]...)
			return len(p), true
		}
		s.line = append(s.line, p[i:i+end+1]...)
		begin := i
		i += end + 1
		words := strings.Fields(string(s.line))
		if len(words) > 2 && (words[0] == "PUB" || words[0] == "MSG") {
			size, _ := strconv.Atoi(words[len(words)-1])
			s.payload = size + 2
			if strings.HasPrefix(string(s.line), s.word) {
				if s.left == 0 && !s.middle {
					return begin, false
				}
				if s.left == 0 {
					s.cut = size / 2
				}
				s.left--
			}
		}
		s.line = s.line[:0]
	}
	return len(p), true
}

// TestCall_cutAtEveryMessageOfABatch cuts the network before and within every request and every reply
// of the second of three batches: who answered keeps the result, the others are unknown, and
// nobody is asked twice, also not when the connection is back.
func TestCall_cutAtEveryMessageOfABatch(t *testing.T) {
	t.Parallel()
	const batch = 3
	var calls []func()
	for at := range batch + 1 {
		for _, middle := range []bool{false, true} {
			calls = append(calls, cutOnce(t, fmt.Sprintf("request %d, middle %t: ", at, middle), batch, &cutter{request: batch + at, reply: -1, middle: middle}))
			calls = append(calls, cutOnce(t, fmt.Sprintf("reply %d, middle %t: ", at, middle), batch, &cutter{request: -1, reply: batch + at, middle: middle}))
		}
	}
	together(calls)
}

// together runs all at the same time: each waits for a new connection.
func together(calls []func()) {
	var wg sync.WaitGroup
	for _, call := range calls {
		wg.Go(call)
	}
	wg.Wait()
}

// cutOnce prepares a cut and returns the call that suffers it.
func cutOnce(t *testing.T, name string, batch int, way *cutter) func() {
	t.Helper()
	f := start(t, fleetsim.Options{Nodes: fleetsim.Plain(3 * batch)})
	way.fleet = f
	c := connect(t, choria.Options{InProcess: way, Insecure: true, Timeout: time.Minute})
	return func() { cutCall(t, name, batch, way, c) }
}

func cutCall(t *testing.T, name string, batch int, way *cutter, c *choria.Client) {
	t.Helper()
	f := way.fleet
	var nodes []string
	for _, n := range f.Nodes() {
		nodes = append(nodes, n.Name)
	}
	var heardFirst []string
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "puppet", Action: "disable", Nodes: nodes, BatchSize: batch, Timeout: 5 * time.Second,
		OnReply: func(r choria.Reply) { heardFirst = append(heardFirst, r.Sender) },
	})
	q := ping(nodes...) // over the new connection, behind whatever was left to send
	q.Timeout = time.Minute
	again, errAgain := c.Call(t.Context(), q)
	if errAgain != nil || len(again.Replies) != len(nodes) {
		t.Errorf(name+"afterwards: %v, %s", errAgain, account(again))
	}
	got := classes(res)
	if len(got) != len(nodes) || len(res.Replies) != len(heardFirst) || len(res.Silent) > 0 {
		t.Errorf(name+"%v, %s: want each of %d nodes in one list, the %d that answered, and none silent", err, account(res), len(nodes), len(heardFirst))
	}
	for _, n := range nodes {
		asked := f.Count(n, "puppet.disable")
		switch class := got[n]; {
		case asked > 1:
			t.Errorf(name+"%s was asked %d times", n, asked)
		case class == "ok" && asked != 1, class == "failed", class == "unasked" && asked > 0:
			t.Errorf(name+"%s is %s and was asked %d times", n, class, asked)
		}
	}
	first := slices.DeleteFunc(slices.Clone(nodes[:batch]), func(n string) bool { return got[n] == "ok" })
	if len(first) > 0 {
		t.Errorf(name+"of the first batch, which was over, %v are not ok", first)
	}
	inSecond := way.request < 2*batch && way.reply < 2*batch
	for i, n := range nodes[batch : 2*batch] {
		lost := way.reply >= 0 && inSecond && i >= way.reply-batch
		kept := way.reply >= 0 && !lost || !inSecond
		unsent := way.request >= 0 && inSecond && i >= way.request-batch
		switch {
		case lost && got[n] != "unknown":
			t.Errorf(name+"%s, whose reply was lost, is %s", n, got[n])
		case kept && got[n] != "ok":
			t.Errorf(name+"%s, which answered, is %s", n, got[n])
		case unsent && (f.Count(n, "puppet.disable") != 0 || got[n] == "ok"):
			t.Errorf(name+"%s, before whose request the network was cut, was asked %d times and is %s", n, f.Count(n, "puppet.disable"), got[n])
		}
	}
	if inSecond && err == nil && len(res.Unasked) > 0 {
		t.Errorf(name+"%s: without an error nobody is left out", account(res))
	}
}

// TestCall_brokerRestartedAtEveryReply kills the broker when a reply of the batch has come, and starts it again.
func TestCall_brokerRestartedAtEveryReply(t *testing.T) {
	t.Parallel()
	const size = 4
	var calls []func()
	for at := range size {
		f := start(t, fleetsim.Options{Nodes: fleetsim.Plain(2 * size), Listen: true})
		c := connect(t, choria.Options{Servers: []string{f.URL()}, Insecure: true, Timeout: time.Minute})
		calls = append(calls, func() { restartAt(t, size, at, f, c) })
	}
	together(calls)
}

func restartAt(t *testing.T, size, at int, f *fleetsim.Fleet, c *choria.Client) {
	t.Helper()
	var nodes []string
	for _, n := range f.Nodes() {
		nodes = append(nodes, n.Name)
	}
	for _, n := range nodes[at+1 : size] { // these answer when the broker is gone, or when it is back
		f.Fault(fleetsim.Fault{Node: n, Kind: fleetsim.Slow, Delay: 50 * time.Millisecond})
	}
	back, heard := make(chan error, 1), 0
	q := choria.Request{Agent: "puppet", Action: "disable", Nodes: nodes, BatchSize: size, Timeout: 5 * time.Second}
	q.OnReply = func(choria.Reply) {
		if heard++; heard == at+1 {
			away(f, c)
			go func() { back <- f.StartBroker() }()
		}
	}
	res, err := c.Call(t.Context(), q)
	if err := <-back; err != nil {
		t.Error(err)
	}
	got := classes(res)
	for i, n := range nodes {
		switch class := got[n]; {
		case class == "silent" || class == "failed" || class == "unasked":
			t.Errorf("reply %d: %s is %s", at+1, n, class)
		case class == "ok" && f.Count(n, "puppet.disable") != 1 || f.Count(n, "puppet.disable") > 1:
			t.Errorf("reply %d: %s is %s and was asked %d times", at+1, n, class, f.Count(n, "puppet.disable"))
		case i >= size && class != "ok":
			t.Errorf("reply %d: %s of the batch after the restart is %s", at+1, n, class)
		}
	}
	if err != nil || len(res.Replies) < size+at+1 || len(got) != len(nodes) {
		t.Errorf("reply %d: got %v, %s; want at least the %d that answered", at+1, err, account(res), size+at+1)
	}
}

func TestCall_cutWhileRequestsAreWrittenStillListensToThoseThatWereAsked(t *testing.T) {
	t.Parallel()
	f := start(t, fleetsim.Options{Nodes: fleetsim.Plain(200)})
	c := connect(t, choria.Options{InProcess: &cutter{fleet: f, request: 150, reply: -1}, Insecure: true, Timeout: time.Minute})
	var nodes []string
	for _, n := range f.Nodes() {
		nodes = append(nodes, n.Name)
	}
	f.Fault(fleetsim.Fault{Node: nodes[0], Kind: fleetsim.Slow, Delay: 3 * time.Second}) // answers over the next connection
	res, err := c.Call(t.Context(), choria.Request{Agent: "puppet", Action: "disable", Nodes: nodes, Timeout: 8 * time.Second})
	got := classes(res)
	if err == nil || errors.Is(err, choria.ErrNotSent) || got[nodes[0]] != "ok" || len(res.Silent) > 0 || len(res.Unasked) == 0 || len(got) != len(nodes) {
		t.Errorf("got %v, %s, %s is %s; want an error, its answer, and the others unknown or not asked", err, account(res), nodes[0], got[nodes[0]])
	}
	for i, n := range nodes {
		if count := f.Count(n, "puppet.disable"); count > 1 || count > 0 && (i >= 150 || got[n] == "unasked") {
			t.Errorf("%s is %s and was asked %d times", n, got[n], count)
		}
	}
}

package realfleettest

import (
	"errors"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Ordinary shows what servers see of a client that nobody has made privileged: itself, unless nothing
// is verified. It says so before anything is sent.
func Ordinary(t *testing.T, _ realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	const person, run = "slack=T1.UANA", "01M8BDETMKH5SQCC5GWQEY2SRB"
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: realfleet.Six()[:2]})
	c := Connect(t, f.Options())
	anybody := mode == realfleet.Insecure
	q := choria.Request{Agent: "rpcutil", Action: "ping", Nodes: []string{target}, Run: run, Key: "k", Caller: person}
	res, err := c.Call(t.Context(), q)
	switch {
	case c.Callers().Named != anybody:
		t.Errorf("it may name a person: %s; want %v", c.Callers(), anybody)
	case anybody && (err != nil || len(res.Replies) != 1):
		t.Errorf("as a person: %v, %+v; want a reply", err, res)
	case !anybody && !errors.Is(err, choria.ErrNotSent):
		t.Errorf("as a person: %v, %+v; want that nothing was sent", err, res)
	}
	own := "choria=" + f.Identity
	if got := c.Callers().Own; got != own {
		t.Errorf("it asks as %s, want %s", got, own)
	}
	q.Caller, q.Key = "", "l"
	if res, err := c.Call(t.Context(), q); err != nil || len(res.Replies) != 1 {
		t.Errorf("as itself: %v, %+v; want a reply", err, res)
	}
	want := own
	if anybody {
		want = person + " " + own
	}
	var callers []string
	for _, a := range f.Audit(t, target) {
		callers = append(callers, a.Caller)
		if !strings.HasPrefix(a.RequestID, strings.ToLower(run)) {
			t.Errorf("the server audits request %s, want one of run %s", a.RequestID, run)
		}
	}
	if got := strings.Join(callers, " "); got != want {
		t.Errorf("the server audits %s; want %s", got, want)
	}
}

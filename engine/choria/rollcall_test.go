package choria

import (
	"fmt"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// answeredBy is a roll call in which servers of these names have answered.
func answeredBy(names ...string) *rollCall {
	c := &Client{}
	r := &rollCall{client: c, id: "x", found: make(map[string]bool)}
	r.readers = c.readers(&inbox{replies: make(chan []byte)}, readSender)
	for _, n := range names {
		r.hear(reading{reply: wire.Reply{ID: "x", Sender: n}})
	}
	return r
}

func TestRollCall_takesNamesOfHostsOnly(t *testing.T) {
	t.Parallel()
	got, err := answeredBy("web1", strings.Repeat("x", 256), "a b", "", "web.*", strings.Repeat("y", 255)).end()
	if err != nil || len(got) != 2 || got[0] != "web1" {
		t.Errorf("got %.40q, %v", got, err)
	}
}

func TestRollCall_moreNamesThanThereCanBeServersAreAnError(t *testing.T) {
	t.Parallel()
	names := make([]string, maxFound+1)
	for i := range names {
		names[i] = fmt.Sprint("web", i)
	}
	if got, err := answeredBy(names[1:]...).end(); err != nil || len(got) != maxFound {
		t.Errorf("got %d, %v", len(got), err)
	}
	if got, err := answeredBy(names...).end(); err == nil || !strings.Contains(err.Error(), "does one of them invent names?") {
		t.Errorf("got %d, %v", len(got), err)
	}
}

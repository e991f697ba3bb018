package choria_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// TestCall_countsSignedRepliesInTheOrderOfArrival has all replies wait while the first is looked at, so that the
// others are read side by side.
func TestCall_countsSignedRepliesInTheOrderOfArrival(t *testing.T) {
	t.Parallel()
	const total = 300
	is := issuer(t)
	token, seed := tokenFor(t, is, fleetsim.May{Ask: true})
	synctest.Test(t, func(t *testing.T) {
		f := start(t, fleetsim.Options{Nodes: fleetsim.Plain(total), Tokens: is})
		c := connect(t, choria.Options{InProcess: f, Token: token, Seed: seed, Issuers: is.Issuers()})
		kinds := []fleetsim.Kind{fleetsim.Forged, fleetsim.Unsigned, fleetsim.Foreign, fleetsim.Malformed, fleetsim.Duplicate}
		var nodes, want []string
		for i, n := range f.Nodes() {
			nodes = append(nodes, n.Name)
			if kind := kinds[i%len(kinds)]; i%10 < len(kinds) && i > 0 && i < total-len(kinds) {
				f.Fault(fleetsim.Fault{Node: n.Name, Action: "rpcutil.ping", Kind: kind})
				if kind != fleetsim.Duplicate {
					continue
				}
			}
			want = append(want, n.Name)
		}
		var got []string
		q := ping(nodes...)
		q.OnReply = func(r choria.Reply) {
			if len(got) == 0 {
				synctest.Wait() // until all others have come
			}
			got = append(got, r.Sender)
		}
		res, err := c.Call(t.Context(), q)
		const bad = 30 // of each kind; the first node is none of them
		counts := fmt.Sprintf("ok %d failed 0 silent %d unasked 0 stranger 0 duplicate %d malformed %d untrusted %d", total-4*bad+1, 4*bad-1, bad, bad, 3*bad-1)
		if err != nil || account(res) != counts {
			t.Errorf("got %v, %s; want %s", err, account(res), counts)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got the replies in the order %v\nwant %v", got, want)
		}
	})
}

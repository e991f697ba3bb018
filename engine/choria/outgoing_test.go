package choria

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// TestOutgoing_whoMayHaveBeenAskedWhenTheNetworkGoes lets the network refuse one of the messages to three clusters:
// once a message has left, or may have, the nodes in it may have been asked.
func TestOutgoing_whoMayHaveBeenAskedWhenTheNetworkGoes(t *testing.T) {
	t.Parallel()
	written := errors.New("write: broken pipe")
	for name, row := range map[string]struct {
		clusters []string
		fail     int // the message that fails, counted from 0
		err      error
		left     bool
	}{
		"directly, refused":                   {nil, 0, nats.ErrReconnectBufExceeded, false},
		"directly, perhaps written":           {nil, 0, written, true},
		"first cluster, refused":              {[]string{"a", "b", "c"}, 0, nats.ErrConnectionClosed, false},
		"first cluster, perhaps written":      {[]string{"a", "b", "c"}, 0, written, true},
		"second cluster, refused":             {[]string{"a", "b", "c"}, 1, nats.ErrConnectionClosed, true},
		"third cluster, perhaps written":      {[]string{"a", "b", "c"}, 2, written, true},
		"no cluster fails":                    {[]string{"a", "b", "c"}, 9, nil, true},
		"directly, and nothing is the matter": {nil, 9, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := 0
			o := outgoing{collective: "mcollective", clusters: row.clusters, sealed: sealed(t), send: func(string, []byte) error {
				sent++
				if sent == row.fail+1 {
					return row.err
				}
				return nil
			}}
			left, err := o.toNodes([]string{"web1.example.net"})
			if left != row.left || !errors.Is(err, row.err) {
				t.Errorf("left is %t, %v; want %t, %v", left, err, row.left, row.err)
			}
			if want := min(row.fail+1, max(1, len(row.clusters))); sent != want {
				t.Errorf("%d messages were sent, want %d: none after one that failed", sent, want)
			}
		})
	}
}

func sealed(t *testing.T) wire.Sealed {
	t.Helper()
	id, err := requestID("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := wire.Seal(t.Context(), wire.V1, wire.Request{ID: id}, wire.Signed{Signer: wire.Insecure{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

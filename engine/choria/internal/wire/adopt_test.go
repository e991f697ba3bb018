package wire_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

func TestAdopt_takesBackNoOtherRequest(t *testing.T) {
	t.Parallel()
	k := newTrusting()
	asked := request()
	other := request()
	other.Agent = "puppet"
	named := request()
	named.Caller = "choria=authority"
	for _, v := range []wire.Version{wire.V1, wire.V2} {
		catch := &catcher{}
		if _, err := wire.Encode(t.Context(), v, asked, catch); !errors.Is(err, errCaught) {
			t.Fatal(err)
		}
		for name, row := range map[string]struct {
			request wire.Request
			refused bool
		}{"as asked": {asked, false}, "in the authority's name": {named, false}, "another agent": {other, true}} {
			_, err := wire.Adopt(v, sealed(t, v, row.request, k), catch.request, "ours")
			if (err != nil) != row.refused {
				t.Errorf("version %d, %s: got %v", v+1, name, err)
			}
		}
		if _, err := wire.Adopt(v, []byte("{}"), catch.request, "ours"); err == nil {
			t.Errorf("version %d: nothing was taken for a request", v+1)
		}
	}
}

var errCaught = errors.New("caught")

// catcher keeps the request that it is to seal.
type catcher struct{ request []byte }

func (c *catcher) Seal(_ context.Context, request []byte, _ string) ([]byte, error) {
	c.request = request
	return nil, errCaught
}

// sealed is what an authority answers.
func sealed(t *testing.T, v wire.Version, r wire.Request, k trusting) []byte {
	t.Helper()
	catch := &catcher{}
	if _, err := wire.Encode(t.Context(), v, r, catch); !errors.Is(err, errCaught) {
		t.Fatal(err)
	}
	if v == wire.V1 {
		out, err := wire.Signed{Signer: wire.Insecure{}}.Seal(t.Context(), catch.request, "")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	out, err := json.Marshal(map[string]any{
		"protocol": "io.choria.protocol.v2.secure_request", "request": catch.request, "signature": ed25519.Sign(k.key, catch.request), "caller": "authority", "signer": "authority",
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

package realfleettest

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/internal/wire"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// AAA has a service sign the requests of a client that may not ask by itself, with certificates or with
// tokens, and looks what real servers make of them.
func AAA(t *testing.T, mode realfleet.Mode) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Mode: mode, Nodes: realfleet.Six()[:2]})
	s := &side{options: f.Options(), certificate: f.Issue, token: f.Token}
	o := f.Options()
	caller := "choria=" + f.Identity
	issue, by := f.Token, "ward of authority"
	if mode == realfleet.File { // the service believes tokens, the servers believe its certificate
		tokens, err := fleetsim.NewTokens(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		issue, by = tokens.Client, "privileged"
	}
	token, seed, err := issue(caller, fleetsim.May{AskSigned: true})
	if err != nil {
		t.Fatal(err)
	}
	o.Seed, o.Signer = seed, &choria.SignerOptions{Token: token}
	if mode == realfleet.JWT {
		o.Token = token
	}
	o.Signer.URL, o.Signer.CA = signingService(t, s.sealer(t, by).sealer)
	res, err := Connect(t, o).Call(t.Context(), choria.Request{Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "abc"}, Nodes: []string{target}})
	if err != nil || len(res.Replies) != 1 || !res.Replies[0].OK() {
		t.Fatalf("got %v, %+v; want one good reply", err, res)
	}
	if got := f.Revision(target); got != "abc" {
		t.Errorf("%s runs %s, want abc", target, got)
	}
	if log := f.Audit(t, target); len(log) != 1 || log[0].Caller != caller {
		t.Errorf("the server audits %+v; want one request by %s", log, caller)
	}
}

// signingService signs whatever it is shown. It returns its address, and the path of its CA.
func signingService(t *testing.T, sealer wire.Sealer) (url, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Request []byte `json:"request"`
		}
		var answer struct {
			Secure []byte `json:"secure_request"`
		}
		err := json.NewDecoder(r.Body).Decode(&asked)
		if err == nil {
			answer.Secure, err = sealer.Seal(r.Context(), asked.Request, "")
		}
		if err == nil {
			err = json.NewEncoder(w).Encode(answer)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "aaa.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, ca
}

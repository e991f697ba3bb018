package puppetdb_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

// answer starts a server that says the same to every query, and a client for it.
func answer(t *testing.T, status int, body string) (url string, c *puppetdb.Client) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://elsewhere.example.net/")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, connect(t, puppetdb.Options{URL: srv.URL + "/"})
}

func TestQuery_namesTheAddressAndTheRemedyWhenRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"bad query":      {400, "PQL parse error at line 1", []string{"400 Bad Request", "PQL parse error at line 1", "correct the query"}},
		"not allowed":    {403, "Permission denied", []string{"Permission denied", "puppetdb.cert"}},
		"starting":       {503, "starting up", []string{"503", "starting up", "wait until it has started"}},
		"another server": {404, "<h1>Not here</h1>", []string{"404", "is puppetdb.url right?"}},
		"sent elsewhere": {302, "", []string{"302", "is puppetdb.url right?"}}, // not followed: a query may be of use to others
		"long complaint": {500, strings.Repeat("ä", 1000), []string{"ää…;"}},
		"no list":        {200, `{"error":"no"}`, []string{"is not a list of rows: it has a JSON object; is puppetdb.url right?"}},
		"no JSON":        {200, "<html>", []string{"is not a list of rows"}},
		"answer cut off": {200, `[{"certname":"a"}`, []string{"is not a list of rows"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, c := answer(t, row.status, row.body)
			_, err := c.Query(t.Context(), "nodes{}")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(row.want, url) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			if len(err.Error()) > 600 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestQuery_refusesAnAnswerThatIsTooLong(t *testing.T) {
	t.Parallel()
	_, c := answer(t, 200, "["+strings.Repeat(" ", 64<<20)+"]")
	if _, err := c.Query(t.Context(), "nodes{}"); err == nil || !strings.Contains(err.Error(), "select fewer fields or nodes") {
		t.Errorf("got %v", err)
	}
}

func TestCertnames_refusesRowsWithoutThem(t *testing.T) {
	t.Parallel()
	_, c := client(t, inventory())
	got, err := c.Certnames(t.Context(), `facts[name] { name = "tier" }`)
	if err == nil || !strings.Contains(err.Error(), "begin it as in nodes[certname]") || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestCertnames_dropsDeactivatedAndExpiredNodesAndRepetitions(t *testing.T) {
	t.Parallel()
	_, c := answer(t, 200, `[
		{"certname":"b","deactivated":null,"expired":null}, {"certname":"a"}, {"certname":"b"}, {"certname":""}, {"certname":7}, {"certname":"c","deactivated":false},
		{"certname":"gone","deactivated":"2026-01-01T00:00:00.000Z"}, {"certname":"old","expired":"2026-01-01T00:00:00.000Z"}, {"certname":"off","deactivated":true}
	]`)
	got, err := c.Certnames(t.Context(), "nodes{}")
	if want := "[b a c]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v; want %s", got, err, want)
	}
}

func TestPing_tellsWhetherTheServerIsUp(t *testing.T) {
	t.Parallel()
	_, up := client(t, inventory())
	if err := up.Ping(t.Context()); err != nil {
		t.Errorf("a server that is up: %v", err)
	}
	url, starting := answer(t, 200, "starting")
	if err := starting.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), url) || !strings.Contains(err.Error(), `"starting"`) {
		t.Errorf("a server that is starting: %v", err)
	}
}

func TestQuery_saysWhatToLookAtWhenNothingListens(t *testing.T) {
	t.Parallel()
	c := connect(t, puppetdb.Options{URL: "http://127.0.0.1:1"})
	_, err := c.Query(t.Context(), "nodes{}")
	for _, want := range []string{"http://127.0.0.1:1", "connection refused", "is it running, and is puppetdb.url right?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestQuery_endsWithItsContextAndItsTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := connect(t, puppetdb.Options{URL: srv.URL}).Query(ctx, "nodes{}"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	_, err := connect(t, puppetdb.Options{URL: srv.URL, Timeout: time.Millisecond}).Query(t.Context(), "nodes{}")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), srv.URL) {
		t.Errorf("timed out: got %v", err)
	}
}

func TestNew_refusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t)
	cert, key := ca.issue(t, "bot")
	const url = "https://puppetdb.example.net:8081"
	for name, row := range map[string]struct {
		options puppetdb.Options
		want    string
	}{
		"no address":     {puppetdb.Options{}, "write it as in https://"},
		"no scheme":      {puppetdb.Options{URL: "puppetdb:8081"}, "write it as in https://"},
		"another scheme": {puppetdb.Options{URL: "ftp://x"}, "write it as in https://"},
		"no host":        {puppetdb.Options{URL: "https://"}, "write it as in https://"},
		"CA alone":       {puppetdb.Options{URL: url, CA: ca.path}, "set all of puppetdb.ca, cert and key, or none"},
		"no CA":          {puppetdb.Options{URL: url, Cert: cert, Key: key}, "set all of puppetdb.ca, cert and key, or none"},
		"missing file":   {puppetdb.Options{URL: url, CA: ca.path, Cert: junk + ".gone", Key: key}, "junk.pem.gone"},
		"missing CA":     {puppetdb.Options{URL: url, CA: junk + ".gone", Cert: cert, Key: key}, "CA: open"},
		"CA is no PEM":   {puppetdb.Options{URL: url, CA: junk, Cert: cert, Key: key}, "holds no certificate in PEM form"},
		"cert is no PEM": {puppetdb.Options{URL: url, CA: ca.path, Cert: junk, Key: key}, "junk.pem"},
	} {
		if _, err := puppetdb.New(row.options); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}

// authority is a certificate authority for one test.
type authority struct {
	dir, path string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.path, _ = a.issue(t, "CA")
	return a
}

// issue writes a certificate and its key; the first is the authority's own.
func (a *authority) issue(t *testing.T, name string) (certPath, keyPath string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: a.cert == nil,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert == nil {
		a.key = key
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPath, keyPath = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	for path, block := range map[string]*pem.Block{certPath: {Type: "CERTIFICATE", Bytes: der}, keyPath: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certPath, keyPath
}

func TestTLS_showsTheClientsCertificateAndChecksTheServers(t *testing.T) {
	t.Parallel()
	ca, foreign := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t, "server")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	sim := pdbsim.New(inventory())
	callers := make(chan string, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		callers <- r.TLS.PeerCertificates[0].Subject.CommonName
		sim.ServeHTTP(w, r)
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // it complains of the clients that it refuses
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}
	srv.StartTLS()
	t.Cleanup(srv.Close)

	bot, botKey := ca.issue(t, "bot")
	other, otherKey := foreign.issue(t, "bot")
	names, err := connect(t, puppetdb.Options{URL: srv.URL, CA: ca.path, Cert: bot, Key: botKey}).Certnames(t.Context(), `nodes{ certname = "lb1" }`)
	if err != nil || fmt.Sprint(names) != "[lb1]" {
		t.Fatalf("got %v, %v; want lb1", names, err)
	}
	if caller := <-callers; caller != "bot" {
		t.Errorf("the server saw %q, want bot", caller)
	}
	for name, o := range map[string]puppetdb.Options{
		"the server refuses us": {CA: ca.path, Cert: other, Key: otherKey},
		"we refuse the server":  {CA: foreign.path, Cert: bot, Key: botKey},
		"without a certificate": {},
	} {
		o.URL = srv.URL
		_, err := connect(t, o).Query(t.Context(), "nodes{}")
		if err == nil || !strings.Contains(err.Error(), srv.URL) || !strings.Contains(err.Error(), "compare puppetdb.ca, cert and key with what the server trusts") {
			t.Errorf("%s: got %v, want the address and what to compare", name, err)
		}
	}
}

func TestVersion_isWhatTheServerTells(t *testing.T) {
	t.Parallel()
	_, up := client(t, nil)
	if v, err := up.Version(t.Context()); err != nil || v != "8.8.1" {
		t.Errorf("got %q, %v", v, err)
	}
	for body, want := range map[string]string{`{}`: "does not tell", `<html>`: "is puppetdb.url right?"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
		t.Cleanup(srv.Close)
		if v, err := connect(t, puppetdb.Options{URL: srv.URL}).Version(t.Context()); err == nil || v != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v; want %q", body, v, err, want)
		}
	}
}

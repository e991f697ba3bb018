package choria

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// SignerOptions say which AAA service signs requests in our place. It decides who may ask for what, and names the
// caller: the one of the token that it is shown.
type SignerOptions struct {
	URL   string // https://…/choria/v1/sign
	Token string // file of the token that the service is shown; default [Options.Token]. Its key is [Options.Seed]
	CA    string // file of the CA of the service's certificate; default the system's
}

func (s *SignerOptions) check(o Options) []error {
	var problems []error
	if u, err := url.Parse(s.URL); err != nil || u.Scheme != "https" || u.Hostname() == "" {
		problems = append(problems, fmt.Errorf("nats.signer.url: %q is no address of an AAA service; write it as https://HOST:PORT/choria/v1/sign", s.URL))
	}
	if s.Token == "" && o.Token == "" {
		problems = append(problems, errors.New("nats.signer.token is missing: name the file of the token that the AAA service knows"))
	}
	if o.Seed == "" {
		problems = append(problems, errors.New("nats.seed is missing: the AAA service wants requests signed with the key of the token"))
	}
	if o.Token == "" && o.PuppetSSL == "" && o.CA == "" {
		problems = append(problems, errors.New("nats.ca is missing: name the CA that the broker's certificate comes from"))
	}
	return problems
}

// signedFile is version 1 with an AAA service. A certificate is needed for the connection only; without one the
// token is shown to the broker.
func (o Options) signedFile() (security, error) {
	held, err := holdToken(o.Signer.Token, o.Seed)
	if err != nil {
		return security{}, err
	}
	s := security{secret: held.secret()}
	if err := o.remote(&s, held); err != nil {
		return security{}, err
	}
	if o.Cert == "" {
		s.options, err = o.tokenOptions(held)
		return s, err
	}
	pair, err := o.pair()
	if err != nil {
		return security{}, err
	}
	cfg, err := o.tls(pair)
	s.options = []nats.Option{nats.Secure(cfg)}
	return s, err
}

// remote lets the AAA service sign. held is the token that requests carry in version 2.
func (o Options) remote(s *security, held *heldToken) error {
	shown := held
	if o.Signer.Token != "" && o.Signer.Token != o.Token {
		var err error
		if shown, err = holdToken(o.Signer.Token, o.Seed); err != nil {
			return err
		}
	}
	if asks, listens := shown.claims.Caller, held.claims.Caller; asks != listens {
		// The broker lets a token listen to the replies to its own caller only: every node would look silent.
		return fmt.Errorf("nats.signer.token is that of %q and nats.token that of %q, so no reply would reach playbot; have both issued for one caller, or remove nats.signer.token", asks, listens)
	}
	service := o
	service.CA = o.Signer.CA
	cfg, err := service.tls()
	if err != nil {
		return err
	}
	client := &http.Client{
		Timeout:   signTimeout,
		Transport: &http.Transport{TLSClientConfig: cfg, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("the AAA service sends us elsewhere, which nobody has configured")
		},
	}
	own := shown.claims.Caller
	s.sealer, s.end = &remoteSealer{url: o.Signer.URL, client: client, shown: shown, held: held, version: s.version}, client.CloseIdleConnections
	s.callers = Callers{Own: own, Why: fmt.Sprintf("an AAA service signs, and names the caller of its token, %s, in every request", own)}
	return nil
}

// remoteSealer has requests signed by an AAA service.
type remoteSealer struct {
	url     string
	client  *http.Client
	shown   *heldToken // to the service
	held    *heldToken // that requests carry
	version wire.Version
}

const (
	signTimeout = 10 * time.Second
	// maxSigned is the largest answer that is read: a request, a certificate or two tokens, in base64 twice.
	maxSigned = 8 << 20
)

type signRequest struct {
	Token     string `json:"token"`
	Request   []byte `json:"request"`
	Signature string `json:"signature"`
}

type signReply struct {
	Secure []byte `json:"secure_request"`
	Error  string `json:"error"`
	Detail string `json:"detail"`
}

// Seal implements [wire.Sealer].
func (r *remoteSealer) Seal(ctx context.Context, request []byte, _ string) ([]byte, error) {
	raw, key, _, err := r.shown.current()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(signRequest{Token: raw, Request: request, Signature: hex.EncodeToString(ed25519.Sign(key, request))})
	if err != nil {
		return nil, err
	}
	answer, err := r.post(ctx, body)
	if err != nil {
		return nil, fmt.Errorf("the AAA service at %s: %w; does it run, and is nats.signer.url its address?", r.url, err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("the AAA service refuses: %s %s; ask those who run it whether the token may do this", answer.Error, answer.Detail)
	}
	carried, err := r.held.showOrFail()
	if err != nil {
		return nil, err
	}
	secure, err := wire.Adopt(r.version, answer.Secure, request, carried)
	if err != nil {
		return nil, fmt.Errorf("the AAA service at %s: %w", r.url, err)
	}
	return secure, nil
}

func (r *remoteSealer) post(ctx context.Context, body []byte) (signReply, error) {
	var answer signReply
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return answer, err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxSigned))
	if err != nil {
		return answer, err
	}
	if res.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("it answered %s", res.Status)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("its answer is not that of such a service: %w", err)
	}
	return answer, nil
}

package ratio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/choria-io/go-choria/config"
	"github.com/choria-io/go-choria/protocol"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/client"
	"github.com/choria-io/go-choria/providers/agent/mcorpc/ddl/agent"
	"github.com/nats-io/nats.go"
	"github.com/sirupsen/logrus"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// caller asks nodes for rpcutil.ping and returns how many have answered. Safe for concurrent use.
type caller interface {
	call(ctx context.Context, nodes []string) (int, error)
}

func newCaller(ctx context.Context, kind string, s site) (caller, error) {
	switch kind {
	case "ours":
		return newOurs(ctx, s)
	case "library":
		return newLibrary(ctx, s)
	case "bare":
		return newBare(s)
	}
	return nil, fmt.Errorf("there is no client %q", kind)
}

// patience bounds one call.
const patience = time.Minute

type ours struct{ client *choria.Client }

func newOurs(ctx context.Context, s site) (ours, error) {
	o := choria.Options{Servers: []string{s.URL}, Identity: identity, CA: s.CA, Cert: s.Cert, Key: s.Key, Insecure: !s.secure(), Timeout: patience}
	c, err := choria.Connect(ctx, o)
	return ours{c}, err
}

func (o ours) call(ctx context.Context, nodes []string) (int, error) {
	res, err := o.client.Call(ctx, choria.Request{Agent: "rpcutil", Action: "ping", Nodes: nodes})
	return len(res.Replies), err
}

// library is go-choria's client library. It makes its connections anew for each call and knows no other way, short
// of sending in batches.
type library struct {
	fw  *gochoria.Framework
	ddl *agent.DDL
}

func newLibrary(ctx context.Context, s site) (library, error) {
	dir, err := os.MkdirTemp("", "ratio")
	if err != nil {
		return library{}, err
	}
	defer os.RemoveAll(dir)
	settings := map[string]string{
		"identity": identity, "collectives": collective, "main_collective": collective, "plugin.choria.use_srv": "false",
		"plugin.choria.middleware_hosts": s.URL, "plugin.security.provider": "file",
		"plugin.security.file.ca": s.CA, "plugin.security.file.certificate": s.Cert, "plugin.security.file.key": s.Key,
	}
	var text strings.Builder
	for k, v := range settings {
		fmt.Fprintf(&text, "%s = %s\n", k, v)
	}
	path := filepath.Join(dir, "client.conf")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return library{}, err
	}
	cfg, err := config.NewSystemConfig(path, true)
	if err != nil {
		return library{}, err
	}
	cfg.CustomLogger = logrus.New()
	cfg.CustomLogger.SetOutput(io.Discard)
	cfg.OverrideCertname = identity
	if !s.secure() {
		protocol.Secure, cfg.DisableTLS = "false", true // the first is for the whole process
	}
	fw, err := gochoria.NewWithConfig(cfg)
	if err != nil {
		return library{}, err
	}
	rpc, err := client.New(fw, "rpcutil")
	if err != nil {
		return library{}, err
	}
	return library{fw: fw, ddl: rpc.DDL()}, rpc.ResolveDDL(ctx)
}

func (l library) call(ctx context.Context, nodes []string) (int, error) {
	rpc, err := client.New(l.fw, "rpcutil", client.DDL(l.ddl))
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	replies := make([]*client.RPCReply, 0, len(nodes)) // kept, as our client keeps them
	res, err := rpc.Do(ctx, "ping", struct{}{}, client.Targets(nodes), client.Timeout(patience), client.ReplyHandler(
		func(_ protocol.Reply, r *client.RPCReply) {
			mu.Lock()
			defer mu.Unlock()
			replies = append(replies, r)
		},
	))
	if err != nil {
		return 0, err
	}
	return res.Stats().ResponsesCount(), nil
}

// bare sends and counts, and reads nothing.
type bare struct {
	conn    *nats.Conn
	request wire.Request
	sealer  wire.Sealer
	replies chan *nats.Msg
}

func newBare(s site) (bare, error) {
	b := bare{sealer: wire.Signed{Signer: wire.Insecure{}}, replies: make(chan *nats.Msg, 1<<16)}
	if s.secure() {
		signer, err := newSigner(s)
		if err != nil {
			return b, err
		}
		b.sealer = wire.Signed{Signer: signer}
	}
	id := strings.Repeat("b", 32)
	b.request = wire.Request{
		ID: id, Sender: identity, Caller: "choria=" + identity, Collective: collective, Agent: "rpcutil",
		Filter: wire.Filter{Agent: []string{"rpcutil"}}, Payload: `{"agent":"rpcutil","action":"ping","data":{}}`,
		ReplyTo: wire.ReplySubject(collective, "choria="+identity, id),
	}
	var err error
	if b.conn, err = s.dial(); err != nil {
		return b, err
	}
	_, err = b.conn.ChanSubscribe(b.request.ReplyTo, b.replies)
	return b, err
}

func (b bare) call(ctx context.Context, nodes []string) (int, error) {
	b.request.Time = time.Now()
	msg, err := wire.Encode(ctx, wire.V1, b.request, b.sealer)
	if err != nil {
		return 0, err
	}
	for _, n := range nodes {
		if err := b.conn.Publish(wire.NodeSubject(collective, n), msg); err != nil {
			return 0, err
		}
	}
	for n := range nodes {
		select {
		case <-b.replies:
		case <-ctx.Done():
			return n, errors.Join(context.Cause(ctx), b.conn.LastError())
		}
	}
	return len(nodes), nil
}

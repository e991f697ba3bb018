package fleetsim

import (
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// send sends a reply, in the way of the fault if there is one.
func (f *Fleet) send(n *nodeState, req wire.Request, payload string, fault *Fault) {
	good := wire.Reply{ID: req.ID, Sender: n.Name, Agent: req.Agent, Time: time.Now(), Payload: payload, Federation: req.Federation}
	if fault == nil {
		f.publish(n, req.ReplyTo, good)
		return
	}
	switch fault.Kind {
	case Silent, Fail: // a discovery has no other way to fail
	case Slow, Late:
		f.wg.Go(func() {
			select {
			case <-time.After(fault.Delay):
				f.publish(n, req.ReplyTo, good)
			case <-f.quit:
			}
		})
	case Duplicate:
		f.publish(n, req.ReplyTo, good)
		f.publish(n, req.ReplyTo, good)
	case Malformed:
		if err := f.conn.Publish(req.ReplyTo, []byte(`{"protocol":"choria:transport:1","data":"!!"}`)); err != nil {
			f.logger.Warn("reply cannot be sent", "node", n.Name, "error", err)
		}
	case Stranger:
		good.Sender = "stranger.example.net"
		f.publish(n, req.ReplyTo, good)
	case Unsigned, Forged, Foreign:
		f.publishAs(fault.Kind, n, req.ReplyTo, good)
	case WrongRequestID:
		good.ID = strings.Repeat("0", 32)
		f.publish(n, req.ReplyTo, good)
	case Huge:
		good.Payload = `{"statuscode":0,"statusmsg":"OK","data":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
		f.publish(n, req.ReplyTo, good)
	default:
		f.publish(n, req.ReplyTo, good)
	}
}

func (f *Fleet) publish(n *nodeState, subject string, r wire.Reply) { f.publishAs("", n, subject, r) }

// publishAs publishes a reply; with some kinds of fault it is signed wrongly. The caller holds the lock, or the
// reply is late.
func (f *Fleet) publishAs(kind Kind, n *nodeState, subject string, r wire.Reply) {
	r.Via = f.conn.ConnectedUrlRedacted()
	msg, err := f.encode(kind, n, r)
	if err == nil {
		err = f.conn.Publish(subject, msg)
	}
	if err != nil {
		f.logger.Warn("reply cannot be sent", "node", r.Sender, "error", err)
	}
}

func (f *Fleet) encode(kind Kind, n *nodeState, r wire.Reply) ([]byte, error) {
	if f.opts.Tokens == nil {
		return wire.EncodeReply(r)
	}
	signer, err := f.replySigner(kind, n)
	if err != nil {
		return nil, err
	}
	return wire.EncodeReply2(r, signer)
}

// replySigner is the node's token, which is made when it is first needed.
func (f *Fleet) replySigner(kind Kind, n *nodeState) (wire.ReplySigner, error) {
	n.tokenOnce.Do(func() { n.token, n.tokenErr = f.opts.Tokens.server(n.Name, f.opts.Collective) })
	if n.tokenErr != nil {
		return nil, n.tokenErr
	}
	if kind == Unsigned {
		return nil, nil //nolint:nilnil // nobody signs
	}
	if kind != Forged && kind != Foreign {
		return n.token, nil
	}
	issuer := f.opts.Tokens
	if kind == Foreign {
		var err error
		if issuer, err = NewTokens(""); err != nil {
			return nil, err
		}
	}
	other, err := issuer.server(n.Name, f.opts.Collective)
	if err == nil && kind == Forged {
		other.raw = n.token.raw
	}
	return other, err
}

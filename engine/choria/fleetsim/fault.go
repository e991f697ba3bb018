package fleetsim

import (
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Kind is a way to misbehave.
type Kind string

// The kinds. Fail and Silent leave the node's state as it was; the others act and then misbehave.
const (
	Silent         Kind = "silent"           // no reply, and nothing is done
	Fail           Kind = "fail"             // a reply with status code 1, and nothing is done
	Slow           Kind = "slow"             // the reply comes after Delay
	Late           Kind = "late"             // the same; by convention after the caller's time-out
	Duplicate      Kind = "duplicate"        // the reply comes twice
	Malformed      Kind = "malformed"        // the reply cannot be read
	Stranger       Kind = "stranger"         // the reply carries the name of a server that was not asked
	WrongRequestID Kind = "wrong_request_id" // the reply belongs to another request
	Huge           Kind = "huge"             // the reply has 5 MB
)

// Fault makes a node misbehave.
type Fault struct {
	Node    string // empty: every node
	Action  string // agent.action, or discovery; empty: every action, and discoveries work
	Kind    Kind
	Times   int           // how often; 0 means for ever
	Delay   time.Duration // of Slow and Late
	Message string        // of Fail
}

func (f *Fault) message() string {
	if f.Message != "" {
		return f.Message
	}
	return "simulated failure"
}

// Fault adds a fault.
func (f *Fleet) Fault(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
}

// ClearFaults takes every fault away.
func (f *Fleet) ClearFaults() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
}

// take returns the fault that applies to a call, and uses it up. The caller holds the lock.
func (f *Fleet) take(node, action string) *Fault {
	for i, fault := range f.faults {
		if fault.Node != "" && fault.Node != node || fault.Action != action && (fault.Action != "" || action == discovery) {
			continue
		}
		if fault.Times > 0 {
			fault.Times--
			if fault.Times == 0 {
				f.faults = append(f.faults[:i], f.faults[i+1:]...)
			}
		}
		c := *fault
		return &c
	}
	return nil
}

// send sends a reply, in the way of the fault if there is one.
func (f *Fleet) send(n *nodeState, req wire.Request, payload string, fault *Fault) {
	good := wire.Reply{ID: req.ID, Sender: n.Name, Agent: req.Agent, Time: time.Now(), Payload: payload}
	if fault == nil {
		f.publish(req.ReplyTo, good)
		return
	}
	switch fault.Kind {
	case Silent, Fail: // a discovery has no other way to fail
	case Slow, Late:
		f.wg.Go(func() {
			select {
			case <-time.After(fault.Delay):
				f.publish(req.ReplyTo, good)
			case <-f.quit:
			}
		})
	case Duplicate:
		f.publish(req.ReplyTo, good)
		f.publish(req.ReplyTo, good)
	case Malformed:
		if err := f.conn.Publish(req.ReplyTo, []byte(`{"protocol":"choria:transport:1","data":"!!"}`)); err != nil {
			f.logger.Warn("reply cannot be sent", "node", n.Name, "error", err)
		}
	case Stranger:
		good.Sender = "stranger.example.net"
		f.publish(req.ReplyTo, good)
	case WrongRequestID:
		good.ID = strings.Repeat("0", 32)
		f.publish(req.ReplyTo, good)
	case Huge:
		good.Payload = `{"statuscode":0,"statusmsg":"OK","data":{"x":"` + strings.Repeat("x", 5<<20) + `"}}`
		f.publish(req.ReplyTo, good)
	default:
		f.publish(req.ReplyTo, good)
	}
}

package fleetsim

import "time"

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
	// In version 2 only; in version 1, where replies are not signed, the reply is a good one.
	Unsigned Kind = "unsigned" // the reply is not signed
	Forged   Kind = "forged"   // the reply is signed with a key that is not the token's
	Foreign  Kind = "foreign"  // the reply comes with a token of another issuer
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

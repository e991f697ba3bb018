package playbooks

import "time"

// Playbook is a checked playbook. It is immutable: nobody changes what a pointer to one leads to.
type Playbook struct {
	Name        string
	Version     string
	Author      string
	Description string
	RunAs       string
	LogLevel    string
	Tags        []string
	Uses        []Use
	Inputs      []Input
	Approval    Approval // the default of every gate
	Timeout     Value    // of the run, its `always` list excepted; zero: none
	DataStores  []Part
	Locks       []Value // each renders to "store/key", or to a bare store name
	NodeSets    []NodeSet
	Leases      string // what a run does about nodes that another one has reserved: one of the constants
	Tasks       []Task
	Hooks       Hooks

	File     string    // where it was read from
	Digest   string    // SHA-256 of Source, hexadecimal
	Source   []byte    // the bytes of the file
	Warnings []Problem // what loads but should be changed
}

// What a run does about nodes that tasks of it may change, and another run has reserved.
const (
	LeasesWait = "wait" // the default: wait for them, as long as for a lock
	LeasesFail = "fail"
	LeasesNone = "none" // reserve none, and ask nobody
)

// Use is a range of versions that an agent must satisfy.
type Use struct {
	Agent string
	Range Value
}

// Hooks are the task lists around the main list.
type Hooks struct {
	PreBook, PreTask, PostTask, OnFail, OnSuccess, PostBook, Always []Task
}

// List returns the tasks of a list by its YAML name, "tasks" included; an unknown name gives nil.
func (p *Playbook) List(name string) []Task {
	switch name {
	case "tasks":
		return p.Tasks
	case "pre_book":
		return p.Hooks.PreBook
	case "pre_task":
		return p.Hooks.PreTask
	case "post_task":
		return p.Hooks.PostTask
	case "on_fail":
		return p.Hooks.OnFail
	case "on_success":
		return p.Hooks.OnSuccess
	case "post_book":
		return p.Hooks.PostBook
	case "always":
		return p.Hooks.Always
	}
	return nil
}

// Input returns the declared input of that name.
func (p *Playbook) Input(name string) (Input, bool) {
	for _, in := range p.Inputs {
		if in.Name == name {
			return in, true
		}
	}
	return Input{}, false
}

// Part is a typed part of a playbook: a data store.
type Part struct {
	Name       string
	Type       string
	Pos        Pos
	Properties Value // a mapping
}

// NodeSet is a named set of nodes.
type NodeSet struct {
	Part
	AtLeast   Value // zero: 1
	AtMost    Value // zero: no bound; more nodes are a failure
	Limit     Value // zero: no limit; of more nodes the first are kept
	EmptyOK   bool
	WhenEmpty Value // zero: the generated text
	Test      Value // zero: false
	Uses      []string
}

// Task is one entry of a task list.
type Task struct {
	Type        string
	Pos         Pos
	Description Value // zero: "<type> task"
	As          string
	When        *Expression // nil: always
	Tries       Value       // zero: 1
	TrySleep    Value       // zero: 10 s
	PreSleep    Value       // zero: none
	Timeout     Value       // zero: none
	FailOK      bool
	Destructive bool
	Idempotent  *bool    // nil: what the task type says
	Approval    Approval // of its gate; what it leaves open is the playbook's
	Locks       []Value  // held for this task only, written as those of the playbook
	Rolling     *Rolling // nil unless Type is "rolling"
	Properties  Value    // a mapping, the common keys taken out
}

// Rolling is what a task of type rolling does: its tasks, for one wave of nodes after the other.
type Rolling struct {
	Nodes       Value
	Waves       []Value // sizes: a number or a share of all nodes; the last one repeats
	MaxFailures Value   // zero: 0; a number or a share of all nodes, over all waves
	Tasks       []Task
}

// Approval is what a playbook asks of a gate. It only tightens what the policy asks; the zero
// Approval asks for nothing.
type Approval struct {
	From    []string      // roles of the policy, one of which an approver has
	Count   int           // distinct people; 0: the policy's
	Expires time.Duration // 0: the policy's
	Reason  string        // "on_deny", "always", or "" for the policy's
	Scope   string        // "step", "run", or ""
	// Escalate are roles of the policy that are asked too when most of the time is over, and whose yes counts then.
	Escalate []string
	// EachWave has a rolling task ask before each wave, for the nodes of that wave, in place of once for all.
	EachWave bool
	Pos      Pos
}

// Or fills what a leaves open from b.
func (a Approval) Or(b Approval) Approval {
	if a.From == nil {
		a.From = b.From
	}
	if a.Count == 0 {
		a.Count = b.Count
	}
	if a.Expires == 0 {
		a.Expires = b.Expires
	}
	if a.Reason == "" {
		a.Reason = b.Reason
	}
	if a.Scope == "" {
		a.Scope = b.Scope
	}
	if a.Escalate == nil {
		a.Escalate = b.Escalate
	}
	return a
}

// Pos is a place in a file; lines and columns count from one. The zero Pos is no place.
type Pos struct {
	Line, Column int
}

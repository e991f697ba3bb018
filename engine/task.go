package engine

import (
	"context"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// TaskType is a kind of task, under the name that playbooks use. It is a value in builtin's list.
type TaskType struct {
	Name    string
	Aliases []string
	Summary string // one line for help and documentation
	// Decode turns properties into a task. It is called with unrendered properties when a playbook
	// is checked and with rendered ones before every attempt; see [playbooks.Properties].
	Decode func(*playbooks.Properties) (Task, error)
	// Keys describes the properties, for the schema and the reference.
	Keys []playbooks.Key
	// Deprecated says what to use instead, for lint to tell; empty for a type that is not deprecated.
	Deprecated string
	// ShellText names the properties that hold text for a shell; see [playbooks.Value.Shell].
	ShellText []string
	// Conditions names the properties that are expressions about replies; see [playbooks.Condition].
	Conditions []string
}

// Task is a decoded task. It has no state of its own and may be run more than once.
type Task interface {
	// Effect says what a resume may do with an attempt that was cut off.
	Effect() Effect
	// Run carries the task out. A nil error is success. The result counts in both cases: it holds
	// what is known about each node. When ctx ends, Run returns within a second and leaves nothing
	// running behind.
	Run(ctx context.Context, c *Call) (Result, error)
}

// Targeted is a task that acts on nodes. The engine freezes, shows and compares these.
type Targeted interface {
	Targets() []string
}

// ActionNamed is a task whose type does several things; policy patterns such as "puppet.disable" match the name.
type ActionNamed interface {
	ActionName() string
}

// Result is what an attempt brought, with secrets already removed. It must survive JSON.
type Result struct {
	Message     string   `json:"message"`
	Data        any      `json:"data,omitempty"`
	OKNodes     []string `json:"ok_nodes,omitempty"`
	FailedNodes []string `json:"failed_nodes,omitempty"`
	SilentNodes []string `json:"silent_nodes,omitempty"`
	// UnaskedNodes are those that the attempt ended before.
	UnaskedNodes []string `json:"unasked_nodes,omitempty"`
	Child        RunID    `json:"child,omitempty"` // the run that a playbook task started
}

// Call is what a task, node source or data store may use of the run that calls it.
type Call struct {
	Run      RunInfo
	Path     Path
	Attempt  int
	Key      string    // idempotency key: equal when an attempt that was cut off goes again
	Started  time.Time // when the attempt was first started, also before a crash
	Describe string    // the rendered description
	// Note records a line of progress that a person may read. It may be called concurrently; beyond
	// [MaxNotes] lines the oldest are dropped and counted.
	Note func(line string)
	// Mask takes out of a text the secrets that nobody may read; nil when there are none. See [Call.Masked].
	Mask func(text string) string
	// Store returns a data store of the playbook.
	Store func(name string) (DataStore, error)
	// Child starts another playbook and waits for its end. Calling it again with the same Key joins the run that is there.
	Child func(ctx context.Context, name string, inputs map[string]any) (*Run, error)
	// Inputs resolves every input that this run has a value for, store-bound ones included.
	Inputs func(ctx context.Context) (map[string]any, error)

	progress func(Progress) // see [Call.Tell]; nil where nobody watches
}

// Masked is a text as people may read it, for tasks that show it in another place than their result and notes.
func (c *Call) Masked(text string) string {
	if c.Mask == nil {
		return text
	}
	return c.Mask(text)
}

// RunInfo is what a task may know about its run.
type RunInfo struct {
	ID        RunID
	Actor     Actor
	Approvers []Actor
	Playbook  PlaybookRef
	Requested time.Time
	Place     Place // the card; zero until it is announced
}

// MaxNotes is how many notes of one attempt are kept.
const MaxNotes = 200

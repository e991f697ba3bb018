package engine

import "time"

// RunRequested is the first event of every run.
type RunRequested struct {
	Key      string         `json:"key"` // asking twice with one key is asking once
	Actor    Actor          `json:"actor"`
	Origin   Origin         `json:"origin"`
	Playbook PlaybookRef    `json:"playbook"`
	Inputs   map[string]any `json:"inputs,omitempty"` // secrets masked
	// Secrets are the secret inputs that were given: a keyed digest by which each is known again. The key is not in the log.
	Secrets map[string]string `json:"secrets,omitempty"`
	Parent  *Parent           `json:"parent,omitempty"` // set for the run of a playbook task
	Rule    string            `json:"rule,omitempty"`   // of the policy, by which it is allowed
	// Broadcast is that the channel is told of the end also when the run succeeds.
	Broadcast bool `json:"broadcast,omitempty"`
}

// SecretsNeeded says that a restart has lost secrets of the run: it waits for somebody to give them again.
type SecretsNeeded struct {
	Names []string `json:"names"`
}

// SecretsGiven says that somebody gave secrets again, with the values that the run was started with.
type SecretsGiven struct {
	Actor Actor    `json:"actor"`
	Names []string `json:"names"`
}

// PlaybookRef names one version of a playbook.
type PlaybookRef struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest"`           // SHA-256 of the file, hexadecimal
	RunAs   string `json:"run_as,omitempty"` // the Choria caller id that it was written for; for the record alone
}

// Parent links a run to the playbook task that started it.
type Parent struct {
	Run   RunID    `json:"run"`
	Path  Path     `json:"path"`
	Depth int      `json:"depth"`           // 1 for the child of a run that a person started
	Locks []string `json:"locks,omitempty"` // held by an ancestor, so held for this run too
	Above []RunID  `json:"above,omitempty"` // the ancestors of Run, the topmost first: what is reserved for them is for this run too
}

// PlaybookKept holds the bytes of a version of a playbook, in a stream of its own, so that a run
// that resumes finds exactly what was started.
type PlaybookKept struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Digest string `json:"digest"`
	Source []byte `json:"source"`
}

// LocksRequested is the intent to take locks; from here on they must be released.
type LocksRequested struct {
	Locks []string `json:"locks"`
}

// LockAwaited says that another run holds one of the locks, and is waited for.
type LockAwaited struct {
	Lock   string `json:"lock"`
	Holder Holder `json:"holder"`
}

// LocksTaken says that every requested lock is held.
type LocksTaken struct {
	Locks []string `json:"locks"`
}

// LocksReleased says that none of the run's locks is held any more. Problems lists what went wrong while releasing.
type LocksReleased struct {
	Problems []string `json:"problems,omitempty"`
}

// NodesAwaited says that another run has reserved nodes that this one wants, and is waited for.
type NodesAwaited struct {
	Nodes  []string `json:"nodes"`          // of those that this run wants, the first ten that the holder has
	More   int      `json:"more,omitempty"` // how many it has beyond them
	Holder Holder   `json:"holder"`
	Queued bool     `json:"queued,omitempty"` // it does not have them: it waits too, and comes first
	Unread bool     `json:"unread,omitempty"` // its log cannot be read, so that nobody knows whether it has them
}

// NodesLeased says that more nodes are reserved for the run, to its end: [RunEnded] gives them back, so
// that no path to the end can forget to.
type NodesLeased struct {
	Nodes []string `json:"nodes"`
}

// Prepared ends the preparation: from here on the node sets are frozen.
type Prepared struct {
	Inputs map[string]any      `json:"inputs,omitempty"` // static inputs with defaults; store-bound ones are read when used
	Nodes  map[string][]string `json:"nodes,omitempty"`
	Notes  []string            `json:"notes,omitempty"`
	// Deadline is when the timeout of the playbook is over; zero when it has none.
	Deadline time.Time `json:"deadline,omitzero"`
}

// PrepareFailed ends a run before its first task.
type PrepareFailed struct {
	Message string   `json:"message"`
	Notes   []string `json:"notes,omitempty"`
}

// TaskBegun says that a task is next: its condition held and its description is rendered.
type TaskBegun struct {
	Path        Path          `json:"path"`
	Type        string        `json:"type"`
	As          string        `json:"as,omitempty"`
	Description string        `json:"description"`
	Tries       int           `json:"tries"`
	TrySleep    time.Duration `json:"try_sleep,omitempty"`
	PreSleep    time.Duration `json:"pre_sleep,omitempty"`
	Timeout     time.Duration `json:"timeout,omitempty"`   // of all waves of a rolling task
	Locks       []string      `json:"locks,omitempty"`     // held from before the first attempt to the end of the task
	Gated       string        `json:"gated,omitempty"`     // why the task asks first: "destructive" or the policy's rule
	EachWave    bool          `json:"each_wave,omitempty"` // a rolling task asks before each wave, and not before it plans them
	Broken      string        `json:"broken,omitempty"`    // why the task cannot be carried out; its only attempt fails with this
}

// TaskSkipped says that the condition of a task did not hold.
type TaskSkipped struct {
	Path        Path   `json:"path"`
	Type        string `json:"type"`
	As          string `json:"as,omitempty"`
	Description string `json:"description"`
	Reason      string `json:"reason"`
}

// ApprovalAsked stops the run at a gate. Sealed is what the task will do, rendered once; Digest
// covers the playbook's content, the inputs, the sealed properties and the node lists.
type ApprovalAsked struct {
	Approval   string              `json:"approval"` // opaque, 128 random bits
	Number     int                 `json:"number"`   // people say "r-7k3f9m.2" for the second gate of a run
	Path       Path                `json:"path"`
	Digest     string              `json:"digest"`
	Sealed     map[string]any      `json:"sealed"`
	Nodes      []string            `json:"nodes,omitempty"`      // what the task will touch
	Discovered map[string][]string `json:"discovered,omitempty"` // node sets as found when asking, for comparison
	Grown      []string            `json:"grown,omitempty"`      // nodes that appeared since the run was prepared; this run never touches them
	Uncompared string              `json:"uncompared,omitempty"` // why the node sets could not be found again when asking; Discovered is empty then
	Expires    time.Time           `json:"expires"`
	From       []string            `json:"from,omitempty"`    // roles, one of which every yes rests on; empty: any that may approve
	Count      int                 `json:"count,omitempty"`   // distinct people who must say yes; 0 is 1
	Reason     string              `json:"reason,omitempty"`  // who must give a reason: see [policy.Terms]
	Scope      string              `json:"scope,omitempty"`   // "run": a yes may cover the rest; "step": an earlier one never covers this
	Wave       int                 `json:"wave,omitempty"`    // the first wave that it is about; 0: the whole task, before it begins
	Waves      []int               `json:"waves,omitempty"`   // of a rolling task: how many nodes each of the waves has that it is about
	Remind     time.Time           `json:"remind,omitzero"`   // when whoever is asked is asked again
	Escalate   time.Time           `json:"escalate,omitzero"` // when the second circle is asked too
	Second     []string            `json:"second,omitempty"`  // roles of the second circle
	Policy     string              `json:"policy,omitempty"`  // digest of the rules by which it asks
	Posts      bool                `json:"posts,omitempty"`   // people see it in a message: its time does not run out before there is one
	Groups     map[string][]string `json:"groups,omitempty"`  // user groups whose members may say yes, as they were then: who joins later may not
	Rests      string              `json:"rests,omitempty"`   // the earlier approval that was given for the rest of the run, this gate included: its yeses follow at once
}

// ApprovalGiven is one person's yes. The gate opens with the last one that it asks for.
type ApprovalGiven struct {
	Approval string `json:"approval"`
	Actor    Actor  `json:"actor"`
	Reason   string `json:"reason,omitempty"`
	Role     string `json:"role,omitempty"` // of the actor, on which the yes rests
	Rest     bool   `json:"rest,omitempty"` // it is for the later gates of the run too
	Limit    Limit  `json:"limit,omitzero"` // less than was asked for
}

// ApprovalDenied is one person's no; it ends the gate, however many said yes.
type ApprovalDenied struct {
	Approval string `json:"approval"`
	Actor    Actor  `json:"actor"`
	Reason   string `json:"reason,omitempty"`
}

// ApprovalExpired says that nobody decided in time. It is never a yes.
type ApprovalExpired struct {
	Approval string `json:"approval"`
}

// ApprovalVoided takes back a yes before it was used, because what it covered has changed.
type ApprovalVoided struct {
	Approval string `json:"approval"`
	Reason   string `json:"reason"`
}

// AttemptStarted is the intent of an attempt; it is on disk before the effect begins.
type AttemptStarted struct {
	Path       Path           `json:"path"`
	Attempt    int            `json:"attempt"` // counts from one over the whole task
	Effect     Effect         `json:"effect"`
	Nodes      []string       `json:"nodes,omitempty"`
	Properties map[string]any `json:"properties,omitempty"` // as rendered for this attempt, secrets removed
	Approval   string         `json:"approval,omitempty"`   // the approval this attempt rests on
	Key        string         `json:"key"`                  // idempotency key, equal over repeats of one attempt
	Lasts      time.Duration  `json:"lasts,omitempty"`      // how long nodes may act on when it is cut off: see [Lasting]
}

// AttemptEnded is the outcome of an attempt.
type AttemptEnded struct {
	Path    Path          `json:"path"`
	Attempt int           `json:"attempt"`
	OK      bool          `json:"ok"`
	Code    string        `json:"code,omitempty"` // of the failure: see [Code]
	Result  Result        `json:"result"`
	Notes   []string      `json:"notes,omitempty"`
	Runtime time.Duration `json:"runtime"`
}

// AttemptUnknown says that a process died in the middle of an attempt which may not simply be
// repeated. The run waits for a person: see [AttemptResolved].
type AttemptUnknown struct {
	Path    Path `json:"path"`
	Attempt int  `json:"attempt"`
}

// AttemptRepeated says that an attempt that was cut off goes again by itself, because it only reads or is idempotent.
type AttemptRepeated struct {
	Path    Path `json:"path"`
	Attempt int  `json:"attempt"`
}

// AttemptResolved is a person's word on an unknown attempt.
type AttemptResolved struct {
	Path    Path       `json:"path"`
	Attempt int        `json:"attempt"`
	Choice  Resolution `json:"choice"`
	Actor   Actor      `json:"actor"`
}

// TaskEnded closes a task, after its hooks.
type TaskEnded struct {
	Path    Path       `json:"path"`
	Status  TaskStatus `json:"status"`
	Message string     `json:"message"`
	Result  *Result    `json:"result,omitempty"` // of a rolling task, over all its waves
}

// TaskLocksRequested is the intent to take the locks of a task; from here on they must be released.
type TaskLocksRequested struct {
	Path  Path     `json:"path"`
	Locks []string `json:"locks"`
}

// TaskLocksTaken says that every lock of a task is held.
type TaskLocksTaken struct {
	Path Path `json:"path"`
}

// TaskLocksReleased says that none of the task's locks is held any more. Problems lists what went wrong while releasing.
type TaskLocksReleased struct {
	Path     Path     `json:"path"`
	Problems []string `json:"problems,omitempty"`
}

// CancelRequested asks the run to stop: what is under way ends, then only `always` runs.
type CancelRequested struct {
	Actor  Actor  `json:"actor"`
	Reason string `json:"reason,omitempty"`
}

// RunLingers says that everything of a run is done and only its end is left, which waits until no node can
// act on what was cut off: see [Lasting].
type RunLingers struct {
	Status RunStatus `json:"status"` // with which it will end
}

// RunEnded is the last event of every run.
type RunEnded struct {
	Status  RunStatus `json:"status"`
	Message string    `json:"message"`
}

// Announced records where people watch the run.
type Announced struct {
	Place Place `json:"place"`
}

// Posted records where a further message about the run stands, so that it can be edited after a
// restart. Ref names it: "approval/<id>", "unknown/<path>/<attempt>".
type Posted struct {
	Ref   string `json:"ref"`
	Place Place  `json:"place"`
}

// Place is a message: the card of a run, above all.
type Place struct {
	Team    string `json:"team,omitempty"`
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// Refused records, in the bot's stream, what somebody was not allowed to do.
type Refused struct {
	Actor    Actor  `json:"actor"`
	Verb     string `json:"verb"`
	Playbook string `json:"playbook,omitempty"`
	Run      RunID  `json:"run,omitempty"`
	Rule     string `json:"rule"`
}

// Unread is an event of a kind that this program does not know, kept as it is: a newer program wrote it.
type Unread struct {
	Name string `json:"-"`
	Raw  []byte `json:"-"`
}

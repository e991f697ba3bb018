package commands

import (
	"context"
	"errors"
	"log/slog"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
)

// Request is a line that somebody said.
type Request struct {
	Key     string       // its own identity: two requests with one key start one run
	Actor   engine.Actor // who said it, by the ids of the door
	Origin  engine.Origin
	Text    string            // with or without "/playbook" in front
	RunHint engine.RunID      // the run whose thread it was said in; empty elsewhere
	Secrets map[string]string // values of inputs of type Secret, which never stand in the text
}

// Press is a button that somebody pressed.
type Press struct {
	Key    string
	Actor  engine.Actor
	Origin engine.Origin // engine.OriginTerminal where no form can be opened
	Action Action
	Value  string // as the button had it
	Reason string // for an answer at a gate; empty where there was nothing to write one into
}

// Starter starts runs.
type Starter interface {
	Start(ctx context.Context, q engine.StartRequest) (engine.RunID, error)
}

// Approver carries out what people say at gates.
type Approver interface {
	Approve(ctx context.Context, d engine.Decision) error
	Deny(ctx context.Context, d engine.Decision) error
	TakeBack(ctx context.Context, d engine.Decision) error
	MayDecide(ctx context.Context, d engine.Decision, yes bool) error
}

// Decider carries out what people decide about whole runs, and about attempts that were cut off.
type Decider interface {
	Cancel(ctx context.Context, id engine.RunID, who engine.Actor, reason string) error
	Resolve(ctx context.Context, a engine.Answer) error
}

// Steerer carries out what people say about how runs go on.
type Steerer interface {
	PauseRun(ctx context.Context, s engine.Steering) error
	ResumeRun(ctx context.Context, s engine.Steering) error
	SendOn(ctx context.Context, s engine.Steering, wave int) error
	SlowWaves(ctx context.Context, s engine.Steering, pace engine.Pace) error
	StopWaves(ctx context.Context, s engine.Steering) error
}

// Reader knows runs and who may do what.
type Reader interface {
	Load(ctx context.Context, id engine.RunID) (*engine.Run, error)
	Book(ctx context.Context, ref engine.PlaybookRef) (*playbooks.Playbook, error)
	May(who engine.Actor, verb policy.Verb, playbook string) policy.Decision
	Policy() *policy.Policy
	Approvers(r *engine.Run, a *engine.Approval) (people, groups []string)
}

// Chooser knows what there is to choose from.
type Chooser interface {
	Choices(book *playbooks.Playbook, input string) engine.Choices // at once
}

// Warden says whose word counts, and for what, with everything that is known.
type Warden interface {
	Admit(ctx context.Context, who engine.Actor, verb string) error
	Standing(who engine.Actor) (roles []string, here policy.Decision)
	Ask(who engine.Actor, q policy.Question) policy.Decision
	MayApprove(who engine.Actor, r *engine.Run, a *engine.Approval, l engine.Limit) policy.Decision
	Known(ctx context.Context, who engine.Actor) error
}

// SecretTaker takes the secrets of runs that have lost them.
type SecretTaker interface {
	Lacks(ctx context.Context, id engine.RunID) ([]string, error)
	GiveSecrets(ctx context.Context, s engine.Secrets) error
}

// Doer carries out what people want: that runs begin, and how they go on.
type Doer interface {
	Starter
	Approver
	Decider
	Steerer
	SecretTaker
}

// Engine is what this package uses of engine.Engine.
type Engine interface {
	Doer
	Reader
	Warden
	Chooser
}

// History finds runs, newest first.
type History interface {
	Find(ctx context.Context, q engine.HistoryQuery) ([]engine.Summary, error)
	// Lookup resolves what people type: a whole id, or a unique beginning of its short form.
	Lookup(ctx context.Context, prefix string) ([]engine.RunID, error)
}

// Books are the playbooks there are; playbooks.Library is one.
type Books interface {
	Get(name string) (*playbooks.Playbook, error)
	List() []*playbooks.Playbook
	Broken() []playbooks.BrokenFile
}

// Deps are what commands need.
type Deps struct {
	Engine  Engine       // required
	History History      // required
	Books   Books        // required
	Logger  *slog.Logger // nil: discarded
}

// Commands answers people. Its methods are safe for concurrent use and keep nothing between calls.
type Commands struct {
	engine  Engine
	history History
	books   Books
	logger  *slog.Logger
}

// New returns commands, or an error that names what is missing.
func New(d Deps) (*Commands, error) {
	if d.Engine == nil || d.History == nil || d.Books == nil {
		return nil, errors.New("commands: Engine, History and Books are required")
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return &Commands{engine: d.Engine, history: d.History, books: d.Books, logger: d.Logger}, nil
}

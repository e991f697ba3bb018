package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Status codes of replies. A server maps them to what a caller sees, see the protocol of Choria's RPC.
const (
	CodeOK            = 0
	CodeAborted       = 1 // the action failed
	CodeUnknownAction = 2
	CodeMissingData   = 3
	CodeInvalidData   = 4
	CodeUnknownError  = 5
)

// The protocols that a server speaks with an executable.
const (
	protocolActivation = "io.choria.mcorpc.external.v1.activation_request"
	protocolRequest    = "io.choria.mcorpc.external.v1.rpc_request"
)

// Agent is one agent of an executable.
type Agent struct {
	Name    string
	Actions map[string]Action
	// Activate says whether this machine has what the agent needs; nil means yes. A server asks once,
	// when it finds the agent, and waits two seconds at most.
	Activate func(ctx context.Context, s Settings) bool
}

// Action does one action and returns what the reply's data is, nil for none. An error becomes a
// reply with its text: an [*Error] with the code and the data that it holds, any other with
// [CodeAborted]. The server kills the executable some time after the time-out of the agent's description.
type Action func(ctx context.Context, r *Request) (data map[string]any, err error)

// Error is a reply that is not OK.
type Error struct {
	Code    int // one of the codes above; 0 means [CodeAborted]
	Message string
	Data    map[string]any // what the reply tells all the same
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// reply is what a server reads.
type reply struct {
	Code    int            `json:"statuscode"`
	Message string         `json:"statusmsg"`
	Data    map[string]any `json:"data"`
}

// Main serves the one request that the environment names and returns the exit code: 0 when a reply
// was written, also when it tells of a failure. Otherwise the server makes up a failure of its own,
// and its log has what is written to standard error here.
func Main(agents ...Agent) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Serve(ctx, os.Getenv, os.Stderr, agents...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// Serve serves one request with an environment of the caller's choice. It writes the trace of a
// panic to log; the reply says that there was one.
func Serve(ctx context.Context, getenv func(string) string, log io.Writer, agents ...Agent) error {
	env, err := environment(getenv)
	if err != nil {
		return err
	}
	req, err := env.request()
	if err != nil {
		return err
	}
	i := indexOf(agents, req.Agent)
	if i < 0 {
		return fmt.Errorf("external agent: the request is for agent %q, which this executable does not have", req.Agent)
	}
	if env.protocol == protocolActivation {
		active := agents[i].Activate == nil || agents[i].Activate(ctx, req.Settings)
		return env.answer(map[string]bool{"activate": active})
	}
	return env.answer(act(ctx, agents[i], req, log))
}

func indexOf(agents []Agent, name string) int {
	for i, a := range agents {
		if a.Name == name {
			return i
		}
	}
	return -1
}

// act turns whatever an action does into a reply.
func act(ctx context.Context, a Agent, req *Request, log io.Writer) (out reply) {
	action, known := a.Actions[req.Action]
	if !known {
		return reply{Code: CodeUnknownAction, Message: fmt.Sprintf("Unknown action %s for agent %s", req.Action, a.Name), Data: map[string]any{}}
	}
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(log, "%s.%s panicked: %v\n%s", a.Name, req.Action, p, debug.Stack())
			out = reply{Code: CodeUnknownError, Message: fmt.Sprintf("%s.%s panicked: %v", a.Name, req.Action, p), Data: map[string]any{}}
		}
	}()
	data, err := action(ctx, req)
	out = reply{Message: "OK", Data: data}
	if err != nil {
		out.Code, out.Message = CodeAborted, err.Error()
		if own, ok := errors.AsType[*Error](err); ok {
			out.Data = own.Data
			if own.Code != CodeOK {
				out.Code = own.Code
			}
		}
	}
	if out.Data == nil {
		out.Data = map[string]any{} // a server takes no null for data
	}
	return out
}

func (e env) answer(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("external agent: encode the reply: %w", err)
	}
	if err := os.WriteFile(e.reply, data, 0o600); err != nil {
		return fmt.Errorf("external agent: write the reply: %w", err)
	}
	return nil
}

package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
)

// Source asks a service of the network. *choria.Client is one.
type Source interface {
	Service(ctx context.Context, q choria.Request) (choria.Reply, error)
}

const (
	// answerTime is how long the registry may take; its own DDL says 2 s.
	answerTime = 5 * time.Second
	// refresh is how long a DDL counts before it is asked for again: agents are upgraded.
	refresh = time.Hour
	// firstRetry is the time after a round in which nobody answered; it doubles up to refresh.
	firstRetry = time.Minute
	// maxWarnings is how many of the warnings about a DDL are logged.
	maxWarnings = 10
	// minTimeout is, with the way, what an agent without a DDL is given: the word of a stranger has no node given
	// up, and its reservation ended, while it still acts.
	minTimeout = 18 * time.Second
	// maxTimeout is the longest time-out that a DDL of the registry may ask for.
	maxTimeout = time.Hour
)

// Run fetches what is asked for, and again from time to time, until ctx ends.
func (r *Registry) Run(ctx context.Context) {
	retry := firstRetry
	for {
		var wait time.Duration
		if err := r.round(ctx); err != nil && ctx.Err() == nil {
			r.opts.Logger.WarnContext(ctx, "the registry of DDLs gives no answer; agents without a DDL are asked unchecked", "error", err, "again_in", retry)
			wait, retry = retry, min(2*retry, refresh)
		} else {
			wait, retry = r.rest(), firstRetry
		}
		select {
		case <-r.wanted:
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// round asks for every DDL that is due. It ends early when nobody answers, which is the error.
func (r *Registry) round(ctx context.Context) error {
	if r.opts.Source == nil {
		return nil
	}
	for _, name := range r.due() {
		reply, err := r.opts.Source.Service(ctx, question(name, answerTime))
		switch {
		case err == nil:
			r.heard(ctx, name, reply)
		case errors.Is(err, choria.ErrNoService), errors.Is(err, choria.ErrNotSent), ctx.Err() != nil:
			return err
		default: // there is an answer about this agent, and none that counts; others may have better ones
			r.refuse(ctx, name, "", err)
		}
	}
	return nil
}

// question asks the registry about an agent.
func question(name string, timeout time.Duration) choria.Request {
	return choria.Request{
		Agent: "choria_registry", Action: "ddl", Timeout: timeout,
		Data: map[string]any{"name": name, "plugin_type": "agent", "format": "json"},
	}
}

// Describe asks the registry once about an agent, and holds the answer to the same as a [Registry] does. Nothing is
// kept. An error that wraps [choria.ErrNoService] or [choria.ErrNotSent] means that there is no answer.
func Describe(ctx context.Context, source Source, name string, timeout time.Duration) (*ddl.DDL, error) {
	reply, err := source.Service(ctx, question(name, timeout))
	if err != nil {
		return nil, err
	}
	_, d, err := read(name, reply)
	return d, err
}

// rest is how long nothing is due.
func (r *Registry) rest() time.Duration {
	wait := refresh
	if r.opts.Source == nil {
		return wait
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.agents {
		wait = min(wait, time.Until(a.due))
	}
	return wait
}

// due lists the agents to ask about, sorted.
func (r *Registry) due() []string {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for name, a := range r.agents {
		if !a.due.After(now) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// heard takes an answer. One that is refused leaves what was known before.
func (r *Registry) heard(ctx context.Context, name string, reply choria.Reply) {
	text, d, err := read(name, reply)
	if err != nil {
		r.refuse(ctx, name, reply.Sender, err)
		return
	}
	r.mu.Lock()
	a := r.agents[name]
	a.due = time.Now().Add(refresh)
	before := a.described
	sum := sha256.Sum256([]byte(text))
	same := before != nil && a.digest == sum
	a.refused, a.described, a.digest = "", d, sum
	r.mu.Unlock()
	if same {
		return
	}
	r.tell(ctx, d, before, reply.Sender)
	if err := r.store(name, text); err != nil {
		r.opts.Logger.WarnContext(ctx, "a DDL of the registry cannot be kept; it is fetched again after the next start", "agent", name, "error", err)
	}
	poke(r.changed)
}

// refuse notes why there is no new DDL, and asks again after a while.
func (r *Registry) refuse(ctx context.Context, name, server string, err error) {
	r.mu.Lock()
	a := r.agents[name]
	a.due = time.Now().Add(refresh)
	news := a.refused != err.Error()
	a.refused = err.Error()
	r.mu.Unlock()
	if news {
		r.opts.Logger.WarnContext(ctx, "the registry's DDL is refused", "agent", name, "server", server, "error", err)
	}
}

// tell logs what counts from now on.
func (r *Registry) tell(ctx context.Context, d, before *ddl.DDL, server string) {
	was := "none"
	if before != nil {
		was = before.Version
	}
	r.opts.Logger.InfoContext(ctx, "an agent is described by the registry", "agent", d.Agent, "version", d.Version, "before", was, "server", server)
	for _, text := range d.Warnings[:min(maxWarnings, len(d.Warnings))] {
		r.opts.Logger.WarnContext(ctx, "a DDL is used in part", "why", text)
	}
}

// read takes a DDL out of an answer.
func read(name string, reply choria.Reply) (string, *ddl.DDL, error) {
	if !reply.OK() {
		return "", nil, fmt.Errorf("it says %.200q", reply.StatusMsg)
	}
	text, _ := reply.Data["ddl"].(string)
	if text == "" {
		return "", nil, errors.New("the answer holds no DDL")
	}
	d, err := accept("registry:"+name, name, text)
	return text, d, err
}

// accept holds a DDL to what one of a stranger must be.
func accept(file, name, text string) (*ddl.DDL, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%s: it has more than %d bytes", file, maxText)
	}
	d, err := ddl.Parse(file, []byte(text))
	if err != nil {
		return nil, brief(err)
	}
	if d.Agent != name {
		return nil, fmt.Errorf("%s: it is the DDL of %s, not of %s", file, d.Agent, name)
	}
	if d.Timeout > maxTimeout {
		return nil, fmt.Errorf("%s: metadata.timeout: %v is more than the %v that the registry may ask for; put the DDL into a folder of choria.ddls", file, d.Timeout, maxTimeout)
	}
	d = d.WithoutDefaults()
	d.Timeout = max(d.Timeout, minTimeout)
	return d, nil
}

// brief is the first of many lines: what is wrong with a stranger's text may be as long as the text.
func brief(err error) error {
	const most = 300
	line, rest, more := strings.Cut(err.Error(), "\n")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	if more {
		line += fmt.Sprintf(" (and %d more)", strings.Count(rest, "\n")+1)
	}
	return errors.New(line)
}

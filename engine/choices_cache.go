package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// Choices are what the `choices` of an input offered when its source was last asked.
type Choices struct {
	Values []string
	More   int       // how many beyond those that are kept
	At     time.Time // when they were heard; zero: never
	Asking bool      // the source is being asked, or will be
	Err    string    // why it did not answer the last time, in words for people; empty when it did
}

const (
	// choicesFresh is how long an answer counts without asking again.
	choicesFresh = time.Minute
	// choicesRetry is how long a source that failed is left alone.
	choicesRetry = 15 * time.Second
	// choicesTime bounds one asking.
	choicesTime = 30 * time.Second
	// maxAsking is how many sources are asked at a time; more wait for the next time somebody looks.
	maxAsking = 4
	// maxSources is how many sources are remembered; the one that nobody has looked at for longest goes.
	maxSources = 200
)

// choiceCache remembers what sources of choices answered, for every version of every playbook.
type choiceCache struct {
	mu     sync.Mutex // guards what follows
	known  map[string]*knownChoices
	asking int
}

type knownChoices struct {
	Choices
	tried  time.Time // when it was last asked to the end
	looked time.Time // when somebody last looked
}

func newChoiceCache() *choiceCache { return &choiceCache{known: map[string]*knownChoices{}} }

// Choices returns what is known of an input's choices, at once: the source is asked in the background
// when what is known is old, and the next call knows more. The zero Choices is for an input without any.
func (e *Engine) Choices(book *playbooks.Playbook, input string) Choices {
	in, ok := book.Input(input)
	if !ok || in.Choices == nil {
		return Choices{}
	}
	c, now := e.choices, time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	key := book.Digest + "/" + input
	k := c.known[key]
	if k == nil {
		k = &knownChoices{}
		c.known[key] = k
	}
	k.looked = now
	c.forget()
	if k.due(now) && c.asking < maxAsking && e.beside(func() { e.askChoices(book, in, k) }) {
		k.Asking = true
		c.asking++
	}
	out := k.Choices
	out.Values = slices.Clone(out.Values)
	out.Asking = out.Asking || k.due(now)
	return out
}

// due reports whether the source is to be asked.
func (k *knownChoices) due(now time.Time) bool {
	switch {
	case k.Asking:
		return false
	case k.tried.IsZero():
		return true
	case k.Err != "":
		return now.Sub(k.tried) >= choicesRetry
	}
	return now.Sub(k.At) >= choicesFresh
}

// forget drops what nobody has looked at for longest. The caller holds the lock.
func (c *choiceCache) forget() {
	for len(c.known) > maxSources {
		oldest := ""
		for key, k := range c.known {
			if oldest == "" || k.looked.Before(c.known[oldest].looked) {
				oldest = key
			}
		}
		delete(c.known, oldest)
	}
}

// beside does something in the background, unless the engine stops.
func (e *Engine) beside(do func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping {
		return false
	}
	e.wg.Go(do)
	return true
}

// askChoices asks a source and notes what it says. What was known before stays when it fails.
func (e *Engine) askChoices(book *playbooks.Playbook, in playbooks.Input, k *knownChoices) {
	ctx, stop := e.untilStop(e.base)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, choicesTime, Errorf(CodeTimeout, "the source did not answer within %s", choicesTime))
	defer cancel()
	values, more, err := e.safeChoices(ctx, book, in)
	c := e.choices
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking--
	k.Asking, k.tried = false, time.Now()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		k.Err = e.redact.text(err.Error())
		e.logger.WarnContext(ctx, "choices cannot be looked up", "playbook", book.Name, "input", in.Name, "error", k.Err)
		return
	}
	k.Values, k.More, k.At, k.Err = values, more, k.tried, ""
}

// safeChoices is resolveChoices, in which a panic costs that answer and nothing else.
func (e *Engine) safeChoices(ctx context.Context, book *playbooks.Playbook, in playbooks.Input) (values []string, more int, err error) {
	defer func() {
		if p := recover(); p != nil {
			e.logger.ErrorContext(ctx, "choices panicked", "playbook", book.Name, "input", in.Name, "panic", e.redact.text(fmt.Sprint(p)))
			err = fmt.Errorf("the source of the choices broke: %v", p)
		}
	}()
	return e.resolveChoices(ctx, book, in)
}

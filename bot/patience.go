package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// patience remembers how long Slack wants a method left alone. Whoever asks meanwhile waits, or is told that
// there was no answer; Slack is not asked. Safe for concurrent use.
type patience struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

// call is [call] of a method of the Web API.
func (p *patience) call(ctx context.Context, method string, do func(context.Context) error) error {
	return call(ctx, func(ctx context.Context) error {
		if wait := p.left(method); wait > 0 {
			return &slack.RateLimitedError{RetryAfter: wait}
		}
		err := do(ctx)
		if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
			p.note(method, limited.RetryAfter)
		}
		return err
	})
}

func (p *patience) left(method string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.until[method])
}

func (p *patience) note(method string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[string]time.Time{}
	}
	p.until[method] = time.Now().Add(wait)
}

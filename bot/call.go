package bot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// call does something at Slack, again when Slack asks for patience or cannot be reached, but not for
// ever: somebody waits for it.
func call(ctx context.Context, do func(context.Context) error) error {
	for try := 1; ; try++ {
		err := once(ctx, do)
		late, again := postponed(err)
		if !again || ctx.Err() != nil {
			return err
		}
		if late.limited {
			try--
		} else if try >= maxTries {
			return late.err
		}
		if !pause(ctx, late.after(try)) {
			return context.Cause(ctx)
		}
	}
}

// postponement is why something was not done at Slack and may be done later.
type postponement struct {
	err     error
	limited bool          // Slack said that it was not done, and when to come again
	known   bool          // it passes: Slack is away or wants patience; else it may be that this can never be done
	wait    time.Duration // how long Slack wants to be left alone
}

// Error implements error.
func (p *postponement) Error() string { return p.err.Error() }

// Unwrap implements the interface of package errors.
func (p *postponement) Unwrap() error { return p.err }

// after is how long to wait after so many tries in a row.
func (p *postponement) after(tries int) time.Duration {
	if p.limited {
		return p.wait
	}
	return backoff(max(tries-1, 0))
}

// postponed reports whether an error says that something may be done later.
func postponed(err error) (*postponement, bool) { return errors.AsType[*postponement](err) }

// once does something at Slack. The error is a *postponement unless Slack refused it for good, or ctx ended.
func once(ctx context.Context, do func(context.Context) error) error {
	err := do(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return &postponement{err: err, limited: true, known: true, wait: limited.RetryAfter}
	}
	if refused(err) != "" && !away(err) {
		return err
	}
	return &postponement{err: err, known: away(err)}
}

// refused is the name of the error with which Slack answered; "" when it did not answer properly.
func refused(err error) string {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return answer.Err
	}
	return ""
}

// away reports whether an error says that Slack cannot work now, or not with this token: neither has
// anything to do with what was asked.
func away(err error) bool {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return true
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return status.Code >= http.StatusInternalServerError
	}
	return slices.Contains([]string{
		"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "team_added_to_org",
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
	}, refused(err))
}

// permanent reports whether an error of signing in will not go away by waiting.
func permanent(err error) bool {
	return slices.Contains([]string{
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type",
		"missing_scope", "no_permission", "org_login_required", "ekm_access_denied",
	}, refused(err))
}

func backoff(try int) time.Duration { return min(time.Second<<min(try, 6), 30*time.Second) }

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// bucket is a budget that fills up again: one token every `every`, at most `burst`.
type bucket struct {
	burst int
	every time.Duration

	mu     sync.Mutex // guards what follows
	tokens float64
	at     time.Time
}

func newBucket(burst int, every time.Duration) *bucket {
	return &bucket{burst: burst, every: every, tokens: float64(burst), at: time.Now()}
}

// try takes a token if more than `spare` are there, else it says how long to wait for that.
func (b *bucket) try(spare int) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(float64(b.burst), b.tokens+float64(now.Sub(b.at))/float64(b.every))
	b.at = now
	if need := float64(spare+1) - b.tokens; need > 0 {
		return time.Duration(need*float64(b.every)) + time.Millisecond
	}
	b.tokens--
	return 0
}

// take waits for a token; false when ctx ended first.
func (b *bucket) take(ctx context.Context) bool {
	for {
		wait := b.try(0)
		if wait == 0 {
			return true
		}
		if !pause(ctx, wait) {
			return false
		}
	}
}

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
// ever: somebody waits for it. A post that was stored although its answer got lost is posted twice;
// Slack has no idempotency key.
func call(ctx context.Context, do func(context.Context) error) error {
	return tries(ctx, do, func(try int, _ error) bool { return try < maxTries })
}

// insist does something at Slack for as long as Slack is away: what happened is drawn late rather
// than never. It returns what Slack refuses for good, or the end of ctx.
func (b *Bot) insist(ctx context.Context, do func(context.Context) error) error {
	return tries(ctx, func(ctx context.Context) error {
		err := do(ctx)
		b.health.answered(ctx, err)
		return err
	}, func(try int, err error) bool {
		if away(err) {
			b.logger.WarnContext(ctx, "slack does not take a message; trying again", "error", err, "try", try)
			return true
		}
		return try < maxTries
	})
}

// tries repeats what fails in a way that may pass, while more says so.
func tries(ctx context.Context, do func(context.Context) error, more func(try int, err error) bool) error {
	for try := 1; ; try++ {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		wait := backoff(try - 1)
		if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
			wait, try = limited.RetryAfter, try-1
		} else if refused(err) != "" && !away(err) || !more(try, err) {
			return err
		}
		if !pause(ctx, wait) {
			return context.Cause(ctx)
		}
	}
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

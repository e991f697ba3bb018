package bot

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// Health says how a bot and Slack get on.
type Health struct {
	Sockets  int      // connections that are open now; two when all is well
	Problems []string // what a person has to mend, with what to do
}

// What can be wrong with, each by itself.
const (
	ofSocket = "socket"
	ofToken  = "token"
)

// health keeps how the bot and Slack get on, and says in the log when that changes.
type health struct {
	logger *slog.Logger

	mu       sync.Mutex // guards what follows
	open     int
	problems map[string]string
}

func newHealth(logger *slog.Logger) *health {
	return &health{logger: logger, problems: map[string]string{}}
}

// Health returns how the bot and Slack get on. Safe for concurrent use.
func (b *Bot) Health() Health {
	h := b.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return Health{Sockets: h.open, Problems: slices.Sorted(maps.Values(h.problems))}
}

func (h *health) sockets(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = n
}

// socketFailed notes why no connection could be opened.
func (h *health) socketFailed(ctx context.Context, err error) {
	if permanent(err) {
		h.bad(ctx, ofSocket, "Slack refuses the app token ("+refused(err)+"); nobody can reach playbot until it is mended: see `playbot doctor`")
		return
	}
	h.logger.WarnContext(ctx, "slack cannot be connected to", "error", err)
}

// told notes why Slack ends a connection.
func (h *health) told(ctx context.Context, reason string) {
	switch reason {
	case "link_disabled":
		h.bad(ctx, ofSocket, "Socket Mode is switched off on the page of the app; nobody can reach playbot until it is on again")
	case "too_many_websockets":
		h.bad(ctx, ofSocket, "Slack has more than ten connections of this app; end the other programs that use its app token")
	default:
		h.logger.InfoContext(ctx, "slack replaces a connection", "reason", reason)
	}
}

// answered notes what came of a call of the Web API.
func (h *health) answered(ctx context.Context, err error) {
	switch {
	case err == nil:
		h.good(ctx, ofToken)
	case away(err) && permanent(err):
		h.bad(ctx, ofToken, "Slack refuses the bot token ("+refused(err)+"); runs go on, and nothing of them can be shown until it is mended: see `playbot doctor`")
	}
}

func (h *health) bad(ctx context.Context, of, problem string) {
	h.mu.Lock()
	fresh := h.problems[of] != problem
	h.problems[of] = problem
	h.mu.Unlock()
	if fresh {
		h.logger.ErrorContext(ctx, "slack needs a person", "problem", problem)
	}
}

func (h *health) good(ctx context.Context, of string) {
	h.mu.Lock()
	was := h.problems[of]
	delete(h.problems, of)
	h.mu.Unlock()
	if was != "" {
		h.logger.InfoContext(ctx, "slack works again", "problem", was)
	}
}

package bot

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/bot/workspace"
)

// A bot that lacks what it can do without works, and its log says what does not.
func TestStart_logsWhatDoesNotWorkForWantOfAScope(t *testing.T) {
	t.Parallel()
	var log lockedLog
	onStage(t, func(s *stage) {
		s.book("b", "tasks: [{do: {name: one}}]")
		s.slash("ana", "#deploys", "run b")
		s.settle(s.newest())
		if text := log.String(); !has(text, "scope=app_mentions:read", "only buttons work") || strings.Contains(text, "scope=commands") {
			s.tb.Errorf("the log is\n%s", text)
		}
	}, setting{
		workspace: func(o *workspace.Options) { o.Scopes = ScopeNames(true) },
		bot:       func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) },
	})
}

// lockedLog may be read while it is written.
type lockedLog struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

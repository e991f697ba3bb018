package bot

import (
	"context"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// tracker knows up to which position of the log everything is drawn.
type tracker struct {
	mu   sync.Mutex // guards what follows
	open map[engine.Pos]int
	read engine.Pos
	idle chan struct{} // closed and replaced whenever something ends
}

func newTracker() *tracker { return &tracker{open: map[engine.Pos]int{}, idle: make(chan struct{})} }

func (t *tracker) start(at engine.Pos) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = at
}

// pass notes a position with nothing to draw.
func (t *tracker) pass(at engine.Pos) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = max(t.read, at)
}

// begin notes that something of a position is to be drawn.
func (t *tracker) begin(at engine.Pos) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = max(t.read, at)
	t.open[at]++
}

func (t *tracker) end(at engine.Pos) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[at]--; t.open[at] <= 0 {
		delete(t.open, at)
	}
	close(t.idle)
	t.idle = make(chan struct{})
}

// low is the position up to which everything is drawn.
func (t *tracker) low() engine.Pos {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.read
	for open := range t.open {
		at = min(at, open-1)
	}
	return at
}

// drained waits until everything read is drawn.
func (t *tracker) drained(ctx context.Context) {
	for {
		t.mu.Lock()
		n, idle := len(t.open), t.idle
		t.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-idle:
		case <-ctx.Done():
			return
		}
	}
}

// saveEvery is how often the position is saved; what lies between is drawn again after a crash.
const saveEvery = 500 * time.Millisecond

func (t *thread) save(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	saved := t.track.low()
	for {
		select {
		case <-tick.C:
			if at := t.track.low(); at != saved {
				t.store(ctx)
				saved = at
			}
		case <-stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// store saves the position; a position that has been reached counts, even when ctx has ended since.
func (t *thread) store(ctx context.Context) {
	if err := t.bot.opts.Feed.SaveCursor(context.WithoutCancel(ctx), cursorName, t.track.low()); err != nil {
		t.bot.logger.WarnContext(ctx, "position not saved; messages may be repeated after a restart", "error", err)
	}
}

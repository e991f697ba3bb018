package bot

import (
	"context"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// compareTime bounds looking for the run that a gate is compared with: a question does not wait for its history.
const compareTime = 2 * time.Second

// compare keeps what differs between a run and the last one of its playbook, for the gates of the run. It is looked
// up once, so that the record of a gate says what its question said. When it cannot be, the question goes without.
func (b *Bot) compare(ctx context.Context, run *engine.Run, ref string) {
	if b.opts.Previous == nil || !strings.HasPrefix(ref, "approval/") || b.compared(run.ID) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, compareTime)
	defer cancel()
	before, err := b.opts.Previous(ctx, run)
	if err != nil {
		b.logger.WarnContext(ctx, "gate not compared with the last run", "run", run.ID, "error", err)
		return
	}
	lines := commands.Differs(before, run)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.differs[run.ID] = lines
}

// compared is what differs between a run and the one before; nil when that is not known.
func (b *Bot) compared(run engine.RunID) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.differs[run]
}

// uncompare forgets it: the run has ended, and its gates are drawn.
func (b *Bot) uncompare(run engine.RunID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.differs, run)
}

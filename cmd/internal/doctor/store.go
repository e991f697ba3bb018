package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/playbot/playbot/store"
)

// store reads the history of the bot.
func (s site) store(ctx context.Context, n *notes) {
	s.file(ctx, n, s.cfg.StorePath(), "`playbot serve` makes it")
}

// terminalStore reads the history of `playbot run`.
func (s site) terminalStore(ctx context.Context, n *notes) {
	s.file(ctx, n, filepath.Join(s.cfg.DataDir, "terminal.db"), "`playbot run` makes it")
}

func (s site) file(ctx context.Context, n *notes, path, maker string) {
	if s.cfg.DataDir == "" {
		n.skip("no data_dir is configured")
		return
	}
	seen, err := store.Verify(ctx, path)
	held, isHeld := errors.AsType[*store.HeldError](err)
	switch {
	case err == nil:
		n.ok("%s is sound: %d runs, %d events", path, seen.Runs, seen.Events)
	case isHeld:
		n.ok("%s is in use by %s; a file that is in use is not read here", path, held.Holder())
	case errors.Is(err, fs.ErrNotExist):
		n.ok("%s is not there yet; %s", path, maker)
	case errors.Is(err, syscall.ENOTDIR):
		n.skip("see data_dir")
	case ctx.Err() != nil:
		n.warn("playbot history verify --store "+path, "%s is too large to be read whole in the time of this check", path)
	default:
		n.problem(err, "restore a backup")
	}
}

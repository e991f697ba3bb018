package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/playbot/playbot/cmd/internal/app"
)

// secrets looks who can read what nobody else may.
func (s site) secrets(_ context.Context, n *notes) {
	seen := 0
	for _, t := range []struct {
		key string
		ref app.SecretRef
	}{{"slack.bot_token", s.cfg.Slack.BotToken}, {"slack.app_token", s.cfg.Slack.AppToken}} {
		if t.ref == "" {
			continue
		}
		seen++
		if _, err := t.ref.Read(t.key); err != nil {
			n.problem(err, "let "+t.key+" name a file or a variable that playbot can read")
		}
	}
	_, _, key := s.cfg.ChoriaOptions().Certificate()
	for _, f := range []struct{ key, path string }{
		{"nats.key", key}, {"nats.seed", s.cfg.NATS.Seed}, {"puppetdb.key", s.cfg.PuppetDB.Key}, {"the key of secret inputs", s.cfg.StorePath() + ".key"},
	} {
		if f.path != "" && private(f.key, f.path, n) {
			seen++
		}
	}
	if n.good() && seen == 0 {
		n.skip("none is configured")
	} else if n.good() {
		n.ok("%d, which only their owner can read", seen)
	}
}

// private wants a file that its owner alone, or with a group of theirs, can read. It reports whether
// there is one.
func private(key, path string, n *notes) bool {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false // who needs it says so
	}
	if err != nil {
		n.problem(err, "let playbot's user reach the file")
		return true
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o027 != 0:
		n.broken("chmod 600 "+path, "%s: %s can be read by everybody, or changed by others (mode %04o)", key, path, mode)
	case mode&0o050 != 0:
		n.warn("chmod 600 "+path+", unless that group is meant", "%s: %s can be read by its group (mode %04o)", key, path, mode)
	}
	return true
}

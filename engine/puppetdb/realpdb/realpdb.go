package realpdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

// Packages are those of Debian that [Start] needs.
func Packages() []string { return []string{"puppetdb", "postgresql"} }

// ErrMissing says that a program is not installed; the error around it has the line that installs it.
var ErrMissing = errors.New("not installed")

// Options describe a PuppetDB. The zero value is a good one.
type Options struct {
	Dir     string        // for a folder that Stop removes; default that of the system. Every user must be able to enter it
	Timeout time.Duration // of the start; default 5 min, for a busy machine
}

// startTimeout is several times what was seen on a busy machine of two cores.
const startTimeout = 5 * time.Minute

// Server is a running PuppetDB. Safe for concurrent use.
type Server struct {
	URL string // http://127.0.0.1:port

	dir      string
	password string // of PuppetDB's role in PostgreSQL
	postgres *daemon.Process
	puppetdb *daemon.Process
	stop     sync.Once

	mu    sync.Mutex // guards stamp
	stamp time.Time  // of the newest command
}

// Start starts PostgreSQL and a PuppetDB that is empty and answers when Start returns. It runs until Stop,
// whatever becomes of ctx.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Timeout == 0 {
		o.Timeout = startTimeout
	}
	if err := installed(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Timeout, fmt.Errorf("it took more than %v", o.Timeout))
	defer cancel()
	dir, err := os.MkdirTemp(o.Dir, "playbot-puppetdb-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start a PuppetDB: %w", err)
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if err := os.Chmod(s.dir, 0o711); err != nil { //nolint:gosec // two users enter it
		return err
	}
	port, err := s.startPostgres(ctx)
	if err != nil {
		return err
	}
	return s.startPuppetDB(ctx, port)
}

// Stop ends both and removes their folder. It may be called twice.
func (s *Server) Stop() {
	s.stop.Do(func() {
		for _, p := range []*daemon.Process{s.puppetdb, s.postgres} {
			if p != nil {
				p.Stop()
			}
		}
		_ = os.RemoveAll(s.dir) // it is ours, and nobody uses it any more
	})
}

// installed looks for the programs before anything is started.
func installed() error {
	_, err := postgresBin()
	if err == nil {
		for _, file := range []string{"/usr/bin/java", jar, bootstrap} {
			if _, missing := os.Stat(file); missing != nil {
				err = fmt.Errorf("%s is %w", file, ErrMissing)
				break
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%w; run apt-get install -y --no-install-recommends %s", err, strings.Join(Packages(), " "))
	}
	return nil
}

// folder makes one that only a user enters.
func (s *Server) folder(name, user string) (string, error) {
	path := filepath.Join(s.dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", err
	}
	return path, daemon.Give(path, user)
}

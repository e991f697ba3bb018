package demoreal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const (
	// FirstRevision is what every web server runs at first.
	FirstRevision = "1.0.0"
	// NextRevision is a good release.
	NextRevision = "1.1.0"
	// BrokenRevision is a release that answers nothing but 500.
	BrokenRevision = "1.2.0"
	// LastRevision is another good release.
	LastRevision = "1.3.0"
)

// fillRepository writes the releases that appmgr can install.
func fillRepository(dir string) error {
	for _, revision := range []string{FirstRevision, NextRevision, BrokenRevision, LastRevision} {
		release := filepath.Join(dir, revision)
		if err := os.MkdirAll(release, 0o755); err != nil { //nolint:gosec // nagios reads it
			return err
		}
		files := map[string]string{webapp.RevisionFile: revision}
		if revision == BrokenRevision {
			files[webapp.BrokenFile] = ""
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(release, name), []byte(text), 0o644); err != nil { //nolint:gosec // nagios reads it
				return err
			}
		}
	}
	return nil
}

// supervisor keeps the application of a machine running, as systemd would: what ends is started again.
type supervisor struct {
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex // guards current
	current *daemon.Process
	err     error
}

// restartAfter keeps one that cannot start from taking the whole machine.
const restartAfter = 100 * time.Millisecond

// startApplication installs the first release and returns when the application answers.
func startApplication(ctx context.Context, m *machine, bin, repository string) (*supervisor, error) {
	release := m.path("app", "releases", FirstRevision)
	if err := os.CopyFS(release, os.DirFS(filepath.Join(repository, FirstRevision))); err != nil {
		return nil, err
	}
	if err := os.Symlink(release, m.path("app", webapp.Current)); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &supervisor{stop: stop, done: make(chan struct{})}
	go s.supervise(running, daemon.Command{
		Name: "the application of " + m.name, Argv: []string{filepath.Join(bin, "webapp"), m.name, m.address, m.path("app")},
	})
	err := until(ctx, "the application of "+m.name, func(ctx context.Context) error {
		_, _, err := agents.Get(ctx, m.url()+"/version")
		return err
	})
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w; %w", err, s.said())
	}
	return s, nil
}

func (s *supervisor) supervise(ctx context.Context, c daemon.Command) {
	defer close(s.done)
	for {
		p, err := daemon.Start(ctx, c)
		s.mu.Lock()
		s.current, s.err = p, err
		s.mu.Unlock()
		var ended <-chan struct{}
		if err == nil {
			ended = p.Done()
		} else {
			again := make(chan struct{})
			close(again)
			ended = again
		}
		select {
		case <-ended:
		case <-ctx.Done():
			if err == nil {
				p.Stop()
			}
			return
		}
		select {
		case <-time.After(restartAfter):
		case <-ctx.Done():
			return
		}
	}
}

// said is what is known of an application that does not answer.
func (s *supervisor) said() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.current == nil {
		return s.err
	}
	return s.current.Err()
}

// Stop ends the application for good.
func (s *supervisor) Stop() {
	s.stop()
	<-s.done
}

// url is where the application of a machine answers.
func (m *machine) url() string { return "http://" + m.address + ":" + webapp.Port }

// version asks the application of a machine what it runs.
func (m *machine) version(ctx context.Context) (string, error) {
	code, line, err := agents.Get(ctx, m.url()+"/version")
	if err != nil {
		return "", err
	}
	revision, ok := strings.CutPrefix(line, "revision ")
	if !ok {
		return "", fmt.Errorf("%s says %q instead of its revision", m.name, line)
	}
	if code != http.StatusOK {
		revision, _, _ = strings.Cut(revision, " ")
		revision += " (failing)"
	}
	return revision, nil
}

// until looks until there is no error.
func until(ctx context.Context, what string, ok func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing after %v", patience))
	defer cancel()
	var last error
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s in vain: %w", what, errors.Join(context.Cause(ctx), last))
		}
	}
}

const (
	look = 50 * time.Millisecond
	// patience is for one thing to be ready on a busy machine.
	patience = 4 * time.Minute
)

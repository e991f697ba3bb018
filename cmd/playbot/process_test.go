package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/store"
)

const (
	room    = "deploys"
	patient = 90 * time.Second      // bounds every wait; nothing takes so long
	look    = 20 * time.Millisecond // how often another process is looked at
)

// site is a workspace, a fleet and a PuppetDB in this process, and a configuration for a bot in another.
type site struct {
	*app.Local

	t      testing.TB
	config string // path
	serve  *process
}

// newSite starts a site whose scenario takes a second.
func newSite(tb testing.TB) *site {
	tb.Helper()
	dir := tb.TempDir()
	local, err := app.StartLocal(tb.Context(), app.LocalOptions{
		Dir: dir, Nodes: fleetsim.WebFleet(2, 50*time.Millisecond), RedChecks: 2,
		Settings: map[string]any{"check_interval": 0.05, "puppet_interval": 0.05, "batch_pause": 0.05},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := local.Stop(context.Background()); err != nil {
			tb.Errorf("stop: %v", err)
		}
		for _, v := range local.Workspace.Violations() {
			if v.Error == "request_timeout" && !slices.Contains(v.Details, (&http.MaxBytesError{}).Error()) {
				continue // the process was killed in the middle of sending
			}
			tb.Errorf("the workspace refused a message as Slack would: %s %s %v", v.Method, v.Error, v.Details)
		}
	})
	s := &site{Local: local, t: tb, config: filepath.Join(dir, "playbot.yaml")}
	s.configure()
	return s
}

// configure writes the configuration again after a test has changed it.
func (s *site) configure() {
	s.t.Helper()
	data, err := yaml.Marshal(s.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.config, data, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// process is a playbot that runs.
type process struct {
	cmd  *exec.Cmd
	errs *lockedBuffer
	done chan struct{} // closed when it has ended
}

// lockedBuffer may be read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start starts `playbot serve`.
func (s *site) start() {
	s.t.Helper()
	p := &process{cmd: exec.CommandContext(context.Background(), "playbot", "serve", "--config", s.config), errs: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Stderr = p.errs
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	s.serve = p
	s.t.Cleanup(p.kill)
}

// kill ends a process with no chance to tidy up.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended already
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks the bot to end and wants it to do so properly.
func (s *site) stop() {
	s.t.Helper()
	if err := s.serve.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	<-s.serve.done
	if code := s.serve.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("playbot ended with %d, want 0; it said:\n%s", code, s.serve.errs)
	}
}

// poll looks until ok, or fails the test.
func (s *site) poll(what string, ok func() bool) {
	s.t.Helper()
	deadline := time.After(patient)
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("waited for %s in vain; the channel shows:\n%s\nplaybot said:\n%s", what, s.transcript(), s.serve.errs)
		}
	}
}

func (s *site) transcript() string {
	var b strings.Builder
	for _, m := range s.Workspace.Everything(room) {
		b.WriteString(s.Workspace.PlainText(m) + "\n---\n")
	}
	return b.String()
}

// showing finds the first message that shows a button.
func (s *site) showing(button string) (workspace.Message, bool) {
	for _, m := range s.Workspace.Everything(room) {
		if strings.Contains(s.Workspace.PlainText(m), "["+button+"]") {
			return m, true
		}
	}
	return workspace.Message{}, false
}

// runs reads the store of a bot that does not run.
func (s *site) runs() (list []*engine.Run, events map[engine.RunID][]engine.Event) {
	s.t.Helper()
	st, err := store.Open(s.Config.StorePath(), store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	var found []engine.Summary
	for q := (engine.HistoryQuery{Limit: 100}); ; q.Before = found[len(found)-1].Run {
		page, err := st.Find(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		if found = append(found, page...); len(page) < q.Limit {
			break
		}
	}
	events = map[engine.RunID][]engine.Event{}
	for _, sum := range found {
		run := &engine.Run{}
		for e, err := range st.Read(s.t.Context(), sum.Run.Stream()) {
			if err != nil {
				s.t.Fatal(err)
			}
			run.Apply(e)
			events[sum.Run] = append(events[sum.Run], e)
		}
		list = append(list, run)
	}
	return list, events
}

// commits is the number of the last transaction of a bbolt file, read from its two meta pages
// (bbolt's page.go and db.go: a header of 16 bytes, the transaction at byte 48 of what follows).
func commits(path string) uint64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	last := uint64(0)
	for _, page := range []int64{0, int64(os.Getpagesize())} {
		var txid [8]byte
		if _, err := f.ReadAt(txid[:], page+16+48); err == nil {
			last = max(last, binary.NativeEndian.Uint64(txid[:]))
		}
	}
	return last
}

package demoreal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/puppetdb/realpdb"
)

// Options describe a world.
type Options struct {
	Bin  string    // the folder of the programs webagent and webapp
	Out  io.Writer // is told what happens
	Keep bool      // Stop leaves the folder with configurations and logs, and says where it is
}

// World is everything that the bot acts on. One run is played in it at a time.
type World struct {
	bin, dir  string
	out       io.Writer
	keep      bool
	lbs, webs []*machine
	db        *realpdb.Server
	choria    *choriaNetwork
	hooks     *app.Hooks
	hooksURL  string
	plays     int

	mu   sync.Mutex // guards ends
	ends []func()   // the last first
}

const repositoryDir = "repository"

// startTimeout is for a busy machine; on a quiet one it takes some 30 s, nearly all of it for PuppetDB.
const startTimeout = 6 * time.Minute

// Start starts everything. When it fails, nothing is left.
func Start(ctx context.Context, o Options) (*World, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it took more than %v", startTimeout))
	defer cancel()
	if o.Out == nil {
		o.Out = io.Discard
	}
	dir, err := os.MkdirTemp("", "playbot-demo-real-")
	if err != nil {
		return nil, err
	}
	w := &World{bin: o.Bin, dir: dir, out: o.Out, keep: o.Keep}
	if err := w.start(ctx); err != nil {
		w.Stop()
		return nil, fmt.Errorf("start the real things: %w", err)
	}
	return w, nil
}

// Stop ends everything that Start started, and removes its folder. It may be called twice.
func (w *World) Stop() {
	w.mu.Lock()
	ends := w.ends
	w.ends = nil
	w.mu.Unlock()
	for _, end := range slices.Backward(ends) {
		end()
	}
	if w.keep {
		fmt.Fprintf(w.out, "Configurations and logs are in %s\n", w.dir)
		return
	}
	_ = os.RemoveAll(w.dir) // it is ours, and nobody uses it any more
}

func (w *World) later(end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends = append(w.ends, end)
}

func (w *World) start(ctx context.Context) error {
	for _, program := range []string{"webagent", "webapp"} {
		if _, err := os.Stat(filepath.Join(w.bin, program)); err != nil {
			return fmt.Errorf("%w; go build -o %s ./cmd/... makes it", err, w.bin)
		}
	}
	if err := os.Chmod(w.dir, 0o755); err != nil { //nolint:gosec // the users of the services enter it
		return err
	}
	if err := fillRepository(filepath.Join(w.dir, repositoryDir)); err != nil {
		return err
	}
	all := machines(w.dir)
	w.lbs, w.webs = all[:balancers], all[balancers:]
	// PuppetDB takes longest, so everything else starts meanwhile.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, part := range []func(context.Context, []*machine) error{w.startDatabase, w.startRest} {
		wg.Go(func() {
			if errs[i] = part(ctx, all); errs[i] != nil {
				cancel(errs[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

func (w *World) startDatabase(ctx context.Context, all []*machine) error {
	var err error
	if w.db, err = startPuppetDB(ctx, all); err != nil {
		return err
	}
	w.later(w.db.Stop)
	return nil
}

func (w *World) startRest(ctx context.Context, all []*machine) error {
	if err := w.startHooks(ctx); err != nil {
		return err
	}
	for _, m := range w.webs {
		if err := makePuppet(m); err != nil {
			return err
		}
		s, err := startApplication(ctx, m, w.bin, filepath.Join(w.dir, repositoryDir))
		if err != nil {
			return err
		}
		w.later(s.Stop)
		p, err := startNRPE(ctx, m)
		if err != nil {
			return err
		}
		w.later(p.Stop)
	}
	for _, m := range w.lbs {
		p, err := startHAProxy(ctx, m, w.webs)
		if err != nil {
			return err
		}
		w.later(p.Stop)
	}
	var err error
	if w.choria, err = startNetwork(ctx, filepath.Join(w.dir, "choria"), w.bin, all); err != nil {
		return err
	}
	w.later(w.choria.Stop)
	return nil
}

// startHooks listens for the webhooks of the playbook.
func (w *World) startHooks(ctx context.Context) error {
	w.hooks = &app.Hooks{}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: w.hooks, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // ends with the server
	}()
	w.hooksURL = "http://" + ln.Addr().String()
	w.later(func() {
		_ = srv.Close()
		<-done
	})
	return nil
}

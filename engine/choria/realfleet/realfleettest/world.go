package realfleettest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/builtin"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
	"github.com/playbot/playbot/engine/tasks/slack"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// world is our engine with the example playbooks: over the real servers of a fleet, with a PuppetDB
// that knows them, an end point for webhooks and somebody who listens to what is posted.
type world struct {
	tb    testing.TB
	fleet *realfleet.Fleet
	house *enginetest.House

	mu     sync.Mutex // guards what follows
	posted []string   // channel: text
	hooked []string   // bodies
}

// newWorld starts the engine. Before it gives silent servers up it waits for patience, or for the time
// that the description of an agent gives it.
func newWorld(tb testing.TB, f *realfleet.Fleet, nodes []realfleet.Node, ddls *ddl.Index, patience time.Duration) *world {
	tb.Helper()
	w := &world{tb: tb, fleet: f}
	data := tb.TempDir()
	w.settings(data)
	o := f.Options()
	o.Timeout, o.Window = patience, LongWindow
	network := Connect(tb, o)
	shelf := &shelf{}
	types := builtin.Types(builtin.Deps{
		Network: network, PuppetDB: w.puppetDB(nodes), DDLs: ddls, Books: shelf, DataDir: data, Slack: slack.Options{Poster: w},
	})
	shelf.Library = examples(tb, types)
	log, err := store.Open(filepath.Join(data, "playbot.db"), store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = log.Close() })
	answers := &attentive{Log: log, approve: w.approve}
	tb.Cleanup(answers.wg.Wait)
	w.house = enginetest.NewHouse(tb, answers, func(o *engine.Options) {
		o.Types, o.Books, o.Fleet = types, shelf, network
	})
	return w
}

// settings writes the data store of web_upgrade: where webhooks go, and no pauses.
func (w *world) settings(dir string) {
	w.tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(w.hook))
	w.tb.Cleanup(server.Close)
	text := fmt.Sprintf("lambda_url: %s\ncheck_interval: 0\npuppet_interval: 0\nbatch_pause: 0\n", server.URL)
	if err := os.WriteFile(filepath.Join(dir, "settings.yaml"), []byte(text), 0o600); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) puppetDB(nodes []realfleet.Node) *puppetdb.Client {
	w.tb.Helper()
	var known []pdbsim.Node
	for _, n := range nodes {
		known = append(known, pdbsim.Node{Certname: n.Name, Facts: n.Facts, Classes: n.Classes})
	}
	server := httptest.NewServer(pdbsim.New(known))
	w.tb.Cleanup(server.Close)
	c, err := puppetdb.New(puppetdb.Options{URL: server.URL})
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(c.Close)
	return c
}

// examples are the playbooks that come with playbot.
func examples(tb testing.TB, types engine.Types) *playbooks.Library {
	tb.Helper()
	files, err := playbooks.Examples()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	for _, name := range []string{"web_upgrade.yaml", "deploy_failure_handler.yaml"} {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	library, err := playbooks.OpenLibrary(dir, types)
	if err != nil {
		tb.Fatal(err)
	}
	for _, b := range library.Broken() {
		tb.Fatalf("%s: %v", b.File, b.Problems)
	}
	return library
}

// shelf is the library for the task type that starts playbooks, which is made before it.
type shelf struct{ *playbooks.Library }

// hook takes a webhook.
func (w *world) hook(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxHook))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hooked = append(w.hooked, string(body))
}

const maxHook = 1 << 20

// Post implements the slack task's Poster.
func (w *world) Post(_ context.Context, m slack.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.posted = append(w.posted, m.Channel+": "+m.Text)
	return nil
}

// approve has ben approve whatever a run asks.
func (w *world) approve(ctx context.Context, run engine.RunID, a engine.ApprovalAsked) {
	if err := w.house.Engine.Approve(ctx, engine.Decision{Run: run, Approval: a.Approval, Actor: w.house.Ben}); err != nil {
		w.tb.Errorf("approve: %v", err)
	}
}

// attentive is a log that sees to it that what is asked is answered.
type attentive struct {
	engine.Log
	approve func(context.Context, engine.RunID, engine.ApprovalAsked)
	wg      sync.WaitGroup // of the answers
}

// Append implements [engine.Log].
func (l *attentive) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	seq, err := l.Log.Append(ctx, stream, after, facts...)
	for _, fact := range facts {
		asked, ok := fact.(engine.ApprovalAsked)
		if run, isRun := stream.Run(); ok && isRun && err == nil {
			l.wg.Go(func() { l.approve(context.WithoutCancel(ctx), run, asked) })
		}
	}
	return seq, err
}

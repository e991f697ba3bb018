package bot

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store"
)

// stage is a whole bot in virtual time: the real Slack client, our workspace over pipes in memory, a
// real engine on a real file. ana deploys, ben approves, gus is a guest. What outlives the bubble is
// an error, so it checks for leaks too.
type stage struct {
	*enginetest.House
	ws    *workspace.Server
	pipe  *workspace.Pipe
	store *store.Store
	books *shelf
	log   *blockingLog
	feed  *frozenFeed
	net   *network
	path  string // of the store

	tb     *testing.T
	change []func(*Options)
	mu     sync.Mutex // guards what follows
	bot    *Bot
	ended  chan error
}

// setting changes how a stage is built.
type setting struct {
	workspace func(*workspace.Options)
	engine    func(*engine.Options)
	bot       func(*Options)
	store     func(*store.Options)
	idle      bool // no bot is started
}

func onStage(t *testing.T, play func(s *stage), settings ...setting) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "playbot.db")
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, path, settings)
		idle := false
		for _, c := range settings {
			idle = idle || c.idle
		}
		if !idle {
			s.start()
		}
		play(s)
	})
}

func newStage(t *testing.T, path string, settings []setting) *stage {
	t.Helper()
	s := &stage{tb: t, path: path, pipe: workspace.NewPipe(), books: &shelf{}}
	opts := testWorkspace()
	var house []func(*engine.Options)
	var file store.Options
	for _, c := range settings {
		if c.engine != nil {
			house = append(house, c.engine)
		}
		if c.workspace != nil {
			c.workspace(&opts)
		}
		if c.store != nil {
			c.store(&file)
		}
		if c.bot != nil {
			s.change = append(s.change, c.bot)
		}
	}
	s.ws = workspace.New(opts)
	s.ws.Serve(s.pipe)
	s.net = &network{RoundTripper: s.pipe.Client().Transport}
	t.Cleanup(s.ws.Stop)
	var err error
	if s.store, err = store.Open(path, file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	s.log = &blockingLog{Store: s.store}
	s.feed = &frozenFeed{Store: s.store}
	s.House = enginetest.NewHouse(t, s.log, append(house, func(o *engine.Options) {
		o.Posts = true
		o.Vouch = func(ctx context.Context, a engine.Actor) error { return s.current().Vouch(ctx, a) }
		o.Directory = stageDirectory{s}
	})...)
	t.Cleanup(func() {
		s.stop()
		for _, v := range s.ws.Violations() {
			t.Errorf("Slack would have refused: %+v", v)
		}
		checkPayloads(t, s.ws)
		s.checkRuns()
	})
	return s
}

func testWorkspace() workspace.Options {
	opts := workspace.Options{
		Team: workspace.Team{ID: "T1", Name: "Test", Domain: "test"},
		Users: []workspace.User{
			{ID: "UANA", Name: "ana"}, {ID: "UBEN", Name: "ben"}, {ID: "UGUS", Name: "gus", IsGuest: true},
		},
		BotUser: workspace.User{ID: "UBOT", Name: "playbot", IsBot: true},
		Scopes:  ScopeNames(false), // what the manifest does not ask for, no test gets
		Strict:  true,
	}
	for _, c := range Shortcuts() {
		opts.Shortcuts = append(opts.Shortcuts, workspace.Shortcut{Name: c.Name, Type: c.Type, CallbackID: c.CallbackID})
	}
	people := []string{"UANA", "UBEN", "UGUS"}
	all := append([]string{"UBOT"}, people...)
	opts.Channels = []workspace.Channel{
		{ID: "C1", Name: "deploys", Members: all}, {ID: "C2", Name: "ops", Members: all}, {ID: "C3", Name: "random", Members: people},
	}
	return opts
}

// checkRuns holds every run in the log against the promises of the engine.
func (s *stage) checkRuns() {
	events, err := s.store.Since(context.Background(), 0, 1<<20)
	if err != nil {
		s.tb.Error(err)
	}
	seen := map[engine.RunID]bool{}
	for _, e := range events {
		if id, ok := e.Stream.Run(); ok && !seen[id] {
			seen[id] = true
			for _, problem := range enginetest.Check(s.Events(id)) {
				s.tb.Errorf("run %s: %s", id.Short(), problem)
			}
		}
	}
}

func (s *stage) current() *Bot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bot
}

// build makes a bot on what is there.
func (s *stage) build() *Bot {
	s.tb.Helper()
	b, err := New(s.options())
	if err != nil {
		s.tb.Fatal(err)
	}
	return b
}

func (s *stage) options() Options {
	s.tb.Helper()
	c, err := commands.New(commands.Deps{Engine: s.Engine, History: s.store, Books: s.books})
	if err != nil {
		s.tb.Fatal(err)
	}
	o := Options{
		BotToken: s.ws.BotToken(), AppToken: s.ws.AppToken(), APIURL: s.ws.APIURL(), HTTP: &http.Client{Transport: s.net},
		Dialer:   &websocket.Dialer{NetDialContext: s.pipe.Dial, HandshakeTimeout: 10 * time.Second},
		Commands: c, Runs: s.Engine, Feed: s.feed, Label: "test", OpsChannel: "#ops",
		Previous: c.Previous, Approvers: s.Engine.Policy().Approvers, Progress: s.Engine.Progress, Logger: testLogger(),
	}
	for _, change := range s.change {
		change(&o)
	}
	return o
}

// start starts a bot and waits until it is connected.
func (s *stage) start() {
	s.tb.Helper()
	b, ended := s.build(), make(chan error, 1)
	s.mu.Lock()
	s.bot, s.ended = b, ended
	s.mu.Unlock()
	go func() { ended <- b.Run(context.WithoutCancel(s.tb.Context())) }()
	s.until("the bot is connected", func() bool { return s.ws.Connected() > 0 })
}

// stop stops the bot as a shutdown does, with a minute to draw what there is.
func (s *stage) stop() { s.stopWithin(time.Minute) }

func (s *stage) stopWithin(d time.Duration) {
	s.tb.Helper()
	s.mu.Lock()
	ended := s.ended
	s.ended = nil
	s.mu.Unlock()
	if ended == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	s.current().Stop(ctx)
	if err := <-ended; err != nil {
		s.tb.Errorf("the bot ended with: %v", err)
	}
	s.until("the bot is disconnected", func() bool { return s.ws.Connected() == 0 })
}

// kill ends the bot as kill -9 does: nothing more is posted or written down.
func (s *stage) kill() {
	s.tb.Helper()
	s.feed.freeze(true)
	s.stopWithin(0)
	s.feed.freeze(false)
}

// crash ends the engine and the bot in the middle of what they do, and starts them again.
func (s *stage) crash() {
	s.tb.Helper()
	s.kill()
	s.Stop()
	s.Restart()
	s.start()
}

// until waits, in virtual time, until something holds.
func (s *stage) until(what string, holds func() bool) {
	s.tb.Helper()
	for deadline := time.Now().Add(10 * time.Minute); ; {
		synctest.Wait()
		if holds() {
			return
		}
		if time.Now().After(deadline) {
			s.tb.Fatalf("still not so: %s\n%s", what, s.everything())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *stage) everything() string {
	var b strings.Builder
	for _, c := range []string{"#deploys", "#ops", "#random"} {
		fmt.Fprintf(&b, "== %s\n%s\n", c, strings.Join(s.texts(c), "\n--\n"))
	}
	return b.String()
}

// texts are all messages of a channel as a person reads them.
func (s *stage) texts(channel string) []string {
	var out []string
	for _, m := range s.ws.Everything(channel) {
		out = append(out, s.ws.PlainText(m))
	}
	return out
}

// book puts a playbook where the engine and the commands find it.
func (s *stage) book(name, body string) {
	s.tb.Helper()
	s.books.add(s.Book(name, body))
}

// slash types a command that is answered, and returns the words of the ack.
func (s *stage) slash(user, channel, line string) string {
	s.tb.Helper()
	m, err := s.ws.Slash(s.tb.Context(), user, channel, "/playbook "+line)
	if err != nil {
		s.tb.Fatalf("%s typed %q: %v", user, line, err)
	}
	if m == nil {
		return ""
	}
	return s.ws.PlainText(*m)
}

// find returns the latest message of a channel with all of the words; false when there is none.
func (s *stage) find(channel string, words ...string) (workspace.Message, bool) {
	var out workspace.Message
	found := false
	for _, m := range s.ws.Everything(channel) {
		if has(s.ws.PlainText(m), words...) {
			out, found = m, true
		}
	}
	return out, found
}

func has(text string, words ...string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// await waits for a message.
func (s *stage) await(channel string, words ...string) workspace.Message {
	s.tb.Helper()
	s.until(fmt.Sprintf("a message in %s says %q", channel, words), func() bool { _, ok := s.find(channel, words...); return ok })
	m, _ := s.find(channel, words...)
	return m
}

// click presses a button and returns the ephemeral answer.
func (s *stage) click(user string, m workspace.Message, action string) string {
	s.tb.Helper()
	before := len(s.ephemerals(user))
	if err := s.ws.Click(s.tb.Context(), user, m.Channel, m.TS, action); err != nil {
		s.tb.Fatalf("%s pressed %s: %v", user, action, err)
	}
	s.until(user+" has an answer to the click", func() bool { return len(s.ephemerals(user)) > before })
	return s.ephemerals(user)[before]
}

// ephemerals are what only that person was told, in all channels.
func (s *stage) ephemerals(user string) []string {
	u, _ := s.ws.User(user)
	var out []string
	for _, c := range []string{"#deploys", "#ops", "#random"} {
		for _, m := range s.ws.Everything(c) {
			if m.Ephemeral == u.ID {
				out = append(out, s.ws.PlainText(m))
			}
		}
	}
	return out
}

// buttons are the action ids of a message as it is now.
func (s *stage) buttons(m workspace.Message) []string {
	now, ok := s.ws.Message(m.Channel, m.TS)
	if !ok {
		s.tb.Fatalf("message %s is gone", m.TS)
	}
	var out []string
	for _, b := range now.Blocks {
		block, _ := b.(map[string]any)
		if block["type"] != "actions" {
			continue
		}
		elements, _ := block["elements"].([]any)
		for _, e := range elements {
			el, _ := e.(map[string]any)
			out = append(out, fmt.Sprint(el["action_id"]))
		}
	}
	return out
}

// now is a message as it reads now.
func (s *stage) now(m workspace.Message) string {
	have, ok := s.ws.Message(m.Channel, m.TS)
	if !ok {
		return ""
	}
	return s.ws.PlainText(have)
}

// newest is the run that was requested last.
func (s *stage) newest() *engine.Run {
	s.tb.Helper()
	runs, err := s.store.Find(s.tb.Context(), engine.HistoryQuery{Limit: 1})
	if err != nil || len(runs) == 0 {
		s.tb.Fatalf("no run: %v", err)
	}
	run, err := s.Engine.Load(s.tb.Context(), runs[0].Run)
	if err != nil {
		s.tb.Fatal(err)
	}
	return run
}

// thread is the thread of a run as ana reads it, the card first.
func (s *stage) thread(run *engine.Run) []string {
	s.tb.Helper()
	run, err := s.Engine.Load(s.tb.Context(), run.ID)
	if err != nil {
		s.tb.Fatal(err)
	}
	at, ok := run.Place()
	if !ok {
		s.tb.Fatalf("run %s has no card", run.ID.Short())
	}
	var out []string
	for _, m := range s.ws.Thread("", at.Channel, at.TS) {
		out = append(out, s.ws.PlainText(m))
	}
	return out
}

// calls are the calls of a method that were carried out since a time.
func (s *stage) calls(method string) []workspace.Traffic {
	var out []workspace.Traffic
	for _, c := range s.ws.Traffic() {
		if c.Method == method && c.Error == "" {
			out = append(out, c)
		}
	}
	return out
}

// wantThread checks that a thread says all of this in order, in no more messages. Steps that end
// together may share one.
func (s *stage) wantThread(run *engine.Run, want ...string) {
	s.tb.Helper()
	got := s.thread(run)
	rest, ok := strings.Join(got, "\n--\n"), len(got) <= len(want)
	for _, w := range want {
		_, after, found := strings.Cut(rest, w)
		rest, ok = after, ok && found
	}
	if !ok {
		s.tb.Errorf("the thread has %d messages:\n%s\n\nwant %d at most with, in order: %q", len(got), strings.Join(got, "\n--\n"), len(want), want)
	}
}

// settle waits until the run has ended and everything is drawn.
func (s *stage) settle(run *engine.Run) {
	s.tb.Helper()
	s.until("the run has ended", func() bool {
		now, err := s.Engine.Load(s.tb.Context(), run.ID)
		return err == nil && now.Status.Final()
	})
	s.drawn()
}

// drawn waits until everything in the log is drawn.
func (s *stage) drawn() {
	s.tb.Helper()
	s.until("everything is drawn", func() bool { return s.current().thread.track.low() >= s.store.Head() })
}

// stageDirectory is the bot that works now: a stage has several, one after the other.
type stageDirectory struct{ *stage }

func (d stageDirectory) Admit(ctx context.Context, a engine.Actor) error {
	return d.current().Admit(ctx, a)
}

func (d stageDirectory) Standing(a engine.Actor) engine.Standing { return d.current().Standing(a) }

func (d stageDirectory) Members(ctx context.Context, group string) ([]string, error) {
	return d.current().Members(ctx, group)
}

package booktest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/playbot/playbot/bot"
	"github.com/playbot/playbot/bot/workspace"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// audience has a real bot draw the runs of a case into a workspace, over pipes in memory.
type audience struct {
	t     *testing.T
	ws    *workspace.Server
	pipe  *workspace.Pipe
	store *store.Store
	bot   *bot.Bot
	ended chan error
	began time.Time
}

const room = "C0DEPLOYS"

// person implements company: somebody who types in #deploys.
func (a *audience) person(name string) engine.Actor {
	return engine.Actor{Team: "T0PLAYBOT", User: "U0" + strings.ToUpper(name), Name: name, Channel: room}
}

// log implements company. It opens the workspace too: everything that waits must belong to the bubble.
func (a *audience) log(s *store.Store) engine.Log {
	a.store = s
	opts := workspace.Options{Strict: true}
	members := []string{"U0PLAYBOT"}
	for _, name := range []string{"ana", "ben", "carla", "dan"} {
		opts.Users = append(opts.Users, workspace.User{ID: a.person(name).User, Name: name})
		members = append(members, a.person(name).User)
	}
	opts.Channels = []workspace.Channel{{ID: room, Name: "deploys", Members: members}, {ID: "C0OPS", Name: "ops", Members: members}}
	a.ws, a.pipe = workspace.New(opts), workspace.NewPipe()
	a.ws.Serve(a.pipe)
	return turns{Store: s, turn: make(chan struct{}, 1)}
}

// join implements company.
func (a *audience) join(ctx context.Context, h *house) {
	a.began, a.ended = time.Now(), make(chan error, 1)
	b, err := bot.New(bot.Options{
		BotToken: a.ws.BotToken(), AppToken: a.ws.AppToken(), APIURL: a.ws.APIURL(), HTTP: a.pipe.Client(),
		Dialer:   &websocket.Dialer{NetDialContext: a.pipe.Dial, HandshakeTimeout: 10 * time.Second},
		Commands: nobody{}, Runs: h.engine, Feed: a.store, Approvers: h.engine.Policy().Approvers, Progress: h.engine.Progress, OpsChannel: "#ops",
	})
	if err != nil {
		a.t.Error(err)
		return
	}
	a.bot = b
	go func() { a.ended <- b.Run(context.WithoutCancel(ctx)) }()
	if err := a.ws.Until(ctx, func() bool { return a.ws.Connected() > 0 }); err != nil {
		a.t.Error(err)
	}
	synctest.Wait()
}

// leave implements company: it waits until everything is drawn.
func (a *audience) leave() {
	if a.bot != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		a.bot.Stop(ctx)
		if err := errors.Join(<-a.ended, ctx.Err()); err != nil {
			a.t.Errorf("the bot ended with: %v", err)
		}
	}
	a.ws.Stop()
}

// nobody says nothing: people act through the engine, as their case says.
type nobody struct {
	bot.Looker // which nobody asks
}

func (nobody) Say(context.Context, commands.Request) commands.Reply { return commands.Reply{} }
func (nobody) Press(context.Context, commands.Press) commands.Reply { return commands.Reply{} }
func (nobody) Submit(context.Context, commands.Submission) commands.Reply {
	return commands.Reply{}
}

func (nobody) Options(context.Context, commands.OptionQuery) commands.Found { return commands.Found{} }

// turns is a log that grows only while everybody else rests: what the bot has drawn when an event comes
// does not depend on who of them the scheduler prefers.
type turns struct {
	*store.Store

	turn chan struct{} // whoever appends holds one; a mutex would keep the others from coming to rest
}

// Append implements [engine.Log].
func (l turns) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	synctest.Wait()
	seq, err := l.Store.Append(ctx, stream, after, facts...)
	synctest.Wait()
	return seq, err
}

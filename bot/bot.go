package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Commands answers people; *commands.Commands is one.
type Commands interface {
	Say(ctx context.Context, q commands.Request) commands.Reply
	Press(ctx context.Context, p commands.Press) commands.Reply
	Submit(ctx context.Context, s commands.Submission) commands.Reply
	Options(ctx context.Context, q commands.OptionQuery) commands.Found // at once, but for a look-up of who asks
	Looker
}

// Runs knows runs and keeps where their messages stand; *engine.Engine is one.
type Runs interface {
	Load(ctx context.Context, id engine.RunID) (*engine.Run, error)
	Book(ctx context.Context, ref engine.PlaybookRef) (*playbooks.Playbook, error)
	Announced(ctx context.Context, id engine.RunID, place engine.Place) error
	Posted(ctx context.Context, id engine.RunID, ref string, place engine.Place) error
	Reissue(ctx context.Context, id engine.RunID, approval string) error
}

// Feed is the log as a reader sees it; *store.Store is one.
type Feed interface {
	Since(ctx context.Context, after engine.Pos, limit int) ([]engine.Event, error)
	Wait(ctx context.Context, after engine.Pos) error
	Cursor(ctx context.Context, name string) (engine.Pos, error)
	SaveCursor(ctx context.Context, name string, pos engine.Pos) error
	Unfinished(ctx context.Context) ([]engine.RunID, error)
}

// Options are what a bot needs.
type Options struct {
	BotToken string // "xoxb-…"
	AppToken string // "xapp-…", with connections:write
	APIURL   string // of the Web API, with a slash at its end; empty: Slack's
	HTTP     *http.Client
	Dialer   *websocket.Dialer // nil: the default one

	Commands    Commands
	Runs        Runs
	Feed        Feed
	Approvers   func(playbook string, from ...string) []string // user ids, "team/user" or "*"; with from, only of these roles
	OwnApproval bool                                           // the word of the requester counts too
	Groups      []string                                       // ids of the user groups that the policy names
	Progress    func(engine.RunID) (engine.Progress, bool)     // of the attempt that is under way; nil: nobody knows
	// Previous is the run before this one that a gate is compared with, or nil; where it is not set, nothing is compared.
	Previous   func(ctx context.Context, run *engine.Run) (*engine.Run, error)
	StaleAfter time.Duration // commands that come later than this after they were sent are not run; default 5 min
	Label      string        // of this installation, on every card
	OpsChannel string        // where cards go when the bot may not post where a run was asked for
	Logger     *slog.Logger
}

// Bot is a bot in one workspace. Its methods are safe for concurrent use.
type Bot struct {
	opts   Options
	api    *slack.Client
	logger *slog.Logger
	people *people

	directory *directory
	thread    *thread
	homes     *homes
	seen      *seen
	health    *health
	self      string      // the bot's own user id, known once Run has begun
	team      string      // its workspace, known once Run has begun
	blind     atomic.Bool // it may not read what stands in channels

	workspaceURL string // with a slash at its end, known once Run has begun

	looking sync.Mutex // guards what follows
	looked  bool       // for the cards of before this process

	mu      sync.Mutex // guards what follows
	scopes  string
	cards   map[engine.Place]engine.RunID
	differs map[engine.RunID][]string // see [Bot.compare]
	cancel  context.CancelFunc
	close   func()
	done    chan struct{}
	stopped bool // Stop was called
}

// New returns a bot, or an error that says what is missing.
func New(o Options) (*Bot, error) {
	if o.Commands == nil || o.Runs == nil || o.Feed == nil {
		return nil, errors.New("bot: Commands, Runs and Feed are required")
	}
	if err := checkTokens(o); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if o.StaleAfter == 0 {
		o.StaleAfter = staleAfter
	}
	if o.Approvers == nil {
		o.Approvers = func(string, ...string) []string { return nil }
	}
	o.HTTP = throttled(o.HTTP, o.APIURL)
	b := &Bot{opts: o, logger: o.Logger, seen: newSeen(), health: newHealth(o.Logger), cards: map[engine.Place]engine.RunID{}, differs: map[engine.RunID][]string{}}
	settings := []slack.Option{
		slack.OptionAppLevelToken(o.AppToken), slack.OptionHTTPClient(o.HTTP),
		slack.OptionOnResponseHeaders(func(_ string, h http.Header) { b.noteScopes(h) }),
	}
	if o.APIURL != "" {
		settings = append(settings, slack.OptionAPIURL(o.APIURL))
	}
	b.api = slack.New(o.BotToken, settings...)
	b.people = newPeople(b.api)
	b.directory = newDirectory(b.api, o.Groups)
	b.thread = newThread(b)
	b.homes = newHomes(b)
	return b, nil
}

// checkTokens catches the tokens that are easily confused before Slack is asked.
func checkTokens(o Options) error {
	if err := CheckBotToken(o.BotToken); err != nil {
		return err
	}
	return CheckAppToken(o.AppToken)
}

// Run connects and works until ctx ends or [Bot.Stop] is called. It returns an error only when Slack
// refuses the tokens at the start, which waiting cannot mend. When that happens later the runs go on,
// and [Bot.Health] says so.
func (b *Bot) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closing, closed := context.WithCancel(ctx)
	defer closed()
	done := make(chan struct{})
	defer close(done)
	b.mu.Lock()
	b.cancel, b.close, b.done = cancel, closed, done
	if b.stopped {
		closed()
	}
	b.mu.Unlock()

	if err := b.signIn(closing); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { b.thread.run(ctx, closing) })
	wg.Go(func() { b.keepGroups(closing) })
	wg.Go(func() { b.homes.run(closing) })
	b.listen(ctx, closing)
	closed()
	wg.Wait()
	return nil
}

// Stop takes no more requests, draws what has happened so far, and returns when ctx ends or
// everything is drawn. It may be called twice.
func (b *Bot) Stop(ctx context.Context) {
	b.mu.Lock()
	b.stopped = true // a Run that begins only now returns
	cancel, closing, done := b.cancel, b.close, b.done
	b.mu.Unlock()
	if done == nil {
		return
	}
	closing()
	select {
	case <-done:
	case <-ctx.Done():
		cancel()
		<-done
	}
}

// signIn asks Slack whether the tokens are good, with patience while it cannot be reached.
func (b *Bot) signIn(ctx context.Context) error {
	for try := 0; ; try++ {
		who, err := b.api.AuthTestContext(ctx)
		if err == nil {
			b.self, b.team, b.workspaceURL = who.UserID, who.TeamID, who.URL
			b.directory.isHome(who.TeamID)
			_, _, err = b.api.StartSocketModeContext(ctx)
			if err == nil {
				b.logger.InfoContext(ctx, "signed in to slack", "team", who.TeamID, "user", who.UserID)
				return b.checkScopes()
			}
			if permanent(err) {
				return fmt.Errorf("slack refuses the app token: %w; create one with connections:write on the app's page \"Basic Information\"", err)
			}
		} else if permanent(err) {
			return fmt.Errorf("slack refuses the bot token: %w; reinstall the app and copy the Bot User OAuth Token from \"OAuth & Permissions\"", err)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped before it began; that is no failure
		}
		b.logger.WarnContext(ctx, "slack cannot be reached yet", "error", err, "try", try+1)
		if !pause(ctx, backoff(try)) {
			return nil
		}
	}
}

func (b *Bot) noteScopes(h http.Header) {
	if s := h.Get("X-OAuth-Scopes"); s != "" {
		b.mu.Lock()
		b.scopes = s
		b.mu.Unlock()
	}
}

// checkScopes compares what was granted with what the bot cannot do without.
func (b *Bot) checkScopes() error {
	b.mu.Lock()
	granted := b.scopes
	b.mu.Unlock()
	if granted == "" {
		return nil
	}
	for _, scope := range Lacking(strings.Split(granted, ",")) {
		if scope.Required {
			return fmt.Errorf("the Slack bot token lacks the scope %q; add it on the app's page \"OAuth & Permissions\" and reinstall the app", scope.Name)
		}
		b.logger.Warn("the Slack bot token lacks a scope", "scope", scope.Name, "without_it", scope.Without)
	}
	return nil
}

package bot

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

const (
	// sockets is how many connections are held. Slack gives each envelope to one of them, and replaces
	// them every few hours: with two there is always one that works. Slack allows ten for an app.
	sockets = 2
	// maxInFlight is how many requests are answered at a time. What comes beyond is told so and not done:
	// with a disk that takes 200 ms to sync, 200 commands a second need about 150.
	maxInFlight = 512
	// steady is how long a connection has to last before the next one is opened without a pause.
	steady = 10 * time.Second
	// maxDropped is the longest pause after a connection that did not last; one that cannot even be opened
	// is tried less often.
	maxDropped = 8 * time.Second
	// farewell is how long acks may still be sent when no more requests are taken.
	farewell = 3 * time.Second
)

// switchboard holds the connections and hands what comes to the bot.
type switchboard struct {
	bot   *Bot
	slots chan struct{}
	work  sync.WaitGroup // requests that are being answered

	mu    sync.Mutex // guards what follows
	links []*link
}

// listen takes envelopes until closing ends, and returns when what it took is answered.
func (b *Bot) listen(ctx, closing context.Context) {
	s := &switchboard{bot: b, slots: make(chan struct{}, maxInFlight)}
	var wg sync.WaitGroup
	for range sockets {
		wg.Go(func() { s.hold(ctx, closing) })
	}
	wg.Wait()
	s.work.Wait()
}

// hold keeps one connection open. When Slack announces the end of one, the next is opened before that.
func (s *switchboard) hold(ctx, closing context.Context) {
	b := s.bot
	var wg sync.WaitGroup
	defer wg.Wait()
	for try := 0; closing.Err() == nil; {
		l, err := b.dial(closing)
		if err != nil {
			if closing.Err() != nil {
				return
			}
			b.health.socketFailed(closing, err)
			wait := backoff(try)
			if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
				wait = limited.RetryAfter
			}
			try++
			pause(closing, wait+jitter(wait))
			continue
		}
		began := time.Now()
		wg.Go(func() { s.serve(ctx, closing, l) })
		spread := time.Second
		select {
		case <-l.leaving:
			spread = 250 * time.Millisecond // it works until it ends
		case <-l.gone:
		case <-closing.Done():
			return
		}
		if try++; time.Since(began) > steady {
			try = 0
		}
		wait := time.Duration(0)
		if try > 0 { // it did not last
			wait = min(backoff(try-1), maxDropped)
		}
		pause(closing, wait+jitter(spread))
	}
}

// jitter is a random part of d, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration {
	return time.Duration(rand.Int64N(int64(max(d, 1)))) //nolint:gosec // nobody gains from guessing a pause
}

// serve reads a connection to its end. When the bot closes, what was taken may still be acknowledged.
func (s *switchboard) serve(ctx, closing context.Context, l *link) {
	b := s.bot
	s.add(l)
	stop := context.AfterFunc(closing, l.stopReading)
	err := l.read(func(f frame) { s.take(ctx, l, f) }, func(kind string, g greeting) { s.hear(ctx, kind, g) })
	stop()
	if closing.Err() != nil {
		s.answered()
	} else {
		b.logger.InfoContext(ctx, "slack connection ended", "error", err)
	}
	s.remove(l)
	l.close()
}

// answered waits until everything that was taken is answered, for a while.
func (s *switchboard) answered() {
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	timer := time.NewTimer(farewell)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

// hear notes what Slack says of a connection.
func (s *switchboard) hear(ctx context.Context, kind string, g greeting) {
	b := s.bot
	switch {
	case kind == "hello" && g.Connections > 2*sockets: // each may be open twice while it is replaced
		b.health.good(ctx, ofSocket)
		b.logger.WarnContext(ctx, "somebody else is connected with this app token, and gets a part of what people type and press",
			"connections", g.Connections, "ours", sockets)
	case kind == "hello":
		b.health.good(ctx, ofSocket)
		b.logger.InfoContext(ctx, "connected to slack", "connections", g.Connections)
	case kind == "disconnect":
		b.health.told(ctx, g.Reason)
	default:
		b.logger.WarnContext(ctx, "slack sent what cannot be read", "error", g.Reason)
	}
}

// take has an envelope answered in the background, or refuses it when too much is being answered.
func (s *switchboard) take(ctx context.Context, l *link, f frame) {
	select {
	case s.slots <- struct{}{}:
	default:
		s.bot.logger.WarnContext(ctx, "request refused; too many are being answered", "type", f.Type)
		if f.Type == "slash_commands" {
			_ = s.ack(l, f.EnvelopeID, json.RawMessage(overloaded)) // then Slack says that the command failed
		}
		return // without an ack Slack shows that a click failed, and sends an event again
	}
	s.work.Go(func() {
		defer func() { <-s.slots }()
		s.bot.handle(ctx, desk{s, l}, f)
	})
}

const overloaded = `{"response_type":"ephemeral","text":"playbot has too much to do right now; nothing was done. Please try again in a minute."}`

// acker acknowledges envelopes.
type acker interface {
	AckCtx(ctx context.Context, id string, payload any) error
}

// desk acknowledges what came on one connection.
type desk struct {
	board *switchboard
	link  *link
}

// AckCtx implements acker.
func (d desk) AckCtx(_ context.Context, id string, payload any) error {
	return d.board.ack(d.link, id, payload)
}

// ack acknowledges on the connection on which the envelope came. When that has ended, any other may do.
func (s *switchboard) ack(l *link, id string, payload any) error {
	err := l.ack(id, payload)
	if err == nil {
		return nil
	}
	s.mu.Lock()
	others := slices.Clone(s.links)
	s.mu.Unlock()
	for _, other := range others {
		if other != l && other.ack(id, payload) == nil {
			return nil
		}
	}
	return err
}

func (s *switchboard) add(l *link) {
	s.mu.Lock()
	s.links = append(s.links, l)
	n := len(s.links)
	s.mu.Unlock()
	s.bot.health.sockets(n)
}

func (s *switchboard) remove(l *link) {
	s.mu.Lock()
	s.links = slices.DeleteFunc(s.links, func(other *link) bool { return other == l })
	n := len(s.links)
	s.mu.Unlock()
	s.bot.health.sockets(n)
}

// handle answers one envelope. A panic costs that answer and nothing else.
func (b *Bot) handle(ctx context.Context, client acker, f frame) {
	defer func() {
		if p := recover(); p != nil {
			b.logger.ErrorContext(ctx, "request panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	ack := func(payload any) {
		if err := client.AckCtx(ctx, f.EnvelopeID, payload); err != nil {
			b.logger.WarnContext(ctx, "ack not sent", "error", err)
		}
	}
	switch f.Type {
	case "slash_commands":
		b.slash(ctx, f, ack)
	case "interactive":
		b.interactive(ctx, f, ack)
	case "events_api":
		b.event(ctx, f.Payload, ack)
	default:
		ack(nil)
	}
}

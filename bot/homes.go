package bot

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// homes keeps the Home tabs of those who look at them as things are. Slack does not say when somebody
// looks away, so that a tab that was opened a while ago counts as closed. One goroutine publishes, so that
// an old view never replaces a newer one; several changes at once are one view.
type homes struct {
	bot    *Bot
	budget *bucket
	wake   chan struct{}

	links map[engine.Place]string // of the publisher alone

	mu      sync.Mutex // guards what follows
	viewers map[string]*viewer
}

// viewer is somebody who looked at their Home tab lately.
type viewer struct {
	who    engine.Actor
	seen   time.Time
	due    time.Time // when to publish; zero when the tab is as it should be
	force  bool      // publish also what is there already
	shown  string    // what was published last
	hash   string    // of the tab, as far as we know
	answer message   // to their latest click there
}

const (
	// homeLife is how long a tab that was opened is kept as things are.
	homeLife = 10 * time.Minute
	// homeEvery is how often one tab is published at most, unless its person has just done something.
	homeEvery = 5 * time.Second
	// views.publish: 100 a minute and workspace (docs.slack.dev/apis/web-api/rate-limits, tier 4). We use 60.
	homeBurst = 10
	homeRate  = time.Second
	// maxViewers bounds those who are kept; maxLinks the addresses of cards.
	maxViewers = 1000
	maxLinks   = 2000
)

func newHomes(b *Bot) *homes {
	return &homes{bot: b, budget: newBucket(homeBurst, homeRate), wake: make(chan struct{}, 1), links: map[engine.Place]string{}, viewers: map[string]*viewer{}}
}

// home has the Home tab of somebody published now, since they look at it: with an answer to what they
// pressed there, if they did.
func (b *Bot) home(_ context.Context, who engine.Actor, answer ...message) {
	b.homes.look(who, "", answer...)
}

// look notes that somebody looks at their tab. hash is of what they see, when Slack said so.
func (h *homes) look(who engine.Actor, hash string, answer ...message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := who.Team + "/" + who.User
	v := h.viewers[key]
	if v == nil {
		if len(h.viewers) >= maxViewers {
			h.forget(time.Now(), true)
		}
		v = &viewer{who: who}
		h.viewers[key] = v
	}
	if hash != "" {
		v.hash = hash
	}
	v.seen, v.due, v.force, v.answer = time.Now(), time.Now(), true, message{}
	if len(answer) > 0 {
		v.answer = answer[0]
	}
	poke(h.wake)
}

// changed says that a run is other than it was.
func (h *homes) changed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.viewers {
		if v.due.IsZero() {
			v.due = time.Now().Add(homeEvery)
		}
	}
	if len(h.viewers) > 0 {
		poke(h.wake)
	}
}

// forget drops those who looked too long ago; with oldest at least one. The caller holds the lock.
func (h *homes) forget(now time.Time, oldest bool) {
	last := ""
	for key, v := range h.viewers {
		if now.Sub(v.seen) > homeLife {
			delete(h.viewers, key)
			oldest = false
		} else if last == "" || v.seen.Before(h.viewers[last].seen) {
			last = key
		}
	}
	if oldest {
		delete(h.viewers, last)
	}
}

// run publishes until ctx ends. What is not published then, its person sees when they look again.
func (h *homes) run(ctx context.Context) {
	for ctx.Err() == nil {
		v, wait := h.next(time.Now())
		if v != nil {
			if err := guard(func() error { h.publish(ctx, v); return nil }); err != nil {
				h.bot.logger.ErrorContext(ctx, "home cannot be drawn", "user", v.who.User, "error", err, "stack", stackOf(err))
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-h.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// next is whose tab is published now, or how long there is nothing to do.
func (h *homes) next(now time.Time) (*viewer, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(now, false)
	wait := idleWait
	var first *viewer
	for _, v := range h.viewers {
		switch {
		case v.due.IsZero():
		case v.due.After(now):
			wait = min(wait, v.due.Sub(now))
		case first == nil || v.due.Before(first.due):
			first = v
		}
	}
	if first != nil {
		first.due = time.Time{} // what changes from here on makes it due again
	}
	return first, wait
}

// publish draws and publishes a tab. When somebody else has published meanwhile, such as another process
// with our tokens, it is drawn again and replaces theirs: what is drawn after theirs is as new.
func (h *homes) publish(ctx context.Context, v *viewer) {
	h.mu.Lock()
	who, answer, hash, force := v.who, v.answer, v.hash, v.force
	v.force = false
	h.mu.Unlock()
	for {
		view := h.bot.homeFor(ctx, who, answer)
		shown := ""
		if raw, err := json.Marshal(view); err == nil {
			shown = string(raw)
		}
		h.mu.Lock()
		same := !force && shown == v.shown
		h.mu.Unlock()
		if same || !h.budget.take(ctx) {
			return
		}
		fresh, err := h.bot.publishHome(ctx, who.User, hash, view)
		if refused(err) == "hash_conflict" && hash != "" {
			hash, force = "", true
			continue
		}
		if err != nil && ctx.Err() == nil {
			h.bot.logger.WarnContext(ctx, "home not published", "user", who.User, "error", err)
			if answer.text != "" { // they pressed something there, and are to hear of it
				h.bot.post(ctx, who.User, "", answer)
			}
			shown = ""
		}
		h.mu.Lock()
		v.hash, v.shown = fresh, shown
		h.mu.Unlock()
		return
	}
}

// publishHome publishes a Home tab, if it still is the one with the hash; "" publishes in any case.
func (b *Bot) publishHome(ctx context.Context, user, hash string, view slack.HomeTabViewRequest) (fresh string, err error) {
	request := slack.PublishViewContextRequest{UserID: user, View: view}
	if hash != "" {
		request.Hash = &hash
	}
	err = call(ctx, func(ctx context.Context) error {
		answer, err := b.api.PublishViewContext(ctx, request)
		if err == nil {
			fresh = answer.Hash
		}
		return err
	})
	return fresh, err
}

// link is the address of a message; "" when Slack does not say it.
func (h *homes) link(ctx context.Context, at engine.Place) string {
	if url, ok := h.links[at]; ok {
		return url
	}
	var url string
	err := call(ctx, func(ctx context.Context) (err error) {
		url, err = h.bot.api.GetPermalinkContext(ctx, &slack.PermalinkParameters{Channel: at.Channel, Ts: at.TS})
		return err
	})
	if err != nil {
		if refused(err) == "" || away(err) { // it may say so another time
			return ""
		}
		url = ""
	}
	if len(h.links) >= maxLinks {
		clear(h.links)
	}
	h.links[at] = url
	return url
}

package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

// people looks persons up, and remembers them for a minute: users.info allows 100 calls a minute.
type people struct {
	api *slack.Client

	mu    sync.Mutex // guards what follows
	known map[string]person
}

type person struct {
	user *slack.User
	at   time.Time
}

const (
	// peopleAge is how long a name counts.
	peopleAge = time.Minute
	// vouchAge is how long a look-up counts for what somebody may do: long enough for many requests at
	// once to share one, and no longer.
	vouchAge = 5 * time.Second
)

func newPeople(api *slack.Client) *people { return &people{api: api, known: map[string]person{}} }

// find looks somebody up, unless that was done less than age ago.
func (p *people) find(ctx context.Context, id string, age time.Duration) (*slack.User, error) {
	p.mu.Lock()
	have, ok := p.known[id]
	p.mu.Unlock()
	if ok && time.Since(have.at) < age {
		return have.user, nil
	}
	var user *slack.User
	err := call(ctx, func(ctx context.Context) (err error) {
		user, err = p.api.GetUserInfoContext(ctx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, one := range p.known {
		if time.Since(one.at) >= peopleAge {
			delete(p.known, other)
		}
	}
	p.known[id] = person{user: user, at: time.Now()}
	return user, nil
}

// remembered is the name of a person without a look-up; "" when it is not known.
func (p *people) remembered(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.known[id]; ok {
		return have.user.Name
	}
	return ""
}

// vouchTime bounds the look-up of a person.
const vouchTime = 20 * time.Second

// Vouch looks somebody up at Slack before what they asked for counts: guests, bots, people who have
// left and people of other workspaces are refused, and so is everybody who cannot be looked up.
// Somebody who did not come through Slack is none of its business.
func (b *Bot) Vouch(ctx context.Context, a engine.Actor) error {
	if a.Team == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, vouchTime)
	defer cancel()
	u, err := b.people.find(ctx, a.User, vouchAge)
	if err != nil {
		return &engine.Error{Code: engine.CodeDenied, Message: fmt.Sprintf("refused: Slack could not say who %s is; try again when it can", a.Label()), Err: err}
	}
	if why := unfit(u, a.Team); why != "" {
		return engine.Errorf(engine.CodeDenied, "refused: %s %s, and only members of this workspace count", a.Label(), why)
	}
	return nil
}

// unfit says why the word of somebody does not count in a team; empty when it does.
func unfit(u *slack.User, team string) string {
	switch {
	case u.Deleted:
		return "has left this workspace"
	case u.IsBot:
		return "is a bot"
	case u.IsRestricted || u.IsUltraRestricted:
		return "is a guest here"
	case u.IsStranger || u.TeamID != "" && u.TeamID != team:
		return "belongs to another workspace"
	}
	return ""
}

package bot

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
)

// people looks persons up, and remembers them for a minute: users.info allows 100 calls a minute.
type people struct {
	api *slack.Client

	mu    sync.Mutex // guards what follows
	known map[string]person
}

type person struct {
	user *slack.User // nil: Slack knows nobody by that id
	err  error       // how Slack said so
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
		return have.user, have.err
	}
	var user *slack.User
	err := call(ctx, func(ctx context.Context) (err error) {
		user, err = p.api.GetUserInfoContext(ctx, id)
		return err
	})
	if err != nil && refused(err) != "user_not_found" { // which is remembered too: nobody is to use up the calls with ids that are none
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for other, one := range p.known {
		if time.Since(one.at) >= peopleAge {
			delete(p.known, other)
		}
	}
	if err != nil {
		user = nil
	}
	p.known[id] = person{user: user, err: err, at: time.Now()}
	return user, err
}

// remembered is the name of a person without a look-up; "" when it is not known.
func (p *people) remembered(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.known[id]; ok && have.user != nil {
		return have.user.Name
	}
	return ""
}

// vouchTime bounds the look-up of a person.
const vouchTime = 20 * time.Second

// unfit says why the word of somebody does not count in a team; empty when it does.
func unfit(u *slack.User, team string) string {
	switch {
	case u.Deleted:
		return "has left this workspace"
	case u.IsBot || u.IsWorkflowBot || u.IsConnectorBot:
		return "is a bot"
	case u.IsRestricted || u.IsUltraRestricted:
		return "is a guest here"
	case u.IsStranger || u.TeamID != "" && u.TeamID != team && !slices.Contains(u.Enterprise.Teams, team):
		return "belongs to another workspace"
	}
	return ""
}

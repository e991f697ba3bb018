package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/engine"
)

const (
	// admitAge is how long a look-up of a person counts for what they say: longer, and somebody who was
	// deactivated could still cancel runs.
	admitAge = time.Minute
	// admitTime bounds a look-up that somebody waits for. Slack waits three seconds for an acknowledgement.
	admitTime = time.Second
	// channelAge is how long it counts whether a channel is shared. Sharing one takes two companies' consent.
	channelAge = 5 * time.Minute
	// doubtAge is how soon Slack is asked again about a channel that it does not tell of: somebody may have invited
	// the bot meanwhile.
	doubtAge = 10 * time.Second
	// groupEvery is how often user groups are looked up: usergroups.users.list allows 20 calls a minute.
	groupEvery = time.Minute
	// groupAge is how long a look-up of a user group counts at the door. Before anything is done it is looked
	// up again.
	groupAge = 3 * time.Minute
)

// directory knows user groups and channels. What it is asked without patience it answers from memory.
type directory struct {
	api    *slack.Client
	groups []string      // that the policy names
	turn   chan struct{} // taken while a user group is looked up: many who want to know share one call

	mu       sync.Mutex // guards what follows
	home     string     // the team that the bot belongs to
	members  map[string]groupSeen
	channels map[string]channelSeen
}

type groupSeen struct {
	users []string
	at    time.Time
}

type channelSeen struct {
	shared bool
	doubt  bool // Slack does not tell: a private channel that the bot is not in
	at     time.Time
}

func newDirectory(api *slack.Client, groups []string) *directory {
	return &directory{api: api, groups: groups, turn: make(chan struct{}, 1), members: map[string]groupSeen{}, channels: map[string]channelSeen{}}
}

var _ engine.Directory = (*Bot)(nil)

// Admit implements [engine.Directory]: it looks somebody up, and the channel that they stand in, unless that was
// done a moment ago. It is the one thing that a request waits for before it is acknowledged, for a second at most.
func (b *Bot) Admit(ctx context.Context, a engine.Actor) error {
	if a.Team == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, admitTime)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { b.directory.channel(ctx, a.Channel, channelAge) })
	err := b.vouchFor(ctx, a, admitAge)
	wg.Wait()
	return err
}

// Vouch looks somebody up at Slack before what they asked for counts: guests, bots, people who have
// left and people of other workspaces are refused, and so is everybody who cannot be looked up. What is
// known of their user groups and their channel is renewed. Somebody who did not come through Slack is none of
// its business.
func (b *Bot) Vouch(ctx context.Context, a engine.Actor) error {
	if a.Team == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, vouchTime)
	defer cancel()
	if err := b.vouchFor(ctx, a, vouchAge); err != nil {
		return err
	}
	b.directory.channel(ctx, a.Channel, channelAge)
	for _, g := range b.directory.groups {
		if _, err := b.directory.lookUp(ctx, g, b.directory.fresh()); err != nil {
			b.logger.WarnContext(ctx, "user group cannot be looked up, so nobody is in it", "group", g, "error", err)
		}
	}
	return nil
}

// vouchFor is an error when the word of somebody does not count.
func (b *Bot) vouchFor(ctx context.Context, a engine.Actor, age time.Duration) error {
	home, err := b.directory.team(ctx)
	var u *slack.User
	if err == nil {
		u, err = b.people.find(ctx, a.User, age)
	}
	switch {
	case refused(err) == "user_not_found" || refused(err) == "user_not_visible":
		return engine.Errorf(engine.CodeDenied, "refused: %s is nobody whom Slack knows in this workspace, and only its members count", a.Label())
	case err != nil:
		return &engine.Error{Code: engine.CodeDenied, Message: fmt.Sprintf("refused: Slack could not say who %s is; try again when it can", a.Label()), Err: err}
	}
	why := unfit(u, home)
	if why == "" && a.Team != home && !slices.Contains(u.Enterprise.Teams, a.Team) {
		why = "speaks from another workspace"
	}
	if why != "" {
		return engine.Errorf(engine.CodeDenied, "refused: %s %s, and only members of this workspace count", a.Label(), why)
	}
	return nil
}

// Standing implements [engine.Directory], from memory.
func (b *Bot) Standing(a engine.Actor) engine.Standing {
	if a.Team == "" {
		return engine.Standing{}
	}
	return b.directory.standing(a, time.Now())
}

// Members implements [engine.Directory].
func (b *Bot) Members(ctx context.Context, group string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, vouchTime)
	defer cancel()
	return b.directory.lookUp(ctx, group, b.directory.fresh())
}

// MembersKnown are the members of a user group as they were last looked up, for texts.
func (b *Bot) MembersKnown(group string) []string {
	b.directory.mu.Lock()
	defer b.directory.mu.Unlock()
	return b.directory.members[group].users
}

func (d *directory) standing(a engine.Actor, now time.Time) engine.Standing {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out engine.Standing
	for _, g := range d.groups {
		seen, known := d.members[g]
		switch {
		case !known || now.Sub(seen.at) >= groupAge:
			out.Unsure = append(out.Unsure, g)
		case slices.Contains(seen.users, a.User):
			out.In = append(out.In, g)
		}
	}
	if canBeShared(a.Channel) {
		seen, known := d.channels[a.Channel]
		out.Shared, out.SharedDoubt = seen.shared, !known || seen.doubt
	}
	return out
}

// canBeShared tells channels from direct messages and the Home tab, where nobody else reads.
func canBeShared(channel string) bool { return channel != "" && !strings.HasPrefix(channel, "D") }

// channel looks whether a channel is shared. What cannot be looked up is not known any more once it is old.
func (d *directory) channel(ctx context.Context, id string, age time.Duration) {
	if !canBeShared(id) {
		return
	}
	d.mu.Lock()
	seen, known := d.channels[id]
	d.mu.Unlock()
	if known && (time.Since(seen.at) < age && !seen.doubt || time.Since(seen.at) < doubtAge) {
		return
	}
	var found *slack.Channel
	err := call(ctx, func(ctx context.Context) (err error) {
		found, err = d.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && refused(err) != "channel_not_found" {
		delete(d.channels, id)
		return
	}
	if len(d.channels) >= maxChannels {
		clear(d.channels)
	}
	d.channels[id] = channelSeen{shared: err == nil && found.IsExtShared, doubt: err != nil, at: time.Now()}
}

// maxChannels bounds what is remembered of channels.
const maxChannels = 10_000

// lookUp says who is in a user group, unless that was looked up less than age ago.
func (d *directory) lookUp(ctx context.Context, group string, age time.Duration) ([]string, error) {
	if users, known := d.remembered(group, age); known {
		return users, nil
	}
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if users, known := d.remembered(group, age); known { // by whoever was before us
		return users, nil
	}
	var users []string
	err := call(ctx, func(ctx context.Context) (err error) {
		users, err = d.api.GetUserGroupMembersContext(ctx, group)
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.members, group)
		return nil, err
	}
	d.members[group] = groupSeen{users: users, at: time.Now()}
	return users, nil
}

func (d *directory) remembered(group string, age time.Duration) ([]string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	seen, known := d.members[group]
	return seen.users, known && time.Since(seen.at) < age
}

// fresh is how old a look-up of a user group may be before something is done: as for people, unless there are so
// many groups that Slack would not answer so often, and then nobody would count.
func (d *directory) fresh() time.Duration {
	return max(vouchAge, time.Duration(len(d.groups))*vouchAge)
}

// keepGroups looks the user groups up again and again, until ctx ends.
func (b *Bot) keepGroups(ctx context.Context) {
	if len(b.directory.groups) == 0 {
		return
	}
	for {
		for _, g := range b.directory.groups {
			if _, err := b.directory.lookUp(ctx, g, groupEvery/2); err != nil && ctx.Err() == nil {
				b.logger.WarnContext(ctx, "user group cannot be looked up, so nobody is in it", "group", g, "error", err)
			}
		}
		if !pause(ctx, groupEvery) {
			return
		}
	}
}

// team is the workspace that the bot belongs to.
func (d *directory) team(ctx context.Context) (string, error) {
	d.mu.Lock()
	home := d.home
	d.mu.Unlock()
	if home != "" {
		return home, nil
	}
	var who *slack.AuthTestResponse
	err := call(ctx, func(ctx context.Context) (err error) {
		who, err = d.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	d.isHome(who.TeamID)
	return who.TeamID, nil
}

func (d *directory) isHome(team string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.home = team
}

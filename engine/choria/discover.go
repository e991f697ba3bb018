package choria

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

const (
	// discoveryBuffer is how many answers to a discovery may wait to be looked at.
	discoveryBuffer = 1 << 16
	// firstAnswer is how many windows a discovery waits for the first answer: until there is one,
	// nothing is known of the way to the servers.
	firstAnswer = 4
)

// Discover asks every server with the filter's agents which of them match, and returns their names,
// sorted and each once. Nobody knows how many there are, so it ends when nobody has answered for as long
// as all answers took so far, at least for the window. Servers that answered the same filter the last
// time are waited for until the upper bound. Names without a pattern are all that can answer; when they
// have, it ends.
func (c *Client) Discover(ctx context.Context, f Filter) ([]string, error) {
	if err := c.awaitConnection(ctx, c.opts.Timeout); err != nil {
		return nil, err
	}
	w, err := f.wire()
	if err != nil {
		return nil, err
	}
	key, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	id, err := requestID("", "", nil)
	if err != nil {
		return nil, err
	}
	box, err := c.open(id, discoveryBuffer)
	if err != nil {
		return nil, err
	}
	defer c.close(id)
	ask := c.request(id, c.security.callers.Own, "discovery", base64.StdEncoding.EncodeToString([]byte("ping")), w)
	out, err := c.sign(ctx, ask)
	if err != nil {
		return nil, err
	}
	roll := &rollCall{
		client: c, id: id, readers: c.readers(box, readSender), sent: time.Now(), found: make(map[string]bool),
		only: exactly(f.Identities), awaited: c.memory.begin(string(key), id, c.opts.MaxWait),
	}
	if err := out.to(wire.BroadcastSubject(c.opts.Collective, "discovery")); err != nil {
		return nil, fmt.Errorf("discover: %w", err)
	}
	if err := c.gather(ctx, roll); err != nil {
		return nil, err
	}
	names, err := roll.end()
	c.memory.end(string(key), roll.found)
	return names, err
}

// exactly are the only names that can answer; nil when there is no such list.
func exactly(identities []string) map[string]bool {
	if len(identities) == 0 || slices.ContainsFunc(identities, func(w string) bool { return strings.HasPrefix(w, "/") }) {
		return nil
	}
	only := make(map[string]bool, len(identities))
	for _, name := range identities {
		only[name] = true
	}
	return only
}

func (c *Client) gather(ctx context.Context, roll *rollCall) error {
	end := time.NewTimer(c.opts.MaxWait)
	defer end.Stop()
	quiet := time.NewTimer(roll.window())
	defer quiet.Stop()
	for {
		select {
		case data := <-roll.readers.box.replies:
			roll.readers.take(data, roll.hear)
			if roll.complete() {
				return nil
			}
			quiet.Reset(roll.window())
		case <-quiet.C:
			if len(roll.readers.box.replies) == 0 {
				return nil
			}
			quiet.Reset(roll.window()) // it was we who did not listen
		case <-end.C:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("discover: %w", context.Cause(ctx))
		}
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

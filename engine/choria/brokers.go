package choria

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// lookAgain is how long a look-up of the brokers counts, at least: during an outage there is one in
// this time, however often the connection is tried.
const lookAgain = 2 * time.Second

// nowhere stands for brokers that could not be looked up yet. It is never dialled.
const nowhere = "0.0.0.0:1"

// finder keeps the list of brokers as the SRV records say it: it looks them up whenever the
// connection was lost or is back, so that brokers may come, go and change their rank.
type finder struct {
	lookup func(context.Context) ([]string, error)
	logger *slog.Logger
	poked  chan struct{} // something happened since the last look

	mu    sync.Mutex // guards what follows
	found []string   // the last that were found
	err   error      // why the last look found none
}

// find looks for the brokers of the domain, when one is given. When they cannot be looked up and the
// client is not patient, that is the error.
func (o Options) find(ctx context.Context) (*finder, error) {
	if o.SRVDomain == "" {
		return nil, nil //nolint:nilnil // a nil finder is one with nothing to look for
	}
	f := &finder{lookup: o.lookup, logger: o.Logger, poked: make(chan struct{}, 1)}
	if err := f.look(ctx); err != nil && !o.Patient {
		return nil, err
	}
	return f, nil
}

// look looks the brokers up. When that fails those that were found before stay.
func (f *finder) look(ctx context.Context) error {
	found, err := f.lookup(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.found = found
	} else if ctx.Err() == nil && (f.err == nil || f.err.Error() != err.Error()) {
		f.logger.WarnContext(ctx, "the brokers cannot be looked up; those that were found before stay", "error", err, "brokers", f.found)
	}
	f.err = err
	return err
}

// brokers is what was found last; without anything it is a stand-in, so that the connection keeps trying.
func (f *finder) brokers() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.found) == 0 {
		return []string{"nats://" + nowhere}
	}
	return slices.Clone(f.found)
}

// poke asks for a look. It does not wait for it.
func (f *finder) poke() {
	if f == nil {
		return
	}
	select {
	case f.poked <- struct{}{}:
	default:
	}
}

// keep looks again after each poke until ctx ends, and hands what it finds to the connection.
func (f *finder) keep(ctx context.Context, conn *nats.Conn) {
	for {
		select {
		case <-f.poked:
		case <-ctx.Done():
			return
		}
		if f.look(ctx) == nil {
			f.offer(ctx, conn)
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return
		}
	}
}

// offer replaces the brokers that the connection knows. The one in use stays on the list: nats.go
// would name another in its place.
func (f *finder) offer(ctx context.Context, conn *nats.Conn) {
	list := f.brokers()
	if now := conn.ConnectedUrl(); now != "" && !slices.Contains(list, now) {
		list = append(list, now)
	}
	if err := conn.SetServerPool(list); err != nil && ctx.Err() == nil {
		f.logger.WarnContext(ctx, "the brokers that were found cannot be used", "error", err, "brokers", list)
	}
}

// Dial implements [nats.CustomDialer]: while no broker is known, it says why.
func (f *finder) Dial(network, address string) (net.Conn, error) {
	if address != nowhere {
		d := net.Dialer{Timeout: connectTimeout}
		return d.DialContext(context.Background(), network, address)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		return nil, errors.New("the brokers have just been found")
	}
	return nil, f.err
}

// natsOptions is how the connection uses what is found.
func (f *finder) natsOptions() []nats.Option {
	return []nats.Option{nats.DontRandomize(), nats.SetCustomDialer(f)}
}

// Broker is the address of the broker that the client is connected to; "" while there is none.
func (c *Client) Broker() string { return bare(c.conn.ConnectedUrl()) }

// bare is an address without who connects there: NATS takes a name without a password for a token.
func bare(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return "an address that cannot be read"
	}
	u.User = nil
	return u.String()
}

// Brokers lists the brokers that the client would turn to now, without names and passwords: those that are configured
// or were found, and those that a broker told it about.
func (c *Client) Brokers() []string {
	var out []string
	for _, s := range c.conn.Servers() {
		if u, err := url.Parse(s); err == nil && u.Host != nowhere {
			out = append(out, bare(s))
		}
	}
	return out
}

// where says where the network is looked for, and what to look at when it is not there.
func (o Options) where(brokers []string) (place, question string) {
	names := make([]string, len(brokers))
	for i, b := range brokers {
		names[i] = bare(b)
	}
	place = strings.Join(names, ", ")
	if o.SRVDomain == "" {
		return place, "is the address in nats.servers right?"
	}
	if place == "" {
		place = "the brokers of " + o.SRVDomain
	} else {
		place += ", as " + o.SRVDomain + " says"
	}
	return place, "are its SRV records right?"
}

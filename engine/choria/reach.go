package choria

import (
	"errors"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
)

// reach remembers why the network is out of reach, and logs when that changes.
type reach struct {
	logger  *slog.Logger
	changed func()     // called when the connection is lost, made, or could not be made; it must not wait
	mu      sync.Mutex // guards err
	err     error
}

// lost notes that the connection was lost, or could not be made again. The same reason is logged once.
func (r *reach) lost(err error) {
	if err == nil {
		err = errors.New("the connection was closed")
	}
	r.mu.Lock()
	same := r.err != nil && r.err.Error() == err.Error()
	r.err = err
	r.mu.Unlock()
	r.changed()
	if !same {
		r.logger.Warn("the Choria network is out of reach", "error", err)
	}
}

// back notes that the network is in reach.
func (r *reach) back(c *nats.Conn) {
	r.mu.Lock()
	r.err = nil
	r.mu.Unlock()
	r.changed()
	r.logger.Info("the Choria network is in reach", "server", bare(c.ConnectedUrl()))
}

// reason says why the network is out of reach.
func (r *reach) reason() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		return errors.New("no connection yet")
	}
	return r.err
}

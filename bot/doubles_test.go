package bot

import (
	"context"
	"errors"
	"net/http"
	"path"
	"sync"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// shelf is the library of a stage.
type shelf struct {
	mu   sync.Mutex // guards what follows
	list []*playbooks.Playbook
}

func (s *shelf) add(b *playbooks.Playbook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, b)
}

func (s *shelf) Get(name string) (*playbooks.Playbook, error) {
	for _, b := range s.List() {
		if b.Name == name {
			return b, nil
		}
	}
	return nil, &playbooks.NotFoundError{Name: name}
}

func (s *shelf) List() []*playbooks.Playbook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*playbooks.Playbook(nil), s.list...)
}

func (s *shelf) Broken() []playbooks.BrokenFile { return nil }

// blockingLog is the store, which can be made to take long.
type blockingLog struct {
	*store.Store
	mu   sync.Mutex // guards what follows
	wait chan struct{}
}

// block makes appends wait until the function that it returns is called.
func (l *blockingLog) block() (free func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	gate := make(chan struct{})
	l.wait = gate
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wait = nil
		close(gate)
	}
}

// Append implements engine.Log. A request whose time is over before it is in a transaction is dropped,
// as the store does.
func (l *blockingLog) Append(ctx context.Context, stream engine.StreamID, after engine.Seq, facts ...engine.Payload) (engine.Seq, error) {
	l.mu.Lock()
	gate := l.wait
	l.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return 0, errors.Join(errors.New("append"), context.Cause(ctx))
		}
	}
	return l.Store.Append(ctx, stream, after, facts...)
}

// network is the way to the Web API, which can be down.
type network struct {
	http.RoundTripper
	mu   sync.Mutex // guards what follows
	gone bool
	mute int // answers to posts that get lost
}

// lose makes the next n answers to posts get lost on their way: what was asked for is done.
func (n *network) lose(answers int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mute = answers
}

func (n *network) down(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = on
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	gone, mute := n.gone, n.mute > 0 && path.Base(r.URL.Path) == "chat.postMessage"
	if mute && !gone {
		n.mute--
	}
	n.mu.Unlock()
	if gone {
		return nil, errors.New("no route to host")
	}
	resp, err := n.RoundTripper.RoundTrip(r)
	if mute && err == nil {
		_ = resp.Body.Close()
		return nil, context.DeadlineExceeded
	}
	return resp, err
}

// frozenFeed is the store as the bot reads it, which can be made to forget positions.
type frozenFeed struct {
	*store.Store
	mu     sync.Mutex // guards what follows
	frozen bool
}

func (f *frozenFeed) freeze(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = on
}

// SaveCursor implements Feed.
func (f *frozenFeed) SaveCursor(ctx context.Context, name string, pos engine.Pos) error {
	f.mu.Lock()
	frozen := f.frozen
	f.mu.Unlock()
	if frozen {
		return errors.New("the process is dead")
	}
	return f.Store.SaveCursor(ctx, name, pos)
}

package workspace

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Server is a workspace. Its methods are safe for concurrent use.
type Server struct {
	opts    Options
	http    *http.Server
	methods map[string]apiMethod

	mu         sync.Mutex // guards what follows
	base       string     // "http://127.0.0.1:1234"
	users      []User
	channels   []*Channel
	messages   map[string][]*Message
	lastTS     int64
	hooks      map[string]*hook    // response_urls by their secret
	triggers   map[string]*trigger // by trigger_id
	views      map[string][]*view  // open modals by user, the top last
	homes      map[string]*view    // by user
	files      map[string]*File
	conns      []*conn
	nextConn   int
	tickets    map[string]bool // of apps.connections.open, used once
	violations []Violation
	traffic    []Traffic
	faults     []*fault
	ackFault   int
	dropFault  int
	dupFault   int
	copyFault  int
	holdFault  int
	holdFor    time.Duration
	buckets    map[string]*bucket
	watchers   map[chan change]string // to the person who watches; "" sees everything
	changed    chan struct{}          // closed at every change
	tasks      sync.WaitGroup         // whatever Stop waits for
	stop       chan struct{}
	stopped    bool
}

// change says that something is different now.
type change struct {
	Kind     string `json:"kind"`
	Channel  string `json:"channel,omitempty"`
	TS       string `json:"ts,omitempty"`
	ThreadTS string `json:"thread_ts,omitempty"`
	only     string
}

// Violation is something the bot sent that Slack refuses whatever the state of the workspace: a
// message, view, ack, answer to a response_url or call that is wrong in itself. What depends on the
// state, such as not_in_channel, expired_trigger_id or ratelimited, a bot has to live with; those
// are in [Server.Traffic].
type Violation struct {
	Method  string
	Error   string
	Details []string
}

// Traffic is one call, envelope or ack.
type Traffic struct {
	At     time.Time
	Method string // of the Web API, or "envelope" or "ack"
	Body   string
	Error  string
	Wait   time.Duration // how long the app was told to leave the method alone; 0 when it was not, or not for how long
}

// New returns a workspace with the given options; see [Options] for what is filled in.
func New(opts Options) *Server {
	opts = opts.defaults()
	s := &Server{
		opts: opts, methods: apiMethods(), users: append(slices.Clone(opts.Users), opts.BotUser), messages: map[string][]*Message{},
		hooks: map[string]*hook{}, triggers: map[string]*trigger{}, views: map[string][]*view{}, homes: map[string]*view{},
		files: map[string]*File{}, tickets: map[string]bool{}, buckets: map[string]*bucket{},
		watchers: map[chan change]string{}, changed: make(chan struct{}), stop: make(chan struct{}),
	}
	for _, c := range opts.Channels {
		s.channels = append(s.channels, &c)
	}
	s.http = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second}
	return s
}

// Handler serves the Web API below /api/, the hooks, the socket and the page.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/{method}", s.serveAPI)
	mux.HandleFunc("POST /api/{method}", s.serveAPI)
	mux.HandleFunc("POST /hooks/{secret}", s.serveHook)
	mux.HandleFunc("POST /upload/{id}", s.serveUpload)
	mux.HandleFunc("GET /socket/{ticket}", s.serveSocket)
	s.routePage(mux)
	return mux
}

// Listen serves on an address of the loopback interface, such as "127.0.0.1:0", in the background.
// Anything else is refused: the page can start runs.
func (s *Server) Listen(ctx context.Context, address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("workspace: listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("workspace: %q is not a loopback address; use 127.0.0.1, since whoever reaches the page can act as everybody", host)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("workspace: %w", err)
	}
	s.Serve(ln)
	return nil
}

// Serve serves a listener in the background until [Server.Stop].
func (s *Server) Serve(ln net.Listener) {
	s.mu.Lock()
	s.base = "http://" + ln.Addr().String()
	s.mu.Unlock()
	s.tasks.Go(func() {
		if err := s.http.Serve(ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.opts.Logger.Error("workspace ended", "error", err)
		}
	})
}

// Stop ends the workspace and waits for everything that it started. It may be called twice.
func (s *Server) Stop() {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		close(s.stop)
	}
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
	_ = s.http.Close() // only errors of the listener, which is gone either way
	s.tasks.Wait()
}

// URL is the address of the server, without a slash at its end.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// APIURL is what a Slack client takes as the address of the Web API.
func (s *Server) APIURL() string { return s.URL() + "/api/" }

// PageURL is the address of the page, its secret included.
func (s *Server) PageURL() string { return s.URL() + "/" + s.opts.PageToken + "/" }

// BotToken is the token for the Web API.
func (s *Server) BotToken() string { return s.opts.BotToken }

// AppToken is the token for Socket Mode.
func (s *Server) AppToken() string { return s.opts.AppToken }

// Violations lists what the bot sent that Slack would have refused.
func (s *Server) Violations() []Violation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// Traffic lists every call and envelope so far.
func (s *Server) Traffic() []Traffic {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.traffic)
}

// note keeps one line of traffic. The caller holds the lock.
func (s *Server) note(method, body, err string) {
	s.noted(Traffic{Method: method, Body: body, Error: err})
}

func (s *Server) noted(t Traffic) {
	const keep = 20000
	if len(s.traffic) >= keep {
		s.traffic = s.traffic[keep/2:]
	}
	t.At = time.Now()
	s.traffic = append(s.traffic, t)
	s.wake()
}

// wake lets everybody look again who waits in Until. The caller holds the lock.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// notify tells the pages of a change, and wakes everybody who waits. The caller holds the lock.
func (s *Server) notify(ch change) {
	s.wake()
	for w, who := range s.watchers {
		if ch.only != "" && who != "" && ch.only != who {
			continue
		}
		select {
		case w <- ch:
		default: // a page that does not read fetches everything when it comes back
		}
	}
}

// Until waits until ok holds, which is asked after every change of what people see and after every
// call, envelope and ack. ok may call the methods of the server. The error is ctx's.
func (s *Server) Until(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		wait := s.changed
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// user finds a person by id or name. The caller holds the lock.
func (s *Server) user(key string) (User, bool) {
	key = strings.TrimPrefix(key, "@")
	for _, u := range s.users {
		if u.ID == key || u.Name == key {
			return u, true
		}
	}
	return User{}, false
}

// channel finds a channel by id or name. The caller holds the lock.
func (s *Server) channel(key string) *Channel {
	key = strings.TrimPrefix(key, "#")
	for _, c := range s.channels {
		if c.ID == key || c.Name == key && c.Name != "" {
			return c
		}
	}
	return nil
}

// SetUser replaces a person, for tests of what happens when somebody leaves or becomes a guest.
func (s *Server) SetUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.users {
		if s.users[i].ID == u.ID {
			s.users[i] = u
			return
		}
	}
	s.users = append(s.users, u)
}

// User finds a person by id or name.
func (s *Server) User(key string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user(key)
}

package registry

import (
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/choria/ddl"
)

// Options say where DDLs come from.
type Options struct {
	Folders *ddl.Index   // their DDLs win; nil: none
	Cache   string       // folder of what was fetched before; made when it is needed
	Source  Source       // nil: nothing is fetched, what the cache holds counts
	Logger  *slog.Logger // nil: discarded
}

// What is kept is bounded, whatever playbooks name and the registry answers.
const (
	maxAgents = 200       // playbooks name a dozen; templates can name any
	maxText   = 256 << 10 // of a DDL, in bytes; the longest that Choria ships has 30 KB
)

// Registry knows DDLs by agent. Safe for concurrent use; asking it never waits for the network.
type Registry struct {
	opts    Options
	wanted  chan struct{} // an agent was asked for that nothing is known of
	changed chan struct{} // another DDL counts now

	mu     sync.Mutex // guards what follows
	agents map[string]*agent
}

// agent is what is known of an agent that no folder describes.
type agent struct {
	described *ddl.DDL  // nil: nothing yet
	digest    digest    // of its text
	due       time.Time // when to ask for it again; the zero time is at once
	refused   string    // why the last answer did not count
}

type digest = [sha256.Size]byte

// Open reads the cache. A file of it that cannot be used is passed over, with a warning: it is fetched again.
func Open(o Options) (*Registry, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Registry{opts: o, wanted: make(chan struct{}, 1), changed: make(chan struct{}, 1), agents: make(map[string]*agent)}
	entries, err := os.ReadDir(o.Cache)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok && ddl.IsAgent(name) && len(r.agents) < maxAgents {
			r.recall(name, filepath.Join(o.Cache, e.Name()))
		}
	}
	return r, nil
}

// recall takes a DDL from the cache.
func (r *Registry) recall(name, file string) {
	text, err := readBounded(file)
	var d *ddl.DDL
	if err == nil {
		d, err = accept(file, name, text)
	}
	if err != nil {
		r.opts.Logger.Warn("a DDL that was kept from the registry cannot be used; it is fetched again", "agent", name, "error", err)
		r.agents[name] = &agent{refused: err.Error()}
		return
	}
	r.agents[name] = &agent{described: d, digest: sha256.Sum256([]byte(text))}
}

// Newest returns the DDL of an agent; nil when none is known. The first question about an agent that no folder
// describes has it fetched, in the background.
func (r *Registry) Newest(name string) *ddl.DDL {
	if d := r.opts.Folders.Newest(name); d != nil {
		return d
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.agents[name]
	if a == nil {
		if !ddl.IsAgent(name) || len(r.agents) >= maxAgents {
			return nil
		}
		a = &agent{}
		r.agents[name] = a
		poke(r.wanted)
	}
	return a.described
}

// Changed tells, once for any number of changes, that another DDL counts than before.
func (r *Registry) Changed() <-chan struct{} { return r.changed }

// Sources lists the agents whose DDLs are the registry's, sorted, and why others have none.
func (r *Registry) Sources() (described []string, refused map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	refused = make(map[string]string)
	for name, a := range r.agents {
		if a.described != nil {
			described = append(described, name)
		}
		if a.refused != "" {
			refused[name] = a.refused
		}
	}
	slices.Sort(described)
	return described, refused
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

package registry_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is a real DDL, with some of it replaced.
func text(t *testing.T, agent string, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "ddl", "testdata", "agents", agent+".json"))
	if err != nil {
		t.Fatal(err)
	}
	out := strings.NewReplacer(replace...).Replace(string(data))
	if len(replace) > 0 && out == string(data) {
		t.Fatalf("%s holds none of %q", agent, replace)
	}
	return out
}

// bed is a registry that fetches from a simulated network, in virtual time.
type bed struct {
	*testing.T
	fleet    *fleetsim.Fleet
	registry *registry.Registry
	cache    string
	log      *record
}

// record is a log that may be read while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// serve runs a test with a registry that answers with the texts; nil: there is none.
func serve(t *testing.T, texts map[string]string, change func(*registry.Options), test func(bed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.Plain(1), Registry: texts})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Stop)
		c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		b := bed{T: t, fleet: f, cache: filepath.Join(t.TempDir(), "registry"), log: &record{}}
		o := registry.Options{Cache: b.cache, Source: c, Logger: slog.New(slog.NewTextHandler(b.log, nil))}
		if change != nil {
			change(&o)
		}
		b.registry = open(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.registry.Run(ctx) })
		t.Cleanup(func() { cancel(); running.Wait() })
		test(b)
	})
}

func open(t *testing.T, o registry.Options) *registry.Registry {
	t.Helper()
	r, err := registry.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// version is that of the DDL of an agent which is known; "" when there is none.
func (b bed) version(agent string) string {
	if d := b.registry.Newest(agent); d != nil {
		return d.Version
	}
	return ""
}

// settle lets everything happen that takes no time, or hardly any.
func (b bed) settle() {
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
}

func (b bed) changed() bool {
	select {
	case <-b.registry.Changed():
		return true
	default:
		return false
	}
}

func (b bed) asked() int { return b.fleet.Count(fleetsim.RegistryNode, "choria_registry.ddl") }

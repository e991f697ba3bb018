package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// patient is the limit of checks in tests: nothing takes so long, also on a machine under load.
const patient = 3 * time.Minute

// clinic is an installation that can work, over a workspace, a fleet and a PuppetDB of its own.
type clinic struct {
	*app.Local

	t     *testing.T
	dir   string
	certs *fleetsim.Certs
	limit time.Duration // of each check; 0: patient
	names choria.Resolver
}

// identity is the name in the certificate of an installation with TLS.
const identity = "deploy.mcollective"

// authority makes a CA of its own; making the keys is what takes time.
func authority(t *testing.T) *fleetsim.Certs {
	t.Helper()
	certs, err := fleetsim.NewCerts(t.TempDir(), identity)
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

// open starts a clinic with two playbooks, with TLS when there are certificates.
func open(t *testing.T, certs *fleetsim.Certs, change func(*app.LocalOptions)) *clinic {
	t.Helper()
	o := app.LocalOptions{Dir: t.TempDir(), Nodes: fleetsim.WebFleet(2, 0), Certs: certs}
	if certs != nil {
		o.Identity = identity
	}
	books := &clinic{t: t, dir: t.TempDir()}
	books.shelve()
	o.Playbooks = books.path("books")
	if change != nil {
		change(&o)
	}
	local, err := app.StartLocal(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := local.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		for _, v := range local.Workspace.Violations() {
			t.Errorf("Slack would have refused: %+v", v)
		}
	})
	local.Config.NATS.Window = time.Second
	return &clinic{Local: local, t: t, dir: o.Dir, certs: certs}
}

// room is the same installation with tokens, keys and a configuration of its own, which a test may spoil.
func (c *clinic) room(t *testing.T) *clinic {
	t.Helper()
	local := *c.Local
	out := &clinic{Local: &local, t: t, dir: t.TempDir(), certs: c.certs}
	n := &local.Config.NATS
	n.Servers = slices.Clone(n.Servers)
	for name, path := range map[string]*string{"ca.pem": &n.CA, "client.pem": &n.Cert, "client.key": &n.Key} {
		*path = out.write(name, read(t, *path))
	}
	return out
}

// path is a file of the installation.
func (c *clinic) path(name string) string { return filepath.Join(c.dir, name) }

// write puts a file there.
func (c *clinic) write(name, text string) string {
	c.t.Helper()
	path := c.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *clinic) chmod(path string, mode os.FileMode) {
	c.t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		c.t.Fatal(err)
	}
}

// examine writes the configuration and looks at the installation.
func (c *clinic) examine() Report {
	c.t.Helper()
	data, err := yaml.Marshal(c.Config)
	if err != nil {
		c.t.Fatal(err)
	}
	return Examine(c.t.Context(), Options{Config: c.write("playbot.yaml", string(data)), Limit: cmp.Or(c.limit, patient), Resolver: c.names})
}

// String is the report as a test shows it.
func (r Report) String() string {
	var b strings.Builder
	for _, f := range r {
		fmt.Fprintf(&b, "%-8s %s: %s → %s\n", f.Status, f.Check, f.What, f.Remedy)
	}
	return b.String()
}

// has reports whether something was found about a check, with these words in what it says and its remedy.
func (r Report) has(check string, status Status, what, remedy string) bool {
	for _, f := range r {
		if f.Check == check && f.Status == status && strings.Contains(f.What, what) && strings.Contains(f.Remedy, remedy) {
			return true
		}
	}
	return false
}

// want is a finding that a test waits for.
type want struct {
	check        string
	status       Status
	what, remedy string
}

// late is what is found of a fleet on a machine that is too busy to answer in time. No test minds.
var late = want{"choria nodes", Warning, "answered a discovery, and none of them within nats.discovery_window", ""}

// wants holds a report against what must be in it; whatever else is wrong must be in it too.
func (r Report) wants(t *testing.T, all ...want) {
	t.Helper()
	for _, w := range all {
		if !r.has(w.check, w.status, w.what, w.remedy) {
			t.Errorf("nothing is %s about %s with %q → %q", w.status, w.check, w.what, w.remedy)
		}
	}
	for _, f := range r {
		if (f.Status == Broken || f.Status == Warning) && f.Remedy == "" {
			t.Errorf("%s has no remedy: %s", f.Check, f.What)
		}
		expected := f.Status == OK || f.Status == Skipped || Report{f}.has(late.check, late.status, late.what, late.remedy)
		for _, w := range all {
			expected = expected || f.Check == w.check && f.Status == w.status
		}
		if !expected {
			t.Errorf("%s is %s besides: %s", f.Check, f.Status, f.What)
		}
	}
	if t.Failed() {
		t.Logf("the report:\n%s", r)
	}
}

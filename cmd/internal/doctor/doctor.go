package doctor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/choria"
)

// Status says how a thing stands.
type Status string

// The states, from good to bad.
const (
	OK      Status = "ok"
	Skipped Status = "skipped" // not looked at: it is not configured, or something before it is broken
	Warning Status = "warning" // it works, and may not do what is expected
	Broken  Status = "broken"
)

// Finding is one thing that was looked at. A warning and what is broken have a remedy.
type Finding struct {
	Check  string // what it is about, such as "slack scopes"
	Status Status
	What   string // a sentence without a full stop
	Remedy string // what to do; empty when there is nothing to do
}

// Report is everything that was found, in the order in which it is best read.
type Report []Finding

// Count is how many findings have a status.
func (r Report) Count(s Status) int {
	n := 0
	for _, f := range r {
		if f.Status == s {
			n++
		}
	}
	return n
}

// Options say what is looked at.
type Options struct {
	Config string        // path of the configuration
	Limit  time.Duration // of each check; 0 means [DefaultLimit]
	// Resolver looks up the SRV records of brokers; nil: that of the system.
	Resolver choria.Resolver
}

// DefaultLimit is how long a check may take. Each of its steps has a third of it: five seconds are what
// a client waits for a broker too.
const DefaultLimit = 15 * time.Second

// Examine looks at an installation. All checks run side by side; whatever one of them meets, the
// others are not concerned, and none lasts much longer than its limit.
func Examine(ctx context.Context, o Options) Report {
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	cfg, err := app.Read(o.Config)
	if err != nil {
		n := &notes{check: "configuration"}
		n.problem(err, "correct the file; docs/guide/operate.md describes every key")
		return n.list
	}
	return examine(ctx, checks(site{path: o.Config, cfg: cfg, limit: o.Limit, resolver: o.Resolver}), o.Limit)
}

// site is what every check knows.
type site struct {
	path  string
	cfg   app.Config
	limit time.Duration // of each check

	resolver choria.Resolver
}

// check is a look at one thing.
type check struct {
	name string
	look func(ctx context.Context, n *notes)
}

// checks are all, in the order of the report.
func checks(s site) []check {
	return []check{
		{"configuration", s.configuration},
		{"data_dir", dataDir{path: s.cfg.DataDir}.look},
		{"store", s.store},
		{"terminal store", s.terminalStore},
		{"secrets", s.secrets},
		{"clock", s.clock},
		{"playbooks", s.playbooks},
		{"policy", s.policy},
		{"descriptions", s.descriptions},
		{"slack bot token", s.slack},
		{"slack app token", s.socket},
		{"slack ops channel", s.channel},
		{"slack members", s.members},
		{"choria certificate", s.certificate},
		{"choria broker", s.choria},
		{"puppetdb", s.puppetDB},
	}
}

func examine(ctx context.Context, checks []check, limit time.Duration) Report {
	found := make([][]Finding, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { found[i] = c.run(ctx, limit) })
	}
	wg.Wait()
	var out Report
	for _, list := range found {
		out = append(out, list...)
	}
	return out
}

// overtime is how long a check whose time is up may take to say so.
const overtime = 2 * time.Second

// run carries a check out. One that hangs where no context reaches, as in a file system that does not
// answer, is left behind: the process ends soon.
func (c check) run(ctx context.Context, limit time.Duration) []Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() {
		n := &notes{check: c.name}
		c.look(ctx, n)
		done <- n.list
	}()
	end := time.NewTimer(limit + overtime)
	defer end.Stop()
	select {
	case list := <-done:
		return list
	case <-end.C:
		n := &notes{check: c.name}
		n.broken("look whether the file system or the network behind it answers", "there was no end to it within %v", limit)
		return n.list
	}
}

// notes is where a check writes what it finds.
type notes struct {
	check string
	list  []Finding
}

// about makes what follows stand under another name.
func (n *notes) about(check string) *notes {
	n.check = check
	return n
}

func (n *notes) ok(format string, args ...any) { n.add(OK, "", format, args...) }

func (n *notes) skip(format string, args ...any) { n.add(Skipped, "", format, args...) }

func (n *notes) warn(remedy, format string, args ...any) { n.add(Warning, remedy, format, args...) }

func (n *notes) broken(remedy, format string, args ...any) { n.add(Broken, remedy, format, args...) }

func (n *notes) add(s Status, remedy, format string, args ...any) {
	n.list = append(n.list, Finding{Check: n.check, Status: s, What: line(fmt.Sprintf(format, args...)), Remedy: line(remedy)})
}

// line is a text in one line, whatever an error brings.
func line(text string) string { return strings.Join(strings.Fields(text), " ") }

// problem is broken, and its error says why. Our errors end with what to do, behind a semicolon; for
// others there is a remedy at hand.
func (n *notes) problem(err error, remedy string) {
	text := err.Error()
	if i := strings.LastIndex(text, "; "); i > 0 {
		text, remedy = text[:i], text[i+2:]
	}
	n.broken(remedy, "%s", text)
}

// good reports whether nothing was found so far that is wrong under the present name.
func (n *notes) good() bool {
	for _, f := range n.list {
		if f.Check == n.check && (f.Status == Broken || f.Status == Warning) {
			return false
		}
	}
	return true
}

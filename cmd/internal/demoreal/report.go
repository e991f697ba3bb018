package demoreal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// State is how a web server is.
type State struct {
	Node, Tier string
	Revision   string            // what the application says that it runs
	Check      int               // what NRPE says of it: 0 is OK
	Locked     bool              // puppet's lock file is there
	Message    string            // why, says the lock file
	Pools      map[string]string // what each load balancer says of it
}

// look asks everything how it is.
func (w *World) look(ctx context.Context) ([]State, error) {
	pools := make(map[string]map[string]string, len(w.lbs))
	for _, lb := range w.lbs {
		pool, err := lb.pool(ctx)
		if err != nil {
			return nil, err
		}
		pools[lb.name] = pool
	}
	states := make([]State, len(w.webs))
	for i, m := range w.webs {
		s := State{Node: m.name, Tier: m.tier, Pools: make(map[string]string, len(pools))}
		for lb, pool := range pools {
			s.Pools[lb] = pool[m.name]
		}
		var err error
		if s.Revision, err = m.version(ctx); err != nil {
			return nil, err
		}
		if s.Message, s.Locked, err = m.locked(); err != nil {
			return nil, err
		}
		checked, err := m.check(ctx)
		if err != nil {
			return nil, err
		}
		s.Check = checked.Code
		states[i] = s
	}
	return states, nil
}

// serves reports whether every load balancer sends it requests.
func (s State) serves() bool {
	for _, state := range s.Pools {
		if state != "UP" {
			return false
		}
	}
	return true
}

// Report is what came of a scenario.
type Report struct {
	Scenario              Scenario
	Before, During, After []State // During: while the run waits for its approval
	PuppetDuring          string  // what the real puppet agent of a machine of the tier says
	PuppetAfter           string
	Traffic               Traffic
	Acts                  []Act    // of the run, as the machines wrote them down
	Hooks                 []string // bodies of the webhooks of all runs so far
}

// disabled is the beginning of what a puppet agent says that is administratively disabled.
const disabled = "Notice: Skipping run of Puppet configuration client; administratively disabled"

// Check says everything that does not hold.
func (r *Report) Check() error {
	var wrong []error
	hold := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	hold(r.Traffic.Sent > 0 && r.Traffic.Failed == 0, "%d of %d requests failed: %s", r.Traffic.Failed, r.Traffic.Sent, strings.Join(r.Traffic.Errors, "; "))
	hold(len(r.Before) > 0 && len(r.Before) == len(r.During) && len(r.Before) == len(r.After), "it was not looked at everything")
	message := "web_upgrade: moving to " + r.Scenario.Revision
	for i, before := range r.Before {
		during, after := r.During[i], r.After[i]
		touched := before.Tier == r.Scenario.Tier
		hold(during.Revision == before.Revision && during.serves(), "%s was touched before the approval: %+v", before.Node, during)
		hold(during.Locked == touched && (!touched || during.Message == message), "before the approval, puppet on %s: locked %v, %q", before.Node, during.Locked, during.Message)
		if !touched {
			hold(after.Revision == before.Revision && after.serves() && !after.Locked && after.Check == 0, "%s is of the other tier, and was touched: %+v", before.Node, after)
			continue
		}
		r.checkTouched(after, hold)
	}
	hold(strings.HasPrefix(r.PuppetDuring, disabled) && strings.Contains(r.PuppetDuring, message), "the puppet agent says before the approval: %s", r.PuppetDuring)
	hold(strings.HasPrefix(r.PuppetAfter, disabled) == r.Scenario.Fails, "the puppet agent says afterwards: %s", r.PuppetAfter)
	r.checkActs(hold)
	outcome := map[bool]string{true: `"outcome":"failure"`, false: `"outcome":"success"`}[r.Scenario.Fails]
	hold(len(r.Hooks) > 0 && strings.Contains(r.Hooks[len(r.Hooks)-1], outcome), "the webhooks were told %v, the last not of %s", r.Hooks, outcome)
	return errors.Join(wrong...)
}

// checkActs wants the machines themselves to know who asked, and that only those of the tier and the
// load balancers were asked.
func (r *Report) checkActs(hold func(bool, string, ...any)) {
	asked := make(map[string]bool)
	for _, a := range r.Acts {
		asked[a.Node] = true
		hold(strings.HasPrefix(a.Caller, "slack=") && strings.HasSuffix(a.Caller, ".U0ANA"), "%s says that %s was asked for by %s, and not by ana", a.Node, a.Action, a.Caller)
	}
	for _, s := range r.Before {
		hold(asked[s.Node] == (s.Tier == r.Scenario.Tier), "%s of tier %s: it was asked to act: %v", s.Node, s.Tier, asked[s.Node])
	}
	hold(len(r.Acts) > 0, "the machines were asked for nothing")
}

// checkTouched looks at a web server of the tier. After a failure it keeps out of the load balancers and
// is not under puppet, until somebody has looked at it.
func (r *Report) checkTouched(after State, hold func(bool, string, ...any)) {
	if r.Scenario.Fails {
		hold(!after.serves() && after.Locked && after.Check != 0, "%s is in service again after the failure: %+v", after.Node, after)
		return
	}
	hold(after.Revision == r.Scenario.Revision, "%s runs %s and not %s", after.Node, after.Revision, r.Scenario.Revision)
	hold(after.serves() && !after.Locked && after.Check == 0, "%s is not in service again: %+v", after.Node, after)
}

// Print prints what came of it.
func (r *Report) Print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\nmachine\ttier\tbefore\tafter\tNRPE\tHAProxies say\tpuppet during\tpuppet after\trequests answered\n")
	for i, s := range r.After {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Node, s.Tier, r.Before[i].Revision, s.Revision,
			map[bool]string{true: "OK", false: "red"}[s.Check == 0], s.pools(), lockWord(r.During[i].Locked), lockWord(s.Locked), r.answered(s.Node))
	}
	_ = t.Flush() // as the writer below
	fmt.Fprintf(out, "\nWhile the run waited for its approval, the lock file of puppet on tier %s said: %s\n", r.Scenario.Tier, r.lockMessage())
	fmt.Fprintf(out, "and the puppet agent: %s\n", r.PuppetDuring)
	afterwards := "it looks for its server again, and here is none"
	if strings.HasPrefix(r.PuppetAfter, disabled) {
		afterwards = "it is still disabled"
	}
	fmt.Fprintf(out, "Afterwards %s: %s\n", afterwards, r.PuppetAfter)
	fmt.Fprintf(out, "\nThe machines' own audit logs say who asked:\n")
	for _, line := range r.asked() {
		fmt.Fprintf(out, "  %s\n", line)
	}
	fmt.Fprintf(out, "\nRequests through HAProxy all the time: %d sent, %d failed.\n", r.Traffic.Sent, r.Traffic.Failed)
}

// asked are the acts in a few lines: whom they were asked for by, and what of how many machines.
func (r *Report) asked() []string {
	nodes := make(map[string]map[string]bool)
	var order []string
	for _, a := range r.Acts {
		what := a.Caller + "  " + a.Action
		if nodes[what] == nil {
			nodes[what] = make(map[string]bool)
			order = append(order, what)
		}
		nodes[what][a.Node] = true
	}
	for i, what := range order {
		order[i] = fmt.Sprintf("%s on %d machines", what, len(nodes[what]))
	}
	return order
}

func lockWord(locked bool) string {
	if locked {
		return "locked"
	}
	return "enabled"
}

func (r *Report) lockMessage() string {
	for _, s := range r.During {
		if s.Locked {
			return s.Message
		}
	}
	return "nothing, it was not there"
}

// pools are the different states in which load balancers have it.
func (s State) pools() string {
	var all []string
	for _, state := range s.Pools {
		all = append(all, state)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// answered is how many requests it answered, by revision.
func (r *Report) answered(node string) string {
	var parts []string
	for a, n := range r.Traffic.By {
		if a.Node == node {
			parts = append(parts, fmt.Sprintf("%d as %s", n, a.Revision))
		}
	}
	slices.SortFunc(parts, func(a, b string) int {
		return strings.Compare(a[strings.Index(a, " as "):], b[strings.Index(b, " as "):])
	})
	return strings.Join(parts, ", ")
}

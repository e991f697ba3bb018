package mcollectiveassert_test

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/mcollective"
	mcollectiveassert "github.com/playbot/playbot/engine/tasks/mcollective_assert"
	"github.com/playbot/playbot/playbooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const suffix = ".example.net"

// start starts a fleet with the tiers alfa (web1 to web3) and bravo (web4 to web6), and a client for it.
func start(t *testing.T) (*fleetsim.Fleet, *choria.Client) {
	t.Helper()
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(3, 0)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return f, c
}

func list(items ...any) []any { return items }

// ask is a task that holds the nodes to an expression.
func ask(action string, properties map[string]any, expression []any, nodes ...string) map[string]any {
	var names []any
	for _, n := range nodes {
		names = append(names, n+suffix)
	}
	return map[string]any{"action": action, "nodes": names, "properties": properties, "expression": expression}
}

func run(t *testing.T, c *choria.Client, properties map[string]any) (engine.Result, []string, error) {
	t.Helper()
	task, err := mcollectiveassert.Type(c, nil).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	var mu sync.Mutex
	var notes []string
	result, err := task.Run(t.Context(), tasktest.Call(func(line string) {
		mu.Lock()
		defer mu.Unlock()
		notes = append(notes, line)
	}))
	return result, notes, err
}

// signalling says when the node that keeps silent is being asked.
type signalling struct {
	*choria.Client

	begun chan struct{}
}

func (s *signalling) Call(ctx context.Context, q choria.Request) (choria.Result, error) {
	if q.Nodes[0] == "web1"+suffix {
		close(s.begun)
	}
	return s.Client.Call(ctx, q)
}

func TestMcollectiveAssert_passesTheSuite(t *testing.T) {
	t.Parallel()
	f, c := start(t)
	f.Fault(fleetsim.Fault{Node: "web1" + suffix, Kind: fleetsim.Silent})
	begun := make(chan struct{})
	secret := map[string]any{"message": "hunter2hunter2"}
	tasktest.Run(t, tasktest.Case{
		Type: mcollectiveassert.Type(&signalling{c, begun}, nil), Secret: "hunter2hunter2",
		Good: ask("puppet.status", secret, list("idling", "==", true), "web4", "web5"),
		Bad:  ask("puppet.status", secret, list("idling", "==", false), "web4", "web5"),
		Long: func(*testing.T) (map[string]any, <-chan struct{}) {
			return ask("puppet.status", secret, list("idling", "==", true), "web1"), begun
		},
	})
}

func TestMcollectiveAssert_namesTheNodesThatDoNotSatisfy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, c := start(t)
		app := map[string]any{"fact": "tier"}
		result, notes, err := run(t, c, ask("rpcutil.get_fact", app, list("value", "==", "bravo"), "web2", "web3", "web4", "web2"))
		want := "2 of 3 do not satisfy value == bravo: web2.example.net (value=alfa), web3.example.net (value=alfa)"
		if engine.CodeOf(err) != engine.CodeFailed || err.Error() != want || result.Message != want {
			t.Errorf("got %q, %v; want %s", result.Message, err, want)
		}
		if !slices.Equal(result.FailedNodes, []string{"web2" + suffix, "web3" + suffix}) || !slices.Equal(result.OKNodes, []string{"web4" + suffix}) {
			t.Errorf("failed %v, ok %v", result.FailedNodes, result.OKNodes)
		}
		if !slices.Equal(notes, []string{"web2.example.net (value=alfa)", "web3.example.net (value=alfa)"}) {
			t.Errorf("got the notes %q: good replies are not told", notes)
		}
		result, _, err = run(t, c, ask("rpcutil.get_fact", app, list("value", "==", "bravo"), "web4", "web5"))
		if err != nil || result.Message != "2 of 2 ok; all satisfy value == bravo" || len(result.Data.([]any)) != 2 {
			t.Errorf("got %+v, %v", result, err)
		}
	})
}

func TestMcollectiveAssert_failureOfTheRequestIsTheFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, c := start(t)
		f.Fault(fleetsim.Fault{Node: "web5" + suffix, Kind: fleetsim.Fail, Message: "disk full"})
		f.Fault(fleetsim.Fault{Node: "web6" + suffix, Kind: fleetsim.Silent})
		result, _, err := run(t, c, ask("puppet.status", nil, list("idling", "==", true), "web4", "web5", "web6"))
		if err == nil || !strings.Contains(err.Error(), "disk full") || !strings.Contains(err.Error(), "web6") || len(result.SilentNodes) != 1 {
			t.Errorf("got %+v, %v", result, err)
		}
	})
}

func TestMcollectiveAssert_withoutNetworkSaysWhatToConfigure(t *testing.T) {
	t.Parallel()
	task, err := mcollectiveassert.Type(nil, nil).Decode(playbooks.FromMap(ask("a.b", nil, list("x", "=", 1), "web1")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Run(t.Context(), tasktest.Call(nil)); engine.CodeOf(err) != engine.CodeNotSent || !strings.Contains(err.Error(), "nats.servers") {
		t.Errorf("got %v", err)
	}
}

func TestMcollectiveAssert_isKnownByItsActionAndItsTargets(t *testing.T) {
	t.Parallel()
	reads := func(action string) bool { return action == "puppet.status" }
	for action, want := range map[string]engine.Effect{"puppet.status": engine.ReadOnly, "puppet.disable": engine.Once} {
		task, err := mcollectiveassert.Type(nil, reads).Decode(playbooks.FromMap(ask(action, nil, list("x", "=", 1), "web2", "web1", "web2")))
		if err != nil {
			t.Fatal(err)
		}
		named, isNamed := task.(engine.ActionNamed)
		aimed, isAimed := task.(engine.Targeted)
		if task.Effect() != want || !isNamed || named.ActionName() != action || !isAimed || !slices.Equal(aimed.Targets(), []string{"web2" + suffix, "web1" + suffix}) {
			t.Errorf("%s: got %+v with effect %s", action, task, task.Effect())
		}
	}
}

// The action of an assert may change nodes, and then it goes on at them after a cut-off like any other.
func TestMcollectiveAssert_lastsAsLongAsTheRequestThatItMakes(t *testing.T) {
	t.Parallel()
	x, err := ddl.Load(filepath.Join("..", "..", "choria", "ddl", "testdata", "agents"))
	if err != nil {
		t.Fatal(err)
	}
	properties := ask("service.restart", map[string]any{"service": "httpd"}, list("status", "==", "running"), "web1")
	lasts := func(typ engine.TaskType, properties map[string]any) time.Duration {
		task, err := typ.Decode(playbooks.FromMap(properties))
		if err != nil {
			t.Fatal(err)
		}
		if l, ok := task.(engine.Lasting); ok {
			return l.Lasts()
		}
		return 0
	}
	plain := maps.Clone(properties)
	delete(plain, "expression")
	got, want := lasts(mcollectiveassert.Described(nil, nil, x), properties), lasts(mcollective.Described(nil, nil, x), plain)
	if got != want || got == 0 {
		t.Errorf("the nodes go on for %s, and after the same request of mcollective for %s", got, want)
	}
}

func TestMcollectiveAssert_refusesWhatItCannotAskOrCompare(t *testing.T) {
	t.Parallel()
	good := func() map[string]any { return ask("puppet.status", nil, list("idling", "==", true), "web1") }
	for want, change := range map[string]map[string]any{
		"nodes is missing":              {"nodes": nil},
		"nodes is empty":                {"nodes": list()},
		"names no action of an agent":   {"action": "status"},
		"expression is missing":         {"expression": nil},
		"expression must be a list":     {"expression": "idling == true"},
		"expression has 2 items":        {"expression": list("idling", "==")},
		"expression has 0 items":        {"expression": list()},
		"begins with the name":          {"expression": list(5, "==", true)},
		`"<>" is no operator`:           {"expression": list("idling", "<>", true)},
		`"!" is no operator`:            {"expression": list("idling", "!", true)},
		"in needs a list":               {"expression": list("idling", "!in", "abc")},
		"( is no regular expression":    {"expression": list("idling", "=~", "(")},
		"5 is no regular expression":    {"expression": list("idling", "=~", 5)},
		"< needs a number or text, not": {"expression": list("idling", "<", true)},
	} {
		properties := good()
		maps.Copy(properties, change)
		_, err := mcollectiveassert.Type(nil, nil).Decode(playbooks.FromMap(properties))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", change, err, want)
		}
	}
}

func TestType_isDeprecated(t *testing.T) {
	t.Parallel()
	if d := mcollectiveassert.Type(nil, nil).Deprecated; !strings.Contains(d, "mcollective with assert") {
		t.Errorf("got %q", d)
	}
}

func TestDescribed_refusesBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	x, err := ddl.Load(filepath.Join("..", "..", "choria", "ddl", "testdata", "agents"))
	if err != nil {
		t.Fatal(err)
	}
	fleet, c := start(t)
	properties := ask("service.status", map[string]any{"servic": "httpd"}, list("status", "==", "running"), "web1")
	task, err := mcollectiveassert.Described(c, nil, x).Decode(playbooks.FromMap(properties))
	if err != nil {
		t.Fatal(err)
	}
	_, err = task.Run(t.Context(), tasktest.Call(nil))
	if err == nil || !strings.Contains(err.Error(), `did you mean "service"?`) {
		t.Errorf("it says %v", err)
	}
	if n := len(fleet.Calls()); n != 0 {
		t.Errorf("%d nodes were asked", n)
	}
}

package fleetsim_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet is a fleet under test and a client that asks it.
type fleet struct {
	*testing.T
	*fleetsim.Fleet
	client *choria.Client
}

// bubble runs a test with virtual time: a puppet run of an hour costs nothing.
func bubble(t *testing.T, o fleetsim.Options, test func(fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f, err := fleetsim.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(f.Stop)
		c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		test(fleet{T: t, Fleet: f, client: c})
	})
}

// ask calls an action of one node and returns the answer in one line, or "silence".
func (f fleet) ask(node, action string, data map[string]any) string {
	f.Helper()
	agent, action, _ := strings.Cut(action, ".")
	res, err := f.client.Call(f.Context(), choria.Request{Agent: agent, Action: action, Data: data, Nodes: []string{node}})
	if err != nil {
		f.Fatal(err)
	}
	if len(res.Replies) == 0 {
		return "silence"
	}
	r := res.Replies[0]
	return fmt.Sprintf("%d %s %v", r.StatusCode, r.StatusMsg, r.Data)
}

// expect asks and compares.
func (f fleet) expect(want, node, action string, data map[string]any) {
	f.Helper()
	if got := f.ask(node, action, data); got != want {
		f.Errorf("%s on %s %v: got %s, want %s", action, node, data, got, want)
	}
}

const web, lb = "web1.example.net", "lb1.example.net"

type props = map[string]any

func TestState_isWhatTheActionsLeft(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)}, func(f fleet) {
		before := f.Node(web)
		f.expect("0 OK map[enabled:false status:Successfully locked Puppet: upgrade]", web, "puppet.disable", props{"message": "upgrade"})
		f.expect("0 OK map[previous:1.0.0 revision:2]", web, "appmgr.upgrade", props{"revision": "2"})
		f.expect("0 OK map[service:httpd status:stopped]", web, "service.stop", props{"service": "httpd"})
		f.expect("0 OK map[ensure:3.1 package:openssl]", web, "package.update", props{"package": "openssl", "version": "3.1"})
		f.expect("0 OK map[backend:b count:2 status:disabled]", lb, "haproxy.disable", props{"backend": "b", "servers": []string{"w1", "w2"}})
		f.expect("0 OK map[backend:b count:1 status:enabled]", lb, "haproxy.enable", props{"backend": "b", "server": "w1"})
		f.expect("0 OK map[drained:[b/w2]]", lb, "haproxy.status", nil)

		got := f.Node(web)
		if got.PuppetEnabled || got.PuppetMessage != "upgrade" || got.Revision != "2" || got.Services["httpd"] != "stopped" || got.Packages["openssl"] != "3.1" {
			f.Errorf("got %+v", got)
		}
		if drained := f.Node(lb).Drained; fmt.Sprint(drained) != "[b/w2]" {
			f.Errorf("drained: got %v, want b/w2", drained)
		}
		if other := f.Node("web2.example.net"); other.Revision != "1.0.0" || !other.PuppetEnabled {
			f.Errorf("a node that was not asked has changed: %+v", other)
		}
		if before.Services["httpd"] != "running" {
			f.Error("a state that was read before has changed afterwards")
		}
		if none := f.Node("nosuch"); none.Name != "" {
			f.Errorf("got %+v for a node that does not exist", none)
		}
	})
}

func TestPuppet_runsTakeTimeAndStandInEachOthersWay(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0), RunTime: time.Hour}, func(f fleet) {
		f.expect(fmt.Sprintf("0 OK map[initiated_at:%v summary:started a run]", float64(time.Now().Unix())), web, "puppet.runonce", nil)
		f.expect("1 Puppet is currently applying a catalog map[]", web, "puppet.runonce", nil)
		if got := f.ask(web, "puppet.status", nil); !strings.Contains(got, "applying:true") || !strings.Contains(got, "idling:false") {
			f.Errorf("during the run: %s", got)
		}
		time.Sleep(time.Hour - time.Second)
		if !f.Node(web).PuppetRunning {
			f.Error("the run has ended too early")
		}
		time.Sleep(time.Second)
		if got := f.ask(web, "puppet.status", nil); !strings.Contains(got, "applying:false") || !strings.Contains(got, "since_lastrun:0") {
			f.Errorf("after the run: %s", got)
		}
		f.expect("0 OK map[enabled:false status:Successfully locked Puppet: no]", web, "puppet.disable", props{"message": "no"})
		f.expect("1 Could not disable Puppet: Already disabled map[]", web, "puppet.disable", props{"message": "again"})
		f.expect("1 Puppet is disabled: no map[]", web, "puppet.runonce", nil)
		f.expect("0 OK map[enabled:true status:enabled]", web, "puppet.enable", nil)
		f.expect("1 Could not enable Puppet: Already enabled map[]", web, "puppet.enable", nil)
	})
}

func TestPuppet_aRunOfTheStartGoesOnThoughPuppetIsDisabled(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, time.Minute)}, func(f fleet) {
		f.ask(web, "puppet.disable", nil)
		if !f.Node(web).PuppetRunning {
			f.Error("disabling has stopped the run under way")
		}
		time.Sleep(time.Minute)
		if f.Node(web).PuppetRunning {
			f.Error("the run never ends")
		}
	})
}

func TestNRPE_loadIsRedAfterAnUpgradeAndThenGreen(t *testing.T) {
	t.Parallel()
	const red = "1 CRITICAL map[command:check_load exitcode:2 output:CRITICAL - load average: 9.81 perfdata:load1=9.81]"
	const green = "0 OK map[command:check_load exitcode:0 output:OK - load average: 0.42 perfdata:load1=0.42]"
	load := props{"command": "check_load"}
	for name, row := range map[string]struct {
		redChecks int
		want      []string
	}{
		"never":   {0, []string{green, green}},
		"twice":   {2, []string{red, red, green, green}},
		"once":    {1, []string{red, green}},
		"forever": {-1, []string{red, red, red, red, red}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0), RedChecks: row.redChecks}, func(f fleet) {
				f.expect(green, web, "nrpe.runcommand", load) // nothing was upgraded yet
				for range 2 {                                 // each upgrade makes it red again
					f.ask(web, "appmgr.upgrade", props{"revision": "2"})
					for _, want := range row.want {
						f.expect(want, web, "nrpe.runcommand", load)
					}
					if n := f.Node(web).ChecksSinceUpg; n != len(row.want) {
						f.Errorf("%d checks are counted, want %d", n, len(row.want))
					}
				}
			})
		})
	}
}

func TestNRPE_lookingAtEverythingIsNotCounted(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0), RedChecks: 1}, func(f fleet) {
		for range 3 {
			f.ask(web, "nrpe.runallcommands", nil)
		}
		f.ask(web, "appmgr.upgrade", props{"revision": "2"})
		for range 3 {
			if got := f.ask(web, "nrpe.runallcommands", nil); !strings.Contains(got, "CRITICAL") || !strings.Contains(got, "APP OK - 2") {
				f.Errorf("after the upgrade: %s", got)
			}
		}
		if n := f.Node(web).ChecksSinceUpg; n != 0 {
			f.Errorf("%d checks are counted, want none", n)
		}
	})
}

func TestAgents_refuseWhatTheyCannotDo(t *testing.T) {
	t.Parallel()
	rows := []struct {
		action string
		data   props
		want   string
	}{
		{"appmgr.upgrade", nil, "3 missing input revision map[]"},
		{"haproxy.disable", props{"servers": []string{"w"}}, "3 missing input backend map[]"},
		{"haproxy.enable", props{"backend": "b"}, "3 missing input servers map[]"},
		{"nrpe.runcommand", nil, "3 missing input command map[]"},
		{"nrpe.runcommand", props{"command": "rm"}, "4 no such command: rm map[]"},
		{"service.restart", nil, "3 missing input service map[]"},
		{"package.status", nil, "3 missing input package map[]"},
		{"package.remove", nil, "2 Unknown action remove for agent package map[]"},
		{"service.kill", nil, "2 Unknown action kill for agent service map[]"},
		{"puppet.destroy", nil, "2 Unknown action destroy for agent puppet map[]"},
		{"nosuch.action", nil, "silence"}, // no server listens for that agent
	}
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)}, func(f fleet) {
		for _, row := range rows {
			f.expect(row.want, web, row.action, row.data)
		}
	})
}

func TestAgents_answerAboutThemselves(t *testing.T) {
	t.Parallel()
	nodes := []fleetsim.Node{{
		Name: "one", Classes: []string{"roles::db"}, Agents: map[string]string{"rpcutil": "1.3.0"},
		Facts: map[string]any{"os": map[string]any{"family": "Debian"}, "cpus": 4},
	}, {Name: "two"}}
	bubble(t, fleetsim.Options{Nodes: nodes}, func(f fleet) {
		f.expect("0 OK map[fact:os.family value:Debian]", "one", "rpcutil.get_fact", props{"fact": "os.family"})
		f.expect("0 OK map[fact:os.nosuch.deep value:<nil>]", "one", "rpcutil.get_fact", props{"fact": "os.nosuch.deep"})
		f.expect("0 OK map[ensure:1.0.0 package:app]", "two", "package.status", props{"package": "app"})
		f.expect("0 OK map[ensure:absent package:vim]", "two", "package.status", props{"package": "vim"})
		f.expect("0 OK map[service:vim status:unknown]", "two", "service.status", props{"service": "vim"})
		f.expect("silence", "one", "puppet.status", nil) // it has no such agent
		if got := f.ask("one", "rpcutil.inventory", nil); !strings.Contains(got, "classes:[roles::db]") || !strings.Contains(got, "agents:[rpcutil]") {
			f.Errorf("inventory: %s", got)
		}
		if got := f.ask("two", "rpcutil.agent_inventory", nil); strings.Count(got, "version:") != len(fleetsim.Agents()) {
			f.Errorf("agent inventory: %s", got)
		}
	})
}

func TestFaults_applyToTheirNodeAndActionAndWearOff(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)}, func(f fleet) {
		f.Fault(fleetsim.Fault{Node: web, Action: "appmgr.upgrade", Kind: fleetsim.Fail, Times: 2, Message: "disk full"})
		f.expect("0 OK map[previous:1.0.0 revision:2]", "web2.example.net", "appmgr.upgrade", props{"revision": "2"})
		f.expect("0 OK map[revision:1.0.0 status:running]", web, "appmgr.status", nil)
		for range 2 {
			f.expect("1 disk full map[]", web, "appmgr.upgrade", props{"revision": "2"})
		}
		if got := f.Node(web).Revision; got != "1.0.0" {
			f.Errorf("a failed upgrade has left revision %s", got)
		}
		f.expect("0 OK map[previous:1.0.0 revision:2]", web, "appmgr.upgrade", props{"revision": "2"})

		f.Fault(fleetsim.Fault{Kind: fleetsim.Fail})
		f.expect("1 simulated failure map[]", lb, "rpcutil.ping", nil)
		f.ClearFaults()
		f.expect("0 OK map[revision:2 status:running]", web, "appmgr.status", nil)
		if n := f.Count(web, "appmgr.upgrade"); n != 3 {
			f.Errorf("%d upgrades are counted, want all 3, also those that failed", n)
		}
		if n := f.Count("", "appmgr.upgrade"); n != 4 {
			f.Errorf("%d upgrades are counted on all nodes, want 4", n)
		}
	})
}

func TestFaults_onlySilentAndFailLeaveTheNodeAsItWas(t *testing.T) {
	t.Parallel()
	for kind, row := range map[fleetsim.Kind]struct{ answer, revision string }{
		fleetsim.Silent:         {"silence", "1.0.0"},
		fleetsim.Fail:           {"1 simulated failure map[]", "1.0.0"},
		fleetsim.Slow:           {"0 OK map[previous:1.0.0 revision:2]", "2"},
		fleetsim.Late:           {"silence", "2"},
		fleetsim.Duplicate:      {"0 OK map[previous:1.0.0 revision:2]", "2"},
		fleetsim.Malformed:      {"silence", "2"},
		fleetsim.Stranger:       {"silence", "2"},
		fleetsim.WrongRequestID: {"silence", "2"},
		fleetsim.Huge:           {"silence", "2"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			bubble(t, fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)}, func(f fleet) {
				delay := 5 * time.Second
				if kind == fleetsim.Late {
					delay = time.Minute
				}
				f.Fault(fleetsim.Fault{Node: web, Kind: kind, Delay: delay})
				began := time.Now()
				f.expect(row.answer, web, "appmgr.upgrade", props{"revision": "2"})
				if took := time.Since(began); kind == fleetsim.Slow && took != delay {
					f.Errorf("a slow node took %s, want %s", took, delay)
				}
				if got := f.Node(web).Revision; got != row.revision {
					f.Errorf("the node runs %s, want %s", got, row.revision)
				}
			})
		})
	}
}

func TestDeactivatedNodes_doNotAnswer(t *testing.T) {
	t.Parallel()
	nodes := []fleetsim.Node{{Name: "here"}, {Name: "gone", Deactivated: true}}
	bubble(t, fleetsim.Options{Nodes: nodes}, func(f fleet) {
		found, err := f.client.Discover(f.Context(), choria.Filter{})
		if err != nil || fmt.Sprint(found) != "[here]" {
			f.Errorf("discovered %v, %v; want here", found, err)
		}
		f.expect("silence", "gone", "rpcutil.ping", nil)
		if known := f.Nodes(); len(known) != 2 || known[1].Name != "gone" {
			f.Errorf("got %+v, want both nodes in their order", known)
		}
	})
}

func TestStop_endsWhatIsUnderWayAndMayComeTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, err := fleetsim.Start(t.Context(), fleetsim.Options{Nodes: fleetsim.WebFleet(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		c, err := choria.Connect(t.Context(), choria.Options{InProcess: f, Insecure: true, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		f.Fault(fleetsim.Fault{Kind: fleetsim.Late, Delay: 24 * time.Hour})
		if _, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: []string{web}}); err != nil {
			t.Fatal(err)
		}
		c.Close()
		began := time.Now()
		f.Stop()
		f.Stop()
		if took := time.Since(began); took > time.Minute {
			t.Errorf("stopped after %s; it waited for a reply that was to come in a day", took)
		}
	})
}

func TestStart_listensOnLoopbackAndOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	f, err := fleetsim.Start(t.Context(), fleetsim.Options{Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	if !strings.HasPrefix(f.URL(), "nats://127.0.0.1:") {
		t.Errorf("it listens on %s, want loopback alone", f.URL())
	}
	quiet, err := fleetsim.Start(t.Context(), fleetsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(quiet.Stop)
	if quiet.URL() != "" {
		t.Errorf("a fleet that does not listen has the address %s", quiet.URL())
	}
}

func TestWebFleet_isTwoBalancersAndTwoTiers(t *testing.T) {
	t.Parallel()
	var got []string
	for _, n := range fleetsim.WebFleet(2, time.Minute) {
		got = append(got, fmt.Sprint(n.Name, " ", n.Facts["role"], " ", n.Facts["tier"], " ", n.Running))
	}
	want := `lb1.example.net haproxy <nil> 0s
lb2.example.net haproxy <nil> 0s
web1.example.net webserver alfa 1m0s
web2.example.net webserver alfa 0s
web3.example.net webserver bravo 1m0s
web4.example.net webserver bravo 0s`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
}

package realfleet_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// network starts six real servers and our client.
func network(t *testing.T) (*realfleet.Fleet, *choria.Client) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{})
	return f, connect(t, f.Options())
}

// connect gives discovery a window that a busy machine does not outlast.
func connect(t *testing.T, o choria.Options) *choria.Client {
	t.Helper()
	o.Window, o.MaxWait, o.Timeout = 1500*time.Millisecond, 15*time.Second, time.Minute
	c, err := choria.Connect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// short is a list of nodes in one line, without the domain.
func short(nodes []string) string {
	return strings.ReplaceAll(strings.Join(nodes, " "), ".example.net", "")
}

func webServers() []string {
	return []string{"web1.example.net", "web2.example.net", "web3.example.net"}
}

func senders(res choria.Result) []string {
	var out []string
	for _, r := range res.Replies {
		if r.OK() {
			out = append(out, r.Sender)
		}
	}
	return out
}

func TestPing_isAnsweredByEveryServer(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	res, err := c.Call(t.Context(), choria.Request{Agent: "rpcutil", Action: "ping", Nodes: f.Names()})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := short(senders(res)), "lb1 lb2 lb3 web1 web2 web3"; got != want || len(res.Silent) > 0 {
		t.Errorf("answered: %q, silent: %q; want %q and nobody", got, res.Silent, want)
	}
	if res.Stranger+res.Duplicate+res.Malformed+res.Dropped > 0 {
		t.Errorf("replies that do not count: %+v", res)
	}
	for _, r := range res.Replies {
		if pong, ok := r.Data["pong"].(float64); !ok || pong < 1e9 {
			t.Errorf("%s said %v, want the time as pong", r.Sender, r.Data)
		}
	}
	silent, err := c.Ping(t.Context(), f.Names())
	if err != nil || len(silent) > 0 {
		t.Errorf("Ping: silent %q, error %v; want none", silent, err)
	}
}

func TestDiscover_agreesWithTheServers(t *testing.T) {
	t.Parallel()
	_, c := network(t)
	double := simulate(t, realfleet.Six())
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16) // real servers drop requests when more than a few come at once
	for name, row := range map[string]struct {
		filter choria.Filter
		want   string
	}{
		"everything":                   {choria.Filter{}, "lb1 lb2 lb3 web1 web2 web3"},
		"fact":                         {choria.Filter{Facts: []string{"country=mt"}}, "lb2 web2"},
		"fact in other case":           {choria.Filter{Facts: []string{"country=MT"}}, "lb2 web2"},
		"two facts":                    {choria.Filter{Facts: []string{"country=mt", "tier=bravo"}}, "web2"},
		"fact that differs":            {choria.Filter{Facts: []string{"tier!=edge"}}, "web1 web2 web3"},
		"fact by pattern":              {choria.Filter{Facts: []string{"tier=/^al/"}}, "web1 web3"},
		"fact by pattern, other case":  {choria.Filter{Facts: []string{"tier=~^AL"}}, "web1 web3"},
		"number equal":                 {choria.Filter{Facts: []string{"processorcount=8"}}, "web1 web2 web3"},
		"number greater":               {choria.Filter{Facts: []string{"processorcount>2"}}, "web1 web2 web3"},
		"number greater or equal":      {choria.Filter{Facts: []string{"processorcount>=2"}}, "lb1 lb2 lb3 web1 web2 web3"},
		"number less":                  {choria.Filter{Facts: []string{"processorcount<8"}}, "lb1 lb2 lb3"},
		"number compared with a word":  {choria.Filter{Facts: []string{"processorcount>few"}}, ""},
		"nested fact":                  {choria.Filter{Facts: []string{"os.family=debian"}}, "web1 web2 web3"},
		"whole of a nested fact":       {choria.Filter{Facts: []string{"os!=debian"}}, ""},
		"text compared as text":        {choria.Filter{Facts: []string{"os.release<9"}}, "web1 web2 web3"},
		"number less than a word":      {choria.Filter{Facts: []string{"processorcount<few"}}, ""},
		"truth":                        {choria.Filter{Facts: []string{"virtual=true"}}, "web1 web2 web3"},
		"truth denied":                 {choria.Filter{Facts: []string{"virtual!=true"}}, ""},
		"fact that nobody has":         {choria.Filter{Facts: []string{"nosuch=1"}}, ""},
		"class":                        {choria.Filter{Classes: []string{"roles::haproxy"}}, "lb1 lb2 lb3"},
		"class in other case":          {choria.Filter{Classes: []string{"Roles::HAProxy"}}, "lb1 lb2 lb3"},
		"class by pattern":             {choria.Filter{Classes: []string{"/WEB/"}}, "web1 web2 web3"},
		"every class":                  {choria.Filter{Classes: []string{"roles::webserver", "roles::haproxy"}}, ""},
		"identity":                     {choria.Filter{Identities: []string{"web3.example.net"}}, "web3"},
		"any identity":                 {choria.Filter{Identities: []string{"web3.example.net", "lb1.example.net"}}, "lb1 web3"},
		"identity by pattern":          {choria.Filter{Identities: []string{"/^web[12]/"}}, "web1 web2"},
		"identity in other case":       {choria.Filter{Identities: []string{"WEB3.example.net"}}, ""},
		"agent":                        {choria.Filter{Agents: []string{"appmgr"}}, "lb1 lb2 lb3 web1 web2 web3"},
		"agent by pattern":             {choria.Filter{Agents: []string{"/^app/"}}, "lb1 lb2 lb3 web1 web2 web3"},
		"agent in other case":          {choria.Filter{Agents: []string{"AppMgr"}}, ""},
		"agent that nobody has":        {choria.Filter{Agents: []string{"nosuch"}}, ""},
		"everything together":          {choria.Filter{Agents: []string{"rpcutil"}, Classes: []string{"roles::webserver"}, Facts: []string{"tier=alfa"}, Identities: []string{"/3/"}}, "web3"},
		"the agent that answers pings": {choria.Filter{Agents: []string{"discovery"}}, "lb1 lb2 lb3 web1 web2 web3"},
	} {
		for who, client := range map[string]*choria.Client{"real": c, "simulated": double} {
			wg.Go(func() { // side by side: each discovery is a wait for its window
				slots <- struct{}{}
				defer func() { <-slots }()
				got, err := client.Discover(t.Context(), row.filter)
				for try := 1; try < 4 && err == nil && len(got) < len(strings.Fields(row.want)); try++ {
					got, err = client.Discover(t.Context(), row.filter) // a starved machine outlasts a window
				}
				if err != nil || short(got) != row.want {
					t.Errorf("%s, %s servers: got %q, %v; want %q", name, who, short(got), err, row.want)
				}
			})
		}
	}
	wg.Wait()
}

// simulate starts the double with the same servers.
func simulate(t *testing.T, nodes []realfleet.Node) *choria.Client {
	t.Helper()
	o := fleetsim.Options{Listen: true}
	for _, n := range nodes {
		o.Nodes = append(o.Nodes, fleetsim.Node{Name: n.Name, Facts: n.Facts, Classes: n.Classes})
	}
	f, err := fleetsim.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Stop)
	return connect(t, choria.Options{Servers: []string{f.URL()}, Insecure: true})
}

func TestAgents_areListedWithTheirVersions(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	got, err := c.Agents(t.Context(), f.Names())
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range f.Names() {
		versions := got[node]
		if versions["appmgr"] != "2.3.0" || versions["rpcutil"] == "" || versions["discovery"] == "" {
			t.Errorf("%s has %v, want appmgr 2.3.0, rpcutil and discovery", node, versions)
		}
	}
}

func TestReplies_haveTheShapeOfTheSimulatedOnes(t *testing.T) {
	t.Parallel()
	_, c := network(t)
	double := simulate(t, realfleet.Six())
	for name, q := range map[string]choria.Request{
		"ping":             {Agent: "rpcutil", Action: "ping"},
		"inventory":        {Agent: "rpcutil", Action: "inventory"},
		"agent inventory":  {Agent: "rpcutil", Action: "agent_inventory"},
		"fact":             {Agent: "rpcutil", Action: "get_fact", Data: map[string]any{"fact": "os.family"}},
		"fact not there":   {Agent: "rpcutil", Action: "get_fact", Data: map[string]any{"fact": "nosuch"}},
		"fact not named":   {Agent: "rpcutil", Action: "get_fact"},
		"status":           {Agent: "appmgr", Action: "status"},
		"upgrade":          {Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2.0.0"}},
		"missing input":    {Agent: "appmgr", Action: "upgrade"},
		"unknown action":   {Agent: "rpcutil", Action: "nosuch"},
		"unknown agent":    {Agent: "nosuch", Action: "ping", Timeout: 500 * time.Millisecond},
		"no such identity": {Agent: "rpcutil", Action: "ping", Nodes: []string{"web9.example.net"}, Timeout: 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if q.Nodes == nil {
				q.Nodes = []string{"web1.example.net"}
			}
			real, err := c.Call(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			simulated, err := double.Call(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := shape(simulated), shape(real); got != want {
				t.Errorf("the simulated server says\n%s\nthe real one says\n%s", got, want)
			}
		})
	}
}

func TestCall_reachesOnlyTheNodesItNames(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	targets := webServers()[:2]
	res, err := c.Call(t.Context(), choria.Request{Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2.0.0"}, Nodes: targets})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := short(senders(res)), "web1 web2"; got != want {
		t.Errorf("answered: %q, want %q", got, want)
	}
	var reached []string
	for _, call := range f.Calls() {
		reached = append(reached, call.Node)
		if call.Caller != "choria="+f.Identity || call.RequestID != res.ID || call.Action != "upgrade" {
			t.Errorf("the server was told %+v, want upgrade by choria=%s as %s", call, f.Identity, res.ID)
		}
	}
	slices.Sort(reached)
	if got, want := short(reached), "web1 web2"; got != want {
		t.Errorf("reached: %q, want %q", got, want)
	}
	for _, node := range f.Names() {
		want := "1.0.0"
		if slices.Contains(targets, node) {
			want = "2.0.0"
		}
		if got := f.Revision(node); got != want {
			t.Errorf("%s runs %s, want %s", node, got, want)
		}
	}
}

func TestCall_goesInBatches(t *testing.T) {
	t.Parallel()
	f, c := network(t)
	var batches []string
	res, err := c.Call(t.Context(), choria.Request{
		Agent: "appmgr", Action: "status", Nodes: f.Names(), BatchSize: 4,
		Before: func(batch []string) error { batches = append(batches, short(batch)); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(batches, " | "), "lb1 lb2 lb3 web1 | web2 web3"; got != want {
		t.Errorf("batches: %q, want %q", got, want)
	}
	if len(senders(res)) != 6 {
		t.Errorf("answered: %q, want all six; one request id serves both batches", short(senders(res)))
	}
}

func TestConnect_isRefusedWithACertificateOfAnotherCA(t *testing.T) {
	t.Parallel()
	f := realfleet.Start(t, realfleet.Options{Nodes: realfleet.Six()[:1]})
	foreign, err := fleetsim.NewCerts(t.TempDir(), f.Identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*choria.Options){
		"the broker refuses us": func(o *choria.Options) { o.Cert, o.Key = foreign.ClientCert, foreign.ClientKey },
		"we refuse the broker":  func(o *choria.Options) { o.CA = foreign.CA },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := f.Options()
			change(&o)
			c, err := choria.Connect(t.Context(), o)
			if err == nil {
				c.Close()
				t.Fatal("connected, want a refusal")
			}
			if !strings.Contains(err.Error(), f.URL) || !strings.Contains(err.Error(), "certificate") && !strings.Contains(err.Error(), "tls:") {
				t.Errorf("got %q, want the broker's address and what is wrong with the certificate", err)
			}
		})
	}
}

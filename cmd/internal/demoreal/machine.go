package demoreal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// machine is a folder and an address.
type machine struct {
	name    string // web1.example.net
	tier    string // alfa or bravo; "edge" for a load balancer
	address string // of loopback, its own
	dir     string
	classes []string
	agents  []string
}

const (
	balancers = 2
	perTier   = 3
)

func tiers() []string { return []string{"alfa", "bravo"} }

// machines lays out two load balancers, and web servers of two tiers in turn.
func machines(dir string) []*machine {
	// Two demonstrations on one machine do not meet: the network is drawn.
	network := fmt.Sprintf("127.%d.%d.", 32+rand.N(192), rand.N(256)) //nolint:gosec // no secret
	var all []*machine
	add := func(name, tier, class string, agents ...string) {
		m := &machine{name: name + ".example.net", tier: tier, address: fmt.Sprint(network, 10+len(all)), classes: []string{class}, agents: agents}
		m.dir = filepath.Join(dir, m.name)
		all = append(all, m)
	}
	for i := range balancers {
		add(fmt.Sprintf("lb%d", i+1), "edge", "roles::haproxy", "haproxy")
	}
	for i := range perTier * len(tiers()) {
		add(fmt.Sprintf("web%d", i+1), tiers()[i%len(tiers())], "roles::webserver", "puppet", "appmgr", "nrpe")
	}
	return all
}

func (m *machine) facts() map[string]any { return map[string]any{"tier": m.tier} }

func (m *machine) path(name ...string) string {
	return filepath.Join(append([]string{m.dir}, name...)...)
}

// write writes a file of the machine; the users of its services read it.
func (m *machine) write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil { //nolint:gosec // several users
		return err
	}
	return os.WriteFile(m.path(name), []byte(text), 0o644) //nolint:gosec // several users
}

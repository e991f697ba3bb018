package realfleettest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Discover holds what simulated servers make of filters against what real ones do.
func Discover(t *testing.T, _ realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Mode: mode})
	d := simulate(t, mode, f.Identity, realfleet.Six())
	sides := map[string]*searcher{"real": newSearcher(t, f.Options()), "simulated": newSearcher(t, d.options)}
	var wg sync.WaitGroup
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
		"either":                       {choria.Filter{Compound: `with("country=mt") or with("tier=alfa")`}, "lb2 web1 web2 web3"},
		"class and not a pattern":      {choria.Filter{Compound: `with("roles::webserver") and not with("country=/^[du]/")`}, "web2"},
		"class by pattern and number":  {choria.Filter{Compound: `with("/^roles::h/") and fact("processorcount") < 4`}, "lb1 lb2 lb3"},
		"nested fact and agent":        {choria.Filter{Compound: `fact("os.release") == "12" and with("appmgr")`}, "web1 web2 web3"},
		"version and list of agents":   {choria.Filter{Compound: `semver(fact("os.release"), ">= 11") and "rpcutil" in agents`}, "web1 web2 web3"},
		"function that nobody has":     {choria.Filter{Compound: `nosuch("x") or with("country=mt")`}, ""},
		"no truth value":               {choria.Filter{Compound: `fact("country") + fact("processorcount") == "x"`}, ""},
		"the agent that answers pings": {choria.Filter{Agents: []string{"discovery"}}, "lb1 lb2 lb3 web1 web2 web3"},
	} {
		for who, side := range sides {
			wg.Go(func() { // side by side: each discovery is a wait for its window
				got, err := side.discover(t.Context(), row.filter, len(strings.Fields(row.want)))
				if err != nil || plain(strings.Join(got, " ")) != row.want {
					t.Errorf("%s, %s servers: got %q, %v; want %q", name, who, plain(strings.Join(got, " ")), err, row.want)
				}
			})
		}
	}
	wg.Wait()
}

// searcher discovers with a short window, and with a long one when a busy machine has outlasted that.
type searcher struct {
	quick, patient *choria.Client
	slots          chan struct{} // real servers drop requests when more than a few come at once
}

func newSearcher(t *testing.T, o choria.Options) *searcher {
	t.Helper()
	const atOnce = 6
	s := &searcher{quick: Connect(t, o), slots: make(chan struct{}, atOnce)}
	o.Window = LongWindow
	s.patient = Connect(t, o)
	return s
}

// discover expects at least that many servers.
func (s *searcher) discover(ctx context.Context, f choria.Filter, least int) ([]string, error) {
	s.slots <- struct{}{}
	defer func() { <-s.slots }()
	const tries = 3
	got, err := s.quick.Discover(ctx, f)
	for try := 0; try < tries && err == nil && len(got) < least; try++ {
		got, err = s.patient.Discover(ctx, f)
	}
	return got, err
}

package choria_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

func TestDiscover_evaluatesEveryFilter(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		filter choria.Filter
		want   string
	}{
		"nothing":    {choria.Filter{}, "lb1 lb2 web1 web2 web3 web4 web5 web6"},
		"fact":       {choria.Filter{Facts: []string{"tier=bravo"}}, "web4 web5 web6"},
		"regex fact": {choria.Filter{Facts: []string{"tier=/^al/"}}, "web1 web2 web3"},
		"not":        {choria.Filter{Facts: []string{"role!=webserver"}}, "lb1 lb2"},
		"number":     {choria.Filter{Facts: []string{"processorcount>=5"}}, ""},
		"dotted":     {choria.Filter{Facts: []string{"os.family=debian", "role=haproxy"}}, "lb1 lb2"},
		"class":      {choria.Filter{Classes: []string{"roles::haproxy"}}, "lb1 lb2"},
		"identity":   {choria.Filter{Identities: []string{"web1.example.net", "/^lb1/"}}, "lb1 web1"},
		"agent":      {choria.Filter{Agents: []string{"nosuch"}}, ""},
		"all at once": {
			choria.Filter{Agents: []string{"puppet"}, Classes: []string{"/webserver/"}, Facts: []string{"tier=alfa"}, Identities: []string{"/[12]/"}},
			"web1 web2",
		},
	}
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		for name, row := range rows {
			got, err := t.client.Discover(t.Context(), row.filter)
			if err != nil {
				t.Fatal(err)
			}
			if s := strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""); s != row.want {
				t.Errorf("%s: got %q, want %q", name, s, row.want)
			}
		}
	})
}

func TestDiscover_endsAfterTheWindowOfSilence(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(3, 0), func(t under) {
		began := time.Now()
		if _, err := t.client.Discover(t.Context(), choria.Filter{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 300*time.Millisecond {
			t.Errorf("took %s, want the window of 300ms after the last answer", took)
		}
	})
}

// slow makes web servers answer discoveries after a time, in order.
func slow(t under, after ...time.Duration) {
	for i, d := range after {
		t.fleet.Fault(fleetsim.Fault{Node: fmt.Sprintf("web%d.example.net", i+1), Action: "discovery", Kind: fleetsim.Slow, Delay: d})
	}
}

// search is what a discovery finds, without domains, and how long it takes.
func search(t under, f choria.Filter) (string, time.Duration) {
	t.Helper()
	began := time.Now()
	got, err := t.client.Discover(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.Join(got, " "), ".example.net", ""), time.Since(began)
}

func TestDiscover_waitsTheLongerTheFartherApartTheAnswersAre(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(2, 0), func(t under) {
		const ms = time.Millisecond
		slow(t, 200*ms, 450*ms, 850*ms, 1600*ms) // the gaps grow beyond the window of 300 ms
		got, took := search(t, choria.Filter{Classes: []string{"roles::webserver"}})
		if got != "web1 web2 web3 web4" || took != 3200*ms {
			t.Errorf("found %q after %s, want all four after twice the 1.6s of the last", got, took)
		}
	})
}

func TestDiscover_waitsForThoseWhoAnsweredTheLastTime(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(2, 0), func(t under) {
		web := choria.Filter{Classes: []string{"roles::webserver"}}
		slow(t, 2*time.Second)
		if got, took := search(t, web); got != "web2 web3 web4" || took != 300*time.Millisecond {
			t.Errorf("the first found %q after %s; nobody knew of web1", got, took)
		}
		time.Sleep(10 * time.Second) // its answer came too late, and says that it is there
		for range 2 {
			if got, took := search(t, web); got != "web1 web2 web3 web4" || took != 4*time.Second {
				t.Errorf("the next found %q after %s, want all four after twice 2s", got, took)
			}
		}
		if got, took := search(t, choria.Filter{Facts: []string{"role=haproxy"}}); got != "lb1 lb2" || took != 300*time.Millisecond {
			t.Errorf("another filter found %q after %s; it has nothing to do with web1", got, took)
		}
	})
}

func TestDiscover_forgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		search(t, choria.Filter{})
		t.fleet.Fault(fleetsim.Fault{Node: "web2.example.net", Action: "discovery", Kind: fleetsim.Silent})
		for _, want := range []time.Duration{5 * time.Second, 300 * time.Millisecond} {
			if got, took := search(t, choria.Filter{}); got != "lb1 lb2 web1" || took != want {
				t.Errorf("found %q after %s, want three after %s", got, took, want)
			}
		}
	})
}

func TestDiscover_doesNotWaitForWhoIsLaterThanTheBound(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		slow(t, 6*time.Second)
		for range 3 {
			if got, took := search(t, choria.Filter{}); got != "lb1 lb2 web2" || took != 300*time.Millisecond {
				t.Errorf("found %q after %s", got, took)
			}
			time.Sleep(10 * time.Second)
		}
	})
}

func TestDiscover_endsWhenEveryNameHasAnswered(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(2, 0), func(t under) {
		names := []string{"web1.example.net", "web2.example.net", "web2.example.net"}
		if got, took := search(t, choria.Filter{Identities: names}); got != "web1 web2" || took != 0 {
			t.Errorf("found %q after %s, want both at once", got, took)
		}
		if got, took := search(t, choria.Filter{Identities: append(names, "web9.example.net")}); got != "web1 web2" || took != 300*time.Millisecond {
			t.Errorf("found %q after %s, want both after the window", got, took)
		}
		if got, took := search(t, choria.Filter{Identities: append(names, "/^lb/")}); got != "lb1 lb2 web1 web2" || took != 300*time.Millisecond {
			t.Errorf("found %q after %s: a pattern may match anybody", got, took)
		}
		t.fleet.Fault(fleetsim.Fault{Node: "web1.example.net", Action: "discovery", Kind: fleetsim.Stranger})
		if got, _ := search(t, choria.Filter{Identities: names[:1]}); got != "" {
			t.Errorf("found %q, which was not asked for", got)
		}
	})
}

func TestDiscover_waitsLongerForTheFirstAnswer(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		slow(t, time.Second)
		if got, took := search(t, choria.Filter{Facts: []string{"tier=alfa"}}); got != "web1" || took != 2*time.Second {
			t.Errorf("found %q after %s", got, took)
		}
		if got, took := search(t, choria.Filter{Facts: []string{"tier=nosuch"}}); got != "" || took != 1200*time.Millisecond {
			t.Errorf("found %q after %s, want nobody after four windows", got, took)
		}
	})
}

func TestDiscover_namesANodeOnceThatAnswersTwice(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Action: "discovery", Kind: fleetsim.Duplicate})
		got, err := t.client.Discover(t.Context(), choria.Filter{})
		if want := "[lb1.example.net lb2.example.net web1.example.net web2.example.net]"; err != nil || fmt.Sprint(got) != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	})
}

func TestDiscover_ignoresWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		t.fleet.Fault(fleetsim.Fault{Node: "lb1.example.net", Action: "discovery", Kind: fleetsim.Malformed})
		t.fleet.Fault(fleetsim.Fault{Node: "lb2.example.net", Action: "discovery", Kind: fleetsim.WrongRequestID})
		t.fleet.Fault(fleetsim.Fault{Node: "web1.example.net", Action: "discovery", Kind: fleetsim.Late, Delay: time.Hour})
		got, err := t.client.Discover(t.Context(), choria.Filter{})
		if err != nil || fmt.Sprint(got) != "[web2.example.net]" {
			t.Errorf("got %v, %v; want web2 alone", got, err)
		}
	})
}

func TestDiscover_isBoundedWhenAnswersNeverCease(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.Plain(60), func(t under) {
		for i, n := range t.fleet.Nodes() { // one answer each 200 ms: the window never passes
			t.fleet.Fault(fleetsim.Fault{Node: n.Name, Action: "discovery", Kind: fleetsim.Slow, Delay: time.Duration(i) * 200 * time.Millisecond})
		}
		began := time.Now()
		got, err := t.client.Discover(t.Context(), choria.Filter{})
		if took := time.Since(began); err != nil || took != 5*time.Second || len(got) < 25 || len(got) > 26 {
			t.Errorf("got %d nodes after %s, %v; want some 25 of 60 after 5s", len(got), took, err)
		}
	})
}

func TestDiscover_endsWhenItsContextDoes(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		why := errors.New("the run was cancelled")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, why)
		defer cancel()
		if got, err := t.client.Discover(ctx, choria.Filter{}); !errors.Is(err, why) || got != nil {
			t.Errorf("got %v, %v; want %v", got, err, why)
		}
	})
}

func TestParseFact_readsEveryOperator(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"country=uk":        "country == uk",
		"country==uk":       "country == uk",
		"country!=uk":       "country != uk",
		"mem>=4":            "mem >= 4",
		"mem<=4":            "mem <= 4",
		"mem>4":             "mem > 4",
		"mem<4":             "mem < 4",
		"os.family=/^Deb/":  "os.family =~ /^Deb/",
		"os.family=~^Deb":   "os.family =~ ^Deb",
		" country = uk ":    "country == uk",
		"equation=a=b":      "equation == a=b",
		"country=/":         "country == /",
		"country":           "refused",
		"=uk":               "refused",
		"country=":          "refused",
		"":                  "refused",
		"mem>=":             "refused",
		"country uk or all": "refused",
	} {
		fact, err := choria.ParseFact(text)
		got := fact.Fact + " " + fact.Operator + " " + fact.Value
		if err != nil {
			got = "refused"
			if !strings.Contains(err.Error(), "write it as in") {
				t.Errorf("%q: the error %q does not say how to write it", text, err)
			}
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestDiscover_refusesAFactItCannotReadAndSendsNothing(t *testing.T) {
	t.Parallel()
	bubble(t, fleetsim.WebFleet(1, 0), func(t under) {
		if got, err := t.client.Discover(t.Context(), choria.Filter{Facts: []string{"tier"}}); err == nil || len(got) != 0 {
			t.Errorf("got %v, %v; want a refusal: without its fact the filter matches every node", got, err)
		}
	})
}

func FuzzParseFact(f *testing.F) {
	for _, s := range []string{"country=uk", "mem>=4", "a=~/x/", "=", "a==", "os.family=/Deb/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fact, err := choria.ParseFact(s)
		if err == nil && (fact.Fact == "" || fact.Value == "" || fact.Operator == "") {
			t.Errorf("%q gives %+v", s, fact)
		}
	})
}

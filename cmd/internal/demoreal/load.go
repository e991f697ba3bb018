package demoreal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
)

// workers is how many requests each load balancer has at a time.
const workers = 8

// Traffic is what came of the requests so far.
type Traffic struct {
	Sent   int
	Failed int
	Errors []string              // of the first that failed
	By     map[webapp.Answer]int // answers, by who gave them
}

// load sends requests through all load balancers, as fast as they are answered.
type load struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	traffic Traffic
	changed chan struct{} // closed at every answer
}

// startLoad starts it; it goes on until Stop, and what is under way then is finished and counted.
func startLoad(ctx context.Context, lbs []*machine) *load {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	l := &load{stop: stop, traffic: Traffic{By: make(map[webapp.Answer]int)}, changed: make(chan struct{})}
	for _, lb := range lbs {
		for range workers {
			l.wg.Go(func() { l.work(running, "http://"+lb.address+":"+haproxyPort+"/") })
		}
	}
	return l
}

func (l *load) work(running context.Context, url string) {
	transport := &http.Transport{Proxy: nil}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	for running.Err() == nil {
		answer, err := request(context.WithoutCancel(running), client, url)
		l.count(answer, err)
		if err != nil {
			select {
			case <-time.After(look): // a balancer that is gone is not hammered
			case <-running.Done():
			}
		}
	}
}

// request sends one. It is a POST, for Go's client sends what is harmless again by itself when a
// connection breaks, and a failure would go unseen.
func request(ctx context.Context, client *http.Client, url string) (webapp.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("order=1"))
	if err != nil {
		return webapp.Answer{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return webapp.Answer{}, err
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return webapp.Answer{}, err
	}
	var answer webapp.Answer
	if err := json.Unmarshal(body.Bytes(), &answer); err != nil || resp.StatusCode != http.StatusOK || answer.Revision == "" {
		return webapp.Answer{}, fmt.Errorf("%s: %.200q", resp.Status, body.String())
	}
	return answer, nil
}

// errorsKept bounds the failures that are told in full.
const errorsKept = 5

func (l *load) count(answer webapp.Answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.traffic.Sent++
	if err != nil {
		l.traffic.Failed++
		if len(l.traffic.Errors) < errorsKept {
			l.traffic.Errors = append(l.traffic.Errors, err.Error())
		}
	} else {
		l.traffic.By[answer]++
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// Traffic is what came of it so far.
func (l *load) Traffic() Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.traffic
	t.By = maps.Clone(t.By)
	return t
}

// More waits until each of these has given so many answers more.
func (l *load) More(ctx context.Context, answers int, from []webapp.Answer) error {
	before := l.Traffic()
	for {
		l.mu.Lock()
		missing := ""
		for _, a := range from {
			if l.traffic.By[a]-before.By[a] < answers {
				missing = a.Node + " as " + a.Revision
			}
		}
		changed := l.changed
		l.mu.Unlock()
		if missing == "" {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for requests that %s answers: %w", missing, context.Cause(ctx))
		}
	}
}

// Stop ends the load and returns all that came of it.
func (l *load) Stop() Traffic {
	l.stop()
	l.wg.Wait()
	return l.Traffic()
}

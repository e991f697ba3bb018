package realpdb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/engine/puppetdb/pdbsim"
)

const (
	// side by side: PuppetDB has as many threads for commands as half the cores.
	sideBySide = 4
	// commandTimeout is how long PuppetDB may take to carry one out.
	commandTimeout = time.Minute
	// maxReply bounds the reply to a command.
	maxReply = 1 << 20
)

// Load tells PuppetDB facts, classes and agents of nodes, and returns when queries see them. A node that
// it already knows is replaced, and one that says Deactivated goes; others stay as they are.
func (s *Server) Load(ctx context.Context, nodes []pdbsim.Node) error {
	slots := make(chan struct{}, sideBySide)
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if err := s.load(ctx, n); err != nil {
				errs[i] = fmt.Errorf("tell PuppetDB of %q: %w", n.Certname, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Server) load(ctx context.Context, n pdbsim.Node) error {
	if n.AnyAgent {
		return errors.New("a real one knows no node that has any agent; name its agents")
	}
	at := s.now()
	facts := map[string]any{"certname": n.Certname, "environment": "production", "producer": "playbot", "producer_timestamp": at, "values": factsOf(n)}
	if err := s.command(ctx, "replace_facts", 5, n.Certname, at, facts); err != nil {
		return err
	}
	if err := s.command(ctx, "replace_catalog", 9, n.Certname, at, catalog(n, at)); err != nil {
		return err
	}
	if !n.Deactivated {
		return nil
	}
	at = s.now() // newer than what it was told last, else the node would stay
	return s.command(ctx, "deactivate_node", 3, n.Certname, at, map[string]any{"certname": n.Certname, "producer_timestamp": at})
}

// now is the time of a command, newer than that of every one before: PuppetDB ignores what is older than
// what it knows, and keeps milliseconds.
func (s *Server) now() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if !now.After(s.stamp) {
		now = s.stamp.Add(time.Millisecond)
	}
	s.stamp = now
	return now.Format("2006-01-02T15:04:05.000Z")
}

// command sends one and waits until it was carried out.
func (s *Server) command(ctx context.Context, name string, version int, certname, at string, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, commandTimeout+10*time.Second)
	defer cancel()
	q := url.Values{
		"command": {name}, "version": {fmt.Sprint(version)}, "certname": {certname}, "producer-timestamp": {at},
		"secondsToWaitForCompletion": {fmt.Sprint(int(commandTimeout / time.Second))},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/pdb/cmd/v1?"+q.Encode(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return fmt.Errorf("%s: read the reply: %w", name, err)
	}
	var reply struct {
		Processed bool   `json:"processed"`
		TimedOut  bool   `json:"timed_out"`
		Error     string `json:"error"`
		Exception string `json:"exception"`
	}
	switch err := json.Unmarshal(data, &reply); {
	case resp.StatusCode != http.StatusOK || err != nil:
		return fmt.Errorf("%s: %s: %s", name, resp.Status, strings.TrimSpace(string(data)))
	case reply.TimedOut:
		return fmt.Errorf("%s: not carried out within %v", name, commandTimeout)
	case reply.Error != "" || reply.Exception != "" || !reply.Processed:
		return fmt.Errorf("%s: %s", name, strings.TrimSpace(string(data)))
	}
	return nil
}

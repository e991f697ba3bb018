package agents

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// haproxy takes servers out of a backend and puts them back. Its setting is socket, of the runtime API.
func haproxy() external.Agent {
	return external.Agent{Name: "haproxy", Actions: map[string]external.Action{"disable": disable, "enable": enable}}
}

// pool is what both actions are told.
type pool struct {
	Backend string   `json:"backend"`
	Servers []string `json:"servers"`
	Mode    string   `json:"mode"`
}

func readPool(r *external.Request) (Balancer, pool, error) {
	var p pool
	if err := r.Decode(&p); err != nil {
		return "", p, err
	}
	if len(p.Servers) == 0 {
		return "", p, &external.Error{Code: external.CodeMissingData, Message: "no servers are named; a whole backend is never taken out"}
	}
	socket, err := r.Settings.Need("socket")
	return Balancer(socket), p, err
}

// looks is how often a server must be found without sessions. A request that had been given to it just
// before it was taken out may not be counted yet at the first.
const looks = 2

// disable returns when the servers get no new requests and have finished those they had.
func disable(ctx context.Context, r *external.Request) (map[string]any, error) {
	b, p, err := readPool(r)
	if err != nil {
		return nil, err
	}
	if p.Mode == "" {
		p.Mode = "drain"
	}
	if err := b.known(ctx, p); err != nil {
		return nil, err
	}
	for _, server := range p.Servers {
		if err := b.SetState(ctx, p.Backend, server, p.Mode); err != nil {
			return nil, err
		}
	}
	quiet := 0
	err = until(ctx, "sessions to end", func(ctx context.Context) error {
		err := b.each(ctx, p, func(s Server) error {
			if strings.HasPrefix(s.Status, "UP") || s.Sessions > 0 { // DOWN, where the health check fails, is as good as DRAIN
				return fmt.Errorf("%s is %s and has %d sessions", s.Name, s.Status, s.Sessions)
			}
			return nil
		})
		if quiet++; err != nil {
			quiet = 0
		} else if quiet < looks {
			err = errors.New("looked once")
		}
		return err
	})
	return map[string]any{"backend": p.Backend, "status": "drained", "count": len(p.Servers)}, err
}

// enable returns when the servers are well in HAProxy's eyes and get requests.
func enable(ctx context.Context, r *external.Request) (map[string]any, error) {
	b, p, err := readPool(r)
	if err != nil {
		return nil, err
	}
	if err := b.known(ctx, p); err != nil {
		return nil, err
	}
	for _, server := range p.Servers {
		if err := b.SetState(ctx, p.Backend, server, "ready"); err != nil {
			return nil, err
		}
	}
	err = until(ctx, "health checks to pass", func(ctx context.Context) error {
		return b.each(ctx, p, func(s Server) error {
			if s.Status != "UP" {
				return fmt.Errorf("%s is %s", s.Name, s.Status)
			}
			return nil
		})
	})
	return map[string]any{"backend": p.Backend, "status": "ready", "count": len(p.Servers)}, err
}

// known wants every server to be there before any is touched.
func (b Balancer) known(ctx context.Context, p pool) error {
	return b.each(ctx, p, func(Server) error { return nil })
}

func (b Balancer) each(ctx context.Context, p pool, ok func(Server) error) error {
	all, err := b.Servers(ctx, p.Backend)
	if err != nil {
		return err
	}
	for _, name := range p.Servers {
		s, found := all[name]
		if !found {
			return &external.Error{Code: external.CodeInvalidData, Message: fmt.Sprintf("backend %s has no server %s", p.Backend, name)}
		}
		if err := ok(s); err != nil {
			return err
		}
	}
	return nil
}

package webagents

import (
	"slices"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// haproxy takes servers out of a load balancer and puts them back.
func haproxy() external.Agent {
	return agent("haproxy", map[string]action{
		"disable": func(s *State, r *external.Request) (map[string]any, error) {
			return shift(s, r, "disabled", func(name string) {
				if !slices.Contains(s.Drained, name) {
					s.Drained = append(s.Drained, name)
				}
			})
		},
		"enable": func(s *State, r *external.Request) (map[string]any, error) {
			return shift(s, r, "enabled", func(name string) {
				s.Drained = slices.DeleteFunc(s.Drained, func(other string) bool { return other == name })
			})
		},
		"status": func(s *State, _ *external.Request) (map[string]any, error) {
			return map[string]any{"drained": append([]string{}, s.Drained...)}, nil
		},
	})
}

// shift does the same to every server of a request.
func shift(s *State, r *external.Request, status string, each func(name string)) (map[string]any, error) {
	var in struct {
		Backend, Server string
		Servers         []string
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	servers := in.Servers
	if in.Server != "" {
		servers = append(servers, in.Server)
	}
	if len(servers) == 0 {
		return nil, &external.Error{Code: external.CodeMissingData, Message: "missing input servers"}
	}
	for _, server := range servers {
		each(in.Backend + "/" + server)
	}
	slices.Sort(s.Drained)
	return map[string]any{"backend": in.Backend, "status": status, "count": len(servers)}, nil
}

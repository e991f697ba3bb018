package webagents

import "github.com/playbot/playbot/engine/choria/realfleet/external"

// appmgr runs an application of one revision.
func appmgr() external.Agent {
	return agent("appmgr", map[string]action{
		"upgrade": func(s *State, r *external.Request) (map[string]any, error) {
			var in struct{ Revision string }
			if err := r.Decode(&in); err != nil {
				return nil, err
			}
			if in.Revision == "" {
				return nil, &external.Error{Code: external.CodeMissingData, Message: "missing input revision"}
			}
			previous := s.Running()
			s.Revision = in.Revision
			s.Upgrades++
			return map[string]any{"revision": in.Revision, "previous": previous}, nil
		},
		"status": func(s *State, _ *external.Request) (map[string]any, error) {
			return map[string]any{"revision": s.Running(), "status": "running"}, nil
		},
		"connections": func(*State, *external.Request) (map[string]any, error) {
			return map[string]any{"connections": 0}, nil
		},
	})
}

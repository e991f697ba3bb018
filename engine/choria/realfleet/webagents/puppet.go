package webagents

import (
	"time"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

// puppet locks and unlocks the Puppet agent and runs it.
func puppet() external.Agent {
	return agent("puppet", map[string]action{
		"disable": func(s *State, r *external.Request) (map[string]any, error) {
			var in struct{ Message string }
			if err := r.Decode(&in); err != nil {
				return nil, err
			}
			if s.PuppetOff {
				return nil, aborted("Could not disable Puppet: Already disabled")
			}
			s.PuppetOff, s.PuppetReason = true, in.Message
			return map[string]any{"status": "Successfully locked Puppet: " + in.Message, "enabled": false}, nil
		},
		"enable": func(s *State, _ *external.Request) (map[string]any, error) {
			if !s.PuppetOff {
				return nil, aborted("Could not enable Puppet: Already enabled")
			}
			s.PuppetOff, s.PuppetReason = false, ""
			return map[string]any{"status": "enabled", "enabled": true}, nil
		},
		"status": func(s *State, _ *external.Request) (map[string]any, error) {
			busy := s.PuppetBusy > 0
			if busy {
				s.PuppetBusy--
			}
			return map[string]any{
				"applying": busy, "enabled": !s.PuppetOff, "idling": !busy, "daemon_present": true, "disable_message": s.PuppetReason,
			}, nil
		},
		"runonce": func(s *State, _ *external.Request) (map[string]any, error) {
			switch {
			case s.PuppetOff:
				return nil, aborted("Puppet is disabled: " + s.PuppetReason)
			case s.PuppetBusy > 0:
				return nil, aborted("Puppet is currently applying a catalog")
			}
			s.PuppetRuns++
			return map[string]any{"summary": "started a run", "initiated_at": time.Now().Unix()}, nil
		},
	})
}

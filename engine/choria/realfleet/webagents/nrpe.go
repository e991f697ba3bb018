package webagents

import "github.com/playbot/playbot/engine/choria/realfleet/external"

// nrpe runs the checks of NRPE. A check that is not OK fails the reply, as with the real agent.
func nrpe() external.Agent {
	return agent("nrpe", map[string]action{
		"runcommand": func(s *State, r *external.Request) (map[string]any, error) {
			var in struct{ Command string }
			if err := r.Decode(&in); err != nil {
				return nil, err
			}
			check, known := checks()[in.Command]
			if !known {
				return nil, &external.Error{Code: external.CodeInvalidData, Message: "no such command: " + in.Command}
			}
			data := check(s)
			if data["exitcode"] != 0 {
				return nil, &external.Error{Code: external.CodeAborted, Message: "CRITICAL", Data: data}
			}
			return data, nil
		},
		"runallcommands": func(s *State, _ *external.Request) (map[string]any, error) {
			all := make(map[string]any)
			for name, check := range checks() {
				all[name] = check(s)
			}
			return map[string]any{"commands": all}, nil
		},
	})
}

func checks() map[string]func(*State) map[string]any {
	return map[string]func(*State) map[string]any{
		"check_load": func(s *State) map[string]any {
			s.Checks++
			if s.RedChecks > 0 {
				s.RedChecks--
				return map[string]any{"exitcode": 2, "output": "CRITICAL - load average: 9.81", "perfdata": "load1=9.81", "command": "check_load"}
			}
			return map[string]any{"exitcode": 0, "output": "OK - load average: 0.42", "perfdata": "load1=0.42", "command": "check_load"}
		},
		"check_app": func(s *State) map[string]any {
			return map[string]any{"exitcode": 0, "output": "APP OK - " + s.Running(), "perfdata": "", "command": "check_app"}
		},
	}
}

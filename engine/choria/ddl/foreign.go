package ddl

// IsAgent reports whether a name can be that of an agent.
func IsAgent(name string) bool { return agentName.MatchString(name) }

// WithoutDefaults is a copy for a DDL whose author we do not answer for: what is left out is not filled in, for the
// values would be sent in our name. An input with a default may be left out, and the nodes fill it in or not.
func (d *DDL) WithoutDefaults() *DDL {
	out := *d
	out.Actions = make(map[string]*Action, len(d.Actions))
	for name, a := range d.Actions {
		action := *a
		action.Inputs = make(map[string]*Input, len(a.Inputs))
		for n, in := range a.Inputs {
			input := *in
			if input.Default != nil {
				input.Default, input.Optional = nil, true
			}
			action.Inputs[n] = &input
		}
		out.Actions[name] = &action
	}
	return &out
}

package engine

import "github.com/playbot/playbot/playbooks"

// program is the name under which the policy gates whatever starts a program that a playbook names.
const program = "shell"

// programs is an error when node sets or data stores of a playbook start programs that the policy gates. They
// do so before anybody can be asked, and whenever nodes are compared or a value is read.
func (e *Engine) programs(book *playbooks.Playbook) error {
	for i := range book.NodeSets {
		set := &book.NodeSets[i]
		if t, ok := e.opts.Types.nodes(set.Type); ok && t.Program {
			names := append([]string{set.Type, t.Name}, t.Aliases...)
			if err := e.programGate("node set", set.Name, names, "find the nodes in another way"); err != nil {
				return err
			}
		}
	}
	for _, part := range book.DataStores {
		if t, ok := e.opts.Types.store(part.Type); ok && t.Program {
			if err := e.programGate("data store", part.Name, []string{t.Name}, "keep the values in another store"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) programGate(what, name string, types []string, remedy string) error {
	rule, gated := e.opts.Policy.Gate(append(types, program)...)
	if !gated {
		return nil
	}
	return Errorf(CodeDenied, "refused: %s, and the %s %q (%s) starts a program before anybody can be asked; %s, or have the pattern taken out of policy.gates",
		rule, what, name, types[0], remedy)
}

package commands

import "github.com/playbot/playbot/engine"

// reissued refuses a button of a message that another one has taken the place of.
func reissued(run *engine.Run, a *engine.Approval) error {
	return &runError{run: run.ID, err: engine.Errorf(engine.CodeConflict,
		"nothing was decided: this question was asked again in another message, and only the buttons there count; `/playbook approve %s.%d` does too", run.ID.Short(), a.Number)}
}

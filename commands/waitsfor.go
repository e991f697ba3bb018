package commands

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/policy"
)

// waitsFor reports whether a run waits for the word of somebody: at a gate, about an attempt that was cut off, for a
// secret that they gave, or because they paused it.
func (c *Commands) waitsFor(who engine.Actor, run *engine.Run) bool {
	switch {
	case run.Pending() != nil:
		return c.mayApprove(who, run, run.Pending())
	case run.Unknown() != nil:
		return c.engine.May(who, policy.Run, run.Requested.Playbook.Name).Allowed
	case len(run.SecretsNeeded) > 0:
		return run.Requested.Actor.Is(who)
	case run.Paused() != nil:
		return run.Paused().By.Is(who)
	}
	return false
}

// decidingWith is deciding, with what differs from the last run of the playbook in front.
func (c *Commands) decidingWith(ctx context.Context, who engine.Actor, run *engine.Run, room int) (blocks []Block, took int) {
	blocks, took = c.deciding(who, run, room)
	if took == 0 {
		return blocks, took
	}
	covers, ok := blocks[0].(Preformatted)
	if !ok {
		return blocks, took
	}
	before, err := c.Previous(ctx, run)
	if err != nil {
		return blocks, took // the gate is complete without it
	}
	differs := strings.Join(Differs(before, run), "\n") + "\n"
	if n := utf8.RuneCountInString(differs); took+n <= room {
		covers.Text = differs + covers.Text
		blocks[0], took = covers, took+n
	}
	return blocks, took
}

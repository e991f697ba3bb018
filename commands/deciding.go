package commands

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/engine"
)

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

package commands

import (
	"context"
	"slices"
	"time"

	"github.com/playbot/playbot/engine"
)

func (c *Commands) approvalsVerb() verb {
	return verb{
		name: "approvals", aliases: []string{"pending"}, form: "approvals", reads: true,
		summary: "what waits for a person; questions whose messages are gone are asked again", run: c.approvals,
		flags: []flag{{name: "mine", about: "only what waits for your word"}},
	}
}

func (c *Commands) approvals(ctx context.Context, q Request, a args) (Reply, error) {
	if err := a.only(0, c.approvalsVerb()); err != nil {
		return Reply{}, err
	}
	found, err := c.history.Find(ctx, engine.HistoryQuery{Status: engine.RunWaiting, Limit: maxFound})
	if err != nil {
		return Reply{}, err
	}
	_, mine := a.flag("mine")
	_, here := a.flag("here")
	runs := c.viewable(ctx, q.Actor, found)
	slices.Reverse(runs) // what has waited longest expires first
	var blocks []Block
	var waiting []engine.RunID
	shown, rest, room := 0, 0, maxCoveredAll
	for i, s := range runs {
		if shown == maxWaiting {
			rest = len(runs) - i
			break
		}
		run, err := c.engine.Load(ctx, s.Run)
		if err != nil {
			return Reply{}, err
		}
		if _, me := c.waitsFor(q.Actor, run); mine && !me {
			continue
		}
		if w := c.waits(q.Actor, run); len(w) > 0 { // else it was answered since it was found
			blocks = append(append(blocks, paragraph(summarySpans(s, time.Now())...)), w...)
			if !here { // what everybody reads has no buttons: they count where the question is asked
				decide, took := c.decidingWith(ctx, q.Actor, run, room)
				blocks = append(blocks, decide...)
				room -= took
			}
			waiting = append(waiting, run.ID)
			shown++
		}
	}
	if shown == 0 && mine {
		return Reply{Blocks: []Block{paragraph(plain("Nothing waits for your word. "), code("/playbook approvals"), plain(" shows what waits for others."))}}, nil
	}
	if shown == 0 {
		return Reply{Blocks: []Block{paragraph(plain("Nothing waits for a person. "), code("/playbook status"), plain(" shows what is under way."))}}, nil
	}
	if rest > 0 {
		blocks = append(blocks, say("%d more are not shown; answer these first.", rest))
	}
	return Reply{Title: plural(shown+rest, "run") + " waiting for a person, the longest first", Blocks: blocks, Waiting: waiting}, nil
}

// maxFound is how many waiting runs are looked at.
const maxFound = 1000

// maxWaiting bounds the runs of one answer: each takes three blocks of Slack at most, whose messages hold 50.
const maxWaiting = 13

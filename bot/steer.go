package bot

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// pauseRef names the message of a pause, which becomes its record when the run goes on.
func pauseRef(p *engine.Pause) string { return fmt.Sprintf("pause/%d", p.Seq) }

// pauseOf finds the pause that a reference names.
func pauseOf(run *engine.Run, number string) *engine.Pause {
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return nil
	}
	for i := range run.Pauses {
		if run.Pauses[i].Seq == engine.Seq(seq) {
			return &run.Pauses[i]
		}
	}
	return nil
}

// lasts reports whether a run is in that pause.
func lasts(run *engine.Run, p *engine.Pause) bool {
	now := run.Paused()
	return now != nil && now.Seq == p.Seq
}

// pauseMessage says who paused a run and before what it is held, with what lets it go on; and when it
// went on, who let it.
func pauseMessage(run *engine.Run, p *engine.Pause) message {
	d := newDrawing()
	name := run.Requested.Playbook.Name
	text := fmt.Sprintf("%s %s: paused by %s", name, run.ID.Short(), p.By.Label())
	d.naming("⏸️ *Paused* by ", p.By, " at "+stamp(p.At))
	d.literal(oneLine(p.Why), 600)
	switch {
	case lasts(run, p):
		standing := commands.Standing(run)
		d.literal(strings.ToUpper(standing[:1])+standing[1:]+".", 300)
		d.buttons(commands.SteerButtons(run))
	case p.Resumed != nil:
		text = fmt.Sprintf("%s %s: resumed by %s", name, run.ID.Short(), p.Resumed.Actor.Label())
		d.naming("▶️ Resumed by ", p.Resumed.Actor, " at "+stamp(p.ResumedAt))
		d.literal(oneLine(p.Resumed.Reason), 600)
	default:
		d.markup("🚫 It was not resumed: the run was cancelled or has ended")
	}
	d.context("run " + run.ID.Short())
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// steerMessage says what somebody said about how the waves go on.
func steerMessage(run *engine.Run, s engine.Steer) message {
	d := newDrawing()
	who, what, why := commands.Said(s)
	d.naming(steerMark(s.Fact)+" ", who, " "+what)
	d.literal(oneLine(why), 600)
	d.context("run " + run.ID.Short())
	return message{text: fallback(fmt.Sprintf("%s %s: %s %s", run.Requested.Playbook.Name, run.ID.Short(), who.Label(), what)), blocks: d.done(run.ID)}
}

func steerMark(p engine.Payload) string {
	switch p.(type) {
	case engine.WaveSentOn:
		return "⏭️"
	case engine.WavesSlowed:
		return "🐢"
	case engine.WavesStopped:
		return "⏹️"
	default:
		return "▶️"
	}
}

// steered shows what an event says about how a run goes on.
func (t *thread) steered(ctx context.Context, l *lane, run *engine.Run, ev engine.Event) (said bool, err error) {
	switch ev.Payload.(type) {
	case engine.RunPaused:
		t.painter.touch(run.ID)
		if p := pauseOf(run, strconv.FormatUint(uint64(ev.Seq), 10)); p != nil {
			return false, t.ask(ctx, l, run, pauseRef(p))
		}
		return false, nil
	case engine.RunHeld, engine.RunResumed:
		t.repaintPause(run, ev.Pos)
		return false, nil
	default:
		t.repaintPause(run, ev.Pos)
		for _, s := range run.Steers {
			if s.Seq == ev.Seq && !t.wasTold(ctx, run.ID, ev.Pos) {
				return true, t.reply(ctx, l, run, steerMessage(run, s))
			}
		}
		return false, nil
	}
}

// repaintPause has the message of the latest pause drawn again: what it says, or its buttons, are old.
func (t *thread) repaintPause(run *engine.Run, pos engine.Pos) {
	n := len(run.Pauses)
	if n == 0 {
		t.painter.touch(run.ID)
		return
	}
	t.painter.urgent(run.ID, pauseRef(&run.Pauses[n-1]), pos)
}

// steering says on the card how people steer a run.
func (d *drawing) steering(run *engine.Run) {
	if p := run.Paused(); p != nil {
		text := "⏸️ Paused by " + p.By.Label()
		if p.Why != "" {
			text += ": " + oneLine(p.Why)
		}
		d.literal(cutTo(text, 400)+" — "+commands.Standing(run), 600)
	}
	s := run.Rolling()
	if s == nil || run.Status.Final() {
		return
	}
	for _, fact := range []engine.Payload{slowed(s), stopped(s)} {
		if fact != nil {
			who, what, _ := commands.Said(engine.Steer{Fact: fact})
			d.literal(fmt.Sprintf("%s %s %s", steerMark(fact), cutTo(oneLine(who.Label()), 80), what), 400)
		}
	}
}

// unheard says that somebody's word does not count: who they are was looked up after the answer.
func (t *thread) unheard(ctx context.Context, l *lane, run *engine.Run, p engine.WordWeighed, pos engine.Pos) (said bool, err error) {
	if t.wasTold(ctx, run.ID, pos) {
		return false, nil
	}
	return true, t.reply(ctx, l, run, unheardMessage(run, p))
}

func unheardMessage(run *engine.Run, p engine.WordWeighed) message {
	d := newDrawing()
	d.naming("🚫 ", p.Actor, " wanted to "+commands.Wanted(p.Said)+", and that does not count")
	d.literal(oneLine(p.Refused), 600)
	d.context("run " + run.ID.Short())
	return message{text: fallback(fmt.Sprintf("%s %s: the word of %s does not count", run.Requested.Playbook.Name, run.ID.Short(), p.Actor.Label())), blocks: d.done(run.ID)}
}

// slowed is the pace that somebody set, unless the waves follow as planned.
func slowed(s *engine.Step) engine.Payload {
	if p := s.Rollout.Pace; p != nil && (p.Every > 0 || p.Size > 0) {
		return *p
	}
	return nil
}

func stopped(s *engine.Step) engine.Payload {
	if p := s.Rollout.Stop; p != nil && p.Actor != (engine.Actor{}) {
		return *p
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

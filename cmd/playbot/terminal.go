package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/tasks/slack"
)

// terminal is a person at a terminal: it shows a run as it goes on and asks what the run asks.
type terminal struct {
	app   *app.App
	who   engine.Actor
	lines <-chan string       // what the person types; closed at the end of the input
	known map[string][]string // secrets that the person gave, by input
	used  map[string]bool     // those of them that a run which was cut off was waiting for

	mu  sync.Mutex // guards out: tasks post while the run is shown
	out streams
}

func newTerminal(s streams, who engine.Actor) *terminal {
	return &terminal{who: who, out: s, known: map[string][]string{}, used: map[string]bool{}}
}

// listen begins to read what the person types. Secrets are asked for before: two readers would share
// the lines between them.
func (t *terminal) listen() {
	lines := make(chan string)
	t.lines = lines
	go func() { // ends with the input, or with the process: a read cannot be taken back
		defer close(lines)
		for in := bufio.NewScanner(t.out.in); in.Scan(); {
			lines <- in.Text()
		}
	}()
}

func (t *terminal) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out.out, format, args...)
}

// Post implements the Poster of the slack task: without Slack, its messages are shown here.
func (t *terminal) Post(_ context.Context, m slack.Message) error {
	t.say("  » %s: %s\n", m.Channel, commands.Clean(m.Text))
	return nil
}

// play says a line that starts a run and shows the run to its end.
func (t *terminal) play(ctx, working context.Context, line string, secrets map[string]string) error {
	reply := t.app.Commands.Say(working, commands.Request{
		Key: string(engine.NewRunID(time.Now())), Actor: t.who, Origin: engine.OriginTerminal, Text: line, Secrets: secrets,
	})
	switch reply.Code {
	case "":
	case engine.CodeInvalid, engine.CodeNotFound:
		return &usageError{strings.TrimSpace(reply.Text())}
	default:
		return errors.New(strings.TrimSpace(reply.Text()))
	}
	t.say("%s", reply.Text())
	return t.follow(ctx, working, reply.Run)
}

// finishOld shows the runs that an earlier process left unfinished, to their ends.
func (t *terminal) finishOld(ctx, working context.Context, ids []engine.RunID) error {
	for _, id := range ids {
		t.say("Run %s was cut off; it goes on first.\n", id.Short())
		if err := t.follow(ctx, working, id); err != nil && !errors.Is(err, errRunFailed) {
			return err
		}
	}
	return nil
}

// errRunFailed ends the process with a failure; what failed has been shown.
var errRunFailed = fmt.Errorf("%w", errSilent)

// follow shows a run until it has ended. When ctx ends, the run is cancelled, and shown on.
func (t *terminal) follow(ctx, working context.Context, id engine.RunID) error {
	reading, stop := context.WithCancel(working)
	defer stop()
	events, failed := t.watch(reading, id)
	v := &runView{terminal: t, id: id, run: &engine.Run{}}
	interrupted := ctx.Done()
	for v.run.Ended.IsZero() {
		lines := t.lines
		if len(v.choices) == 0 || v.asked == v.unanswered {
			lines = nil // what is typed ahead is kept for the next question
		}
		select {
		case e := <-events:
			v.show(e)
		case err := <-failed:
			return err
		case line, ok := <-lines:
			v.answer(working, line, ok)
		case <-interrupted:
			interrupted = nil
			v.cancel(working)
		}
	}
	if v.run.Status != engine.RunSuccess {
		return errRunFailed
	}
	return nil
}

// watchPage is how many events are read at a time.
const watchPage = 100

// watch sends the events of a run, from its first one on.
func (t *terminal) watch(ctx context.Context, id engine.RunID) (<-chan engine.Event, <-chan error) {
	out, failed := make(chan engine.Event), make(chan error, 1)
	go func() {
		pos, err := t.before(ctx, id)
		for err == nil {
			var page []engine.Event
			if page, err = t.app.Store.Since(ctx, pos, watchPage); err != nil {
				break
			}
			for _, e := range page {
				pos = e.Pos
				if e.Stream != id.Stream() {
					continue
				}
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
			if len(page) == 0 {
				err = t.app.Store.Wait(ctx, pos)
			}
		}
		failed <- err
	}()
	return out, failed
}

// before is the position in front of the first event of a run.
func (t *terminal) before(ctx context.Context, id engine.RunID) (engine.Pos, error) {
	for e, err := range t.app.Store.Read(ctx, id.Stream()) {
		if err != nil {
			return 0, err
		}
		return e.Pos - 1, nil
	}
	return 0, fmt.Errorf("run %s is not in the store", id.Short())
}

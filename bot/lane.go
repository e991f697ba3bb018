package bot

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/playbot/playbot/engine"
)

// job is an event that is to be drawn, or a message that is to be posted anew.
type job struct {
	run   engine.RunID
	event engine.Event
	long  engine.Path // set instead of an event: a step that takes long is to have its reply
	mend  *mending    // set instead of an event: a message that is to be posted anew
}

// lane holds the events of one channel that are to be drawn: those of one run in order, and the
// runs in turn, since each has a thread of its own. Who is asked something comes before who is told.
type lane struct {
	room chan struct{} // one for each job that is not drawn yet
	wake chan struct{}

	// Of whoever draws alone.
	group  []job                  // what is being drawn
	tries  int                    // how often in a row Slack did not take it
	doubt  map[engine.RunID]doubt // runs of which something may stand in Slack that we do not know of
	looked map[engine.RunID]bool  // runs of before this process that were looked for

	mu     sync.Mutex // guards what follows
	queues map[engine.RunID][]job
	turns  []engine.RunID // runs with jobs
	closed bool
}

// doubt is that a message may stand somewhere although Slack did not say so.
type doubt struct {
	since   time.Time
	channel string // of a card
}

// laneLength is how many events may wait in a lane before reading stops.
const laneLength = 1000

func newLane() *lane {
	return &lane{
		room: make(chan struct{}, laneLength), wake: make(chan struct{}, 1),
		doubt: map[engine.RunID]doubt{}, looked: map[engine.RunID]bool{}, queues: map[engine.RunID][]job{},
	}
}

// push adds a job, and waits while the lane is full.
func (l *lane) push(ctx context.Context, j job) {
	select {
	case l.room <- struct{}{}:
	case <-ctx.Done():
		return
	}
	l.mu.Lock()
	if len(l.queues[j.run]) == 0 {
		l.turns = append(l.turns, j.run)
	}
	l.queues[j.run] = append(l.queues[j.run], j)
	l.mu.Unlock()
	poke(l.wake)
}

// close lets next return nil when nothing is left.
func (l *lane) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	poke(l.wake)
}

// poke wakes whoever waits; a second poke before that is the same poke.
func poke(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// next waits for jobs and returns those to be drawn together; nil when the lane is closed and empty,
// or ctx has ended.
func (l *lane) next(ctx context.Context) []job {
	for ctx.Err() == nil {
		l.mu.Lock()
		group, closed := l.take(), l.closed
		l.mu.Unlock()
		if group != nil {
			l.group = group
			return group
		}
		if closed {
			return nil
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

// done makes room for others in place of a group that is drawn.
func (l *lane) done(group []job) {
	l.tries = 0
	for range group {
		<-l.room
	}
}

// back puts a group back that Slack does not take now. When it can, what is next is chosen again, and
// drawn as it is then.
func (l *lane) back(group []job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	run := group[0].run
	if len(l.queues[run]) == 0 {
		l.turns = append(l.turns, run)
	}
	l.queues[run] = append(slices.Clone(group), l.queues[run]...)
}

// take takes what is next of the run whose turn it is. When steps end faster than Slack takes
// messages, they share one. The caller holds the lock.
func (l *lane) take() []job {
	if len(l.turns) == 0 {
		return nil
	}
	at := max(slices.IndexFunc(l.turns, func(run engine.RunID) bool { return slices.ContainsFunc(l.queues[run], asks) }), 0)
	run := l.turns[at]
	l.turns = slices.Delete(l.turns, at, at+1)
	queue := l.queues[run]
	n := together(queue)
	if n == len(queue) {
		delete(l.queues, run)
	} else {
		l.queues[run] = queue[n:]
		l.turns = append(l.turns, run)
	}
	return queue[:n:n]
}

// asks reports whether somebody is asked something by what a job draws.
func asks(j job) bool {
	if j.mend != nil {
		return true
	}
	switch j.event.Payload.(type) {
	case engine.ApprovalAsked, engine.AttemptUnknown, engine.SecretsNeeded:
		return true
	default:
		return false
	}
}

// together is how many jobs at the front of a queue need no more than one message.
func together(queue []job) int {
	steps := 0
	for i, j := range queue {
		if j.mend != nil || j.long != "" {
			return max(i, 1)
		}
		switch weightOf(j.event.Payload) {
		case weighsCard:
		case weighsStep:
			if steps++; steps > maxGroup {
				return i
			}
		case weighsMore:
			return max(i, 1)
		}
	}
	return len(queue)
}

// weight is what an event takes to draw.
type weight int

const (
	weighsCard weight = iota // an edit of the card
	weighsStep               // a reply that may be shared
	weighsMore               // a message or an edit of its own
)

func weightOf(p engine.Payload) weight {
	switch p := p.(type) {
	case engine.TaskEnded:
		if quiet(p) {
			return weighsCard
		}
		return weighsStep
	case engine.WordWeighed:
		if p.Refused == "" {
			return weighsCard // what it says follows
		}
		return weighsMore
	case engine.NodesUncompared:
		if p.Try > 1 { // the thread heard of the first, and the card shows the others
			return weighsCard
		}
		return weighsMore
	case engine.ApprovalAsked, engine.ApprovalGiven, engine.ApprovalDenied, engine.ApprovalExpired, engine.ApprovalVoided, engine.ApprovalTakenBack, engine.ApprovalReminded,
		engine.AttemptUnknown, engine.AttemptResolved, engine.SecretsNeeded, engine.RunEnded,
		engine.RunPaused, engine.RunHeld, engine.RunResumed, engine.WaveSentOn, engine.WavesSlowed, engine.WavesStopped:
		return weighsMore
	default:
		return weighsCard
	}
}

package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// quiet reports whether a step ends without a reply of its own: that a task of a wave went well shows
// on the card. The number of messages of a run must not grow with its nodes.
func quiet(p engine.TaskEnded) bool {
	_, _, inWave := p.Path.InWave()
	return inWave && p.Status.Passed()
}

// wavesOf is how far the waves of a rolling task are; empty for other tasks.
func wavesOf(run *engine.Run, s *engine.Step) string {
	waves := s.Waves()
	if waves == nil || !s.Ended.IsZero() {
		return ""
	}
	return fmt.Sprintf(" (wave %d of %d)", max(1, latestWave(run, s.Path)), len(waves))
}

// latestWave is the number of the wave that a rolling task has come to; 0 when it has begun none.
func latestWave(run *engine.Run, rolling engine.Path) int {
	latest := 0
	for _, p := range run.Order {
		if owner, n, ok := p.InWave(); ok && owner == rolling {
			latest = max(latest, n)
		}
	}
	return latest
}

// shownWave reports whether a task of a wave has a line of its own on the card: those of the wave
// that is under way, and those that did not go well.
func shownWave(run *engine.Run, s *engine.Step) bool {
	owner, n, ok := s.Path.InWave()
	if !ok {
		return true
	}
	if !s.Ended.IsZero() && !s.Status.Passed() {
		return true
	}
	rolling := run.Steps[owner]
	return rolling != nil && rolling.Ended.IsZero() && n == latestWave(run, owner)
}

// waveLines say of each wave of a rolling task that has begun which nodes it had, how long it took and how it went.
func waveLines(run *engine.Run, s *engine.Step) []string {
	var out []string
	for i, nodes := range s.Waves() {
		began, ended, status := spanOf(run, s.Path, i+1)
		if began.IsZero() {
			break // it is the message of the task that says who was not touched
		}
		out = append(out, fmt.Sprintf("%s wave %d: %s — %s", taskMark(status), i+1, someOf(nodes), commands.Took(ended.Sub(began))))
	}
	return out
}

// spanOf is when the tasks of a wave began and ended, and the status of the first that did not go well.
func spanOf(run *engine.Run, rolling engine.Path, wave int) (began, ended time.Time, status engine.TaskStatus) {
	status = engine.TaskOK
	for _, p := range run.Order {
		s := run.Steps[p]
		if owner, n, ok := p.InWave(); !ok || owner != rolling || n != wave {
			continue
		}
		if began.IsZero() {
			began = s.Began
		}
		if s.Ended.After(ended) {
			ended = s.Ended
		}
		if status == engine.TaskOK && !s.Ended.IsZero() && !s.Status.Passed() {
			status = s.Status
		}
	}
	return began, ended, status
}

// someOf names the first few of some nodes.
func someOf(nodes []string) string {
	const most = 5
	if len(nodes) <= most {
		return strings.Join(nodes, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(nodes[:most], ", "), len(nodes)-most)
}

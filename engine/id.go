package engine

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// RunID names a run. It is a ULID: unique, and sorted by the time the run was requested.
type RunID string

// shortLength is how many trailing characters of the ULID people see.
// The tail is the random part: two runs of one minute differ there.
const shortLength = 6

// NewRunID returns a fresh id for a run requested at t.
func NewRunID(t time.Time) RunID {
	return RunID(ulid.MustNew(ulid.Timestamp(t), rand.Reader).String())
}

// Short is the form that people see and type, such as "r-7k3f9m". It is not unique by
// construction: whoever resolves one must be ready to find two runs.
func (id RunID) Short() string {
	s := strings.ToLower(string(id))
	if len(s) > shortLength {
		s = s[len(s)-shortLength:]
	}
	return "r-" + s
}

// Stream is the event stream of the run.
func (id RunID) Stream() StreamID { return StreamID("run/" + string(id)) }

// StreamID names a stream of events: "run/<id>", "playbook/<digest>" or "bot".
type StreamID string

// BotStream holds what belongs to no run: refusals, above all.
const BotStream StreamID = "bot"

// Run returns the run a stream belongs to, and false for any other stream.
func (s StreamID) Run() (RunID, bool) {
	id, ok := strings.CutPrefix(string(s), "run/")
	return RunID(id), ok
}

// PlaybookStream is where the bytes of one version of a playbook are kept.
func PlaybookStream(digest string) StreamID { return StreamID("playbook/" + digest) }

// Path names a place in a run: "tasks.3", "on_fail.1", "tasks.3.pre_task.1", "tasks.4.wave2.1". Positions count from one.
type Path string

// List is the list a path belongs to, such as "tasks" or "on_fail"; for a hook of a task it is "pre_task" or "post_task".
func (p Path) List() string {
	parts := strings.Split(string(p), ".")
	if len(parts) < 2 {
		return string(p)
	}
	return parts[len(parts)-2]
}

// Root is the list that everything below stands in: "tasks" for "tasks.4.wave2.1".
func (p Path) Root() string {
	root, _, _ := strings.Cut(string(p), ".")
	return root
}

// owner is the task that a pre_task or post_task hook belongs to.
func (p Path) owner() (Path, bool) {
	parts := strings.Split(string(p), ".")
	if list := p.List(); len(parts) < 4 || list != "pre_task" && list != "post_task" {
		return "", false
	}
	return Path(strings.Join(parts[:len(parts)-2], ".")), true
}

// InWave splits the path of a task of a wave into the rolling task and the number of the wave, which counts from one.
func (p Path) InWave() (rolling Path, wave int, ok bool) {
	parts := strings.Split(string(p), ".")
	if len(parts) < 4 {
		return "", 0, false
	}
	number, ok := strings.CutPrefix(p.List(), "wave")
	if !ok {
		return "", 0, false
	}
	wave, err := strconv.Atoi(number)
	return Path(strings.Join(parts[:len(parts)-2], ".")), wave, err == nil
}

// isMain reports whether p is an entry of the main task list.
func isMain(p Path) bool {
	return p.List() == "tasks" && strings.HasPrefix(string(p), "tasks.")
}

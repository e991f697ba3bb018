package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// stepRefs is how the references of replies begin that were posted while their step was under way.
const stepRefs = "step/"

// stepRef ends with a slash, so that none is how another one begins.
func stepRef(p engine.Path) string { return stepRefs + string(p) + "/" }

// standing is how far a step on nodes is: of so many nodes, how many are done with, and how.
type standing struct {
	of, ok, failed, silent int
	where                  string        // "batch 3 of 10"
	rest                   time.Duration // what is left may take so long; 0 where nobody can say
}

func (s standing) done() int { return s.ok + s.failed + s.silent }

// standingOf is how far a step is; false for one that tells nothing of nodes. live is what the attempt tells
// that is under way in the run, if it is.
func standingOf(run *engine.Run, s *engine.Step, live *engine.Progress, now time.Time) (standing, bool) {
	if waves := s.Waves(); waves != nil {
		return wavesStanding(run, s, waves, live, now), true
	}
	at := s.Last()
	if at == nil || len(at.Nodes) < 2 {
		return standing{}, false
	}
	out := standing{of: len(at.Nodes)}
	if at.Outcome != nil { // it is about to end, or to go again
		r := at.Outcome.Result
		out = standing{of: len(r.OKNodes) + len(r.FailedNodes) + len(r.SilentNodes) + len(r.UnaskedNodes), ok: len(r.OKNodes), failed: len(r.FailedNodes), silent: len(r.SilentNodes)}
		if n := len(s.Attempts); !at.Outcome.OK && n < s.Tries {
			out.where = fmt.Sprintf("attempt %d of %d follows", n+1, s.Tries)
		}
		return out, true
	}
	if live == nil || live.Path != s.Path || live.Attempt != at.Attempt {
		return out, true
	}
	out = standing{of: live.Of, ok: live.OK, failed: live.Failed, silent: live.Silent}
	if live.Batches > 1 {
		out.where = fmt.Sprintf("batch %d of %d", live.Batch, live.Batches)
		out.rest, _ = live.Rest(now)
	}
	return out, true
}

// wavesStanding is how far the waves of a rolling task are. A node counts as done with when its wave is over.
func wavesStanding(run *engine.Run, s *engine.Step, waves [][]string, live *engine.Progress, now time.Time) standing {
	var out standing
	for _, w := range waves {
		out.of += len(w)
	}
	begun := len(s.Rollout.Begun)
	bad := badIn(run, s.Path)
	for i, w := range s.Rollout.Begun[:max(begun-1, 0)] {
		out.failed += len(bad[i+1])
		out.ok += len(w.Nodes) - len(bad[i+1])
	}
	if begun == 0 {
		return out
	}
	out.failed += len(bad[begun])
	out.where = fmt.Sprintf("wave %d of %d: %s", begun, len(waves), commands.NodeNames(waves[min(begun, len(waves))-1], 80))
	for _, p := range slices.Backward(run.Order) {
		if owner, n, ok := p.InWave(); ok && owner == s.Path && n == begun {
			out.where += ", " + cutTo(oneLine(run.Steps[p].Description), 80)
			if live != nil && live.Path == p && live.Of > 1 {
				out.where += fmt.Sprintf(" (%d of %d answered)", live.Done(), live.Of)
			}
			break
		}
	}
	out.rest = wavesRest(run, s, begun, len(waves), now)
	return out
}

// badIn are the nodes that failed or kept silent in a wave, by its number.
func badIn(run *engine.Run, rolling engine.Path) map[int]map[string]bool {
	out := map[int]map[string]bool{}
	for _, p := range run.Order {
		owner, n, ok := p.InWave()
		at := run.Steps[p].Last()
		if !ok || owner != rolling || at == nil || at.Outcome == nil || run.Steps[p].Ended.IsZero() || run.Steps[p].Status.Passed() {
			continue // it went well, or goes again
		}
		if out[n] == nil {
			out[n] = map[string]bool{}
		}
		for _, node := range slices.Concat(at.Outcome.Result.FailedNodes, at.Outcome.Result.SilentNodes) {
			out[n][node] = true
		}
	}
	return out
}

// leastWaves is from how many waves on the time of the others is more than a guess.
const leastWaves = 3

// wavesRest is how long the waves to come may take, going by those that are over; 0 while that says too
// little, and where people or gates decide when the next one starts.
func wavesRest(run *engine.Run, s *engine.Step, begun, all int, now time.Time) time.Duration {
	over := begun - 1
	if over < leastWaves || s.EachWave || len(run.Steers) > 0 {
		return 0
	}
	at := s.Rollout.Begun[begun-1].At
	each := at.Sub(s.Rollout.Begun[0].At) / time.Duration(over)
	return max(each*time.Duration(all-over)-now.Sub(at), 0)
}

// barCells is how wide a bar is: a phone shows that in one line.
const barCells = 20

// bar draws how many of how many are done with. It is full only when all are.
func bar(done, of int) string {
	full := 0
	if of > 0 {
		full = min(done*barCells/of, barCells)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", barCells-full)
}

// cutOffNow reports whether nobody knows what became of the latest attempt of a step, and a person is asked.
func cutOffNow(s *engine.Step) bool {
	at := s.Last()
	return at != nil && at.Unknown && at.Resolved == nil
}

// runMarkOf is the character that stands for a step that is under way.
func runMarkOf(s *engine.Step) string {
	if cutOffNow(s) {
		return "❓"
	}
	return taskMark(engine.TaskRunning)
}

// runningMessage is the reply for a step that takes long, while it does.
func runningMessage(run *engine.Run, s *engine.Step, live *engine.Progress, now time.Time) message {
	d := newDrawing()
	name := stepName(s, maxStepName)
	since := s.Began
	if len(s.Attempts) > 0 {
		since = s.Attempts[0].At
	}
	facts := " — since " + since.UTC().Format("15:04:05 UTC") // which an edit that comes late does not make wrong
	if n := len(s.Attempts); n > 1 && s.Waves() == nil {
		facts += fmt.Sprintf(", attempt %d of %d", n, s.Tries)
	}
	if cutOffNow(s) {
		facts = " — cut off; somebody has to say what became of it"
	}
	mark := runMarkOf(s) + " "
	d.rich(slack.NewRichTextSection(d.leaf(mark, false), d.leaf(name, true), d.leaf(facts, false)))
	text := mark + name
	if st, ok := standingOf(run, s, live, now); ok {
		lines := st.lines(now)
		d.preformatted(cleanText(strings.Join(lines, "\n")))
		text += ": " + lines[0]
	}
	return message{text: fallback(text), blocks: d.done(run.ID)}
}

// counts are how many nodes are done with, in words.
func (s standing) counts() string {
	counts := []string{fmt.Sprintf("%d ok", s.ok)}
	if s.failed > 0 {
		counts = append(counts, fmt.Sprintf("%d failed", s.failed))
	}
	if s.silent > 0 {
		counts = append(counts, fmt.Sprintf("%d silent", s.silent))
	}
	return fmt.Sprintf("%d of %s: %s", s.done(), plural(s.of, "node"), strings.Join(counts, ", "))
}

// lines are a bar, with what it stands for in words.
func (s standing) lines(now time.Time) []string {
	out := []string{bar(s.done(), s.of) + " " + s.counts()}
	if s.where != "" {
		out = append(out, s.where)
	}
	if s.rest >= time.Minute {
		out = append(out, "done at about "+now.Add(s.rest).UTC().Format("15:04 UTC")+", if it goes on like this")
	}
	return out
}

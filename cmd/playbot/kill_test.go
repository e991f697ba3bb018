package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// once lists what must never reach a node twice unless a person said so.
func once() []string {
	return []string{"puppet.disable", "haproxy.disable", "appmgr.upgrade", "haproxy.enable", "puppet.enable"}
}

// atOnce is how many sites are played at a time: they mostly wait for Slack's pace.
const atOnce = 6

// TestServe_survivesKillAtEveryCommit ends the real program with SIGKILL after each commit of the
// scenario (events that are decided together share one commit, so these are all states that a
// restart can find), starts it again, and wants the run to end as if nothing had happened, or to
// ask. What happened is counted at the nodes.
func TestServe_survivesKillAtEveryCommit(t *testing.T) {
	t.Parallel()
	whole := playWithCut(t, 0, 0, nil)
	if whole < 20 {
		t.Fatalf("the scenario has %d commits; the cut points are not counted right", whole)
	}
	step := uint64(1)
	if testing.Short() {
		step = 9
	}
	slots := make(chan struct{}, atOnce)
	var asked atomic.Int32
	t.Cleanup(func() {
		if asked.Load() == 0 && !testing.Short() {
			t.Error("no cut left an attempt whose outcome is unknown; the kills come too late to prove anything")
		}
	})
	for cut := uint64(1); cut <= whole; cut += step {
		t.Run(fmt.Sprintf("commit %d of %d", cut, whole), func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			playWithCut(t, cut, whole, &asked)
		})
	}
}

// playWithCut plays web_upgrade with a kill after that many commits; 0 is none. It returns how many
// commits there were, and counts the questions about attempts that were cut off.
func playWithCut(t *testing.T, cut, whole uint64, asked *atomic.Int32) uint64 {
	t.Helper()
	s := newSite(t)
	s.start()
	s.poll("the bot to connect", func() bool { return s.Workspace.Connected() > 0 })
	p := &person{site: s, base: commits(s.Config.StorePath()), cut: cut}
	p.play()
	total := commits(s.Config.StorePath()) - p.base
	if cut == 0 {
		s.stop()
	} else {
		s.serve.kill() // once more, and this time it does not come back
	}
	p.verify()
	// How often the bot saves its place in the log depends on the clock, so the last cuts may lie behind the end.
	if cut > 0 && !p.cutDone && cut+spare < whole {
		t.Error("the bot was never killed")
	}
	if asked != nil {
		asked.Add(int32(p.questions))
	}
	return total
}

// spare is how many commits of the uncut run may be the bot's place in the log.
const spare = 8

// person is everybody at once: ana, who runs and answers questions, and ben, who approves.
type person struct {
	*site

	base, cut uint64
	cutDone   bool
	questions int
	retries   map[string]int // action -> how often a person had it repeated
	clicked   map[string]bool
}

// play does what people do until the run has ended, and kills and restarts the bot on the way.
func (p *person) play() {
	p.retries, p.clicked = map[string]int{}, map[string]bool{}
	killed := make(chan struct{})
	go p.killer(p.serve, killed)
	defer func() { <-killed }()
	p.ask()
	p.poll("the end of the run", func() bool {
		p.restart()
		p.press()
		return p.over()
	})
}

// killer waits for the commit and kills. It looks without a pause: the next commit is a disk write away.
func (p *person) killer(victim *process, done chan<- struct{}) {
	defer close(done)
	deadline := time.Now().Add(patient)
	for p.cut > 0 && !victim.ended() && time.Now().Before(deadline) {
		if commits(p.Config.StorePath()) >= p.base+p.cut {
			victim.kill()
			return
		}
		time.Sleep(50 * time.Microsecond) // a process is watched; nothing of ours could tell
	}
}

// ask types the command, again when the bot was killed before it was on disk.
func (p *person) ask() {
	p.t.Helper()
	for {
		_, err := p.Workspace.Slash(p.t.Context(), "ana", room, "/playbook run web_upgrade tier=bravo rev=abc")
		if err == nil {
			return
		}
		p.poll("the bot to be dead", p.serve.ended)
		runs, _ := p.runs()
		p.restart()
		if len(runs) > 0 {
			return
		}
	}
}

// restart starts the bot again when it was killed.
func (p *person) restart() {
	p.t.Helper()
	if !p.serve.ended() {
		return
	}
	if p.cutDone || p.cut == 0 {
		p.t.Fatalf("playbot ended by itself; it said:\n%s", p.serve.errs)
	}
	p.cutDone = true
	p.start()
	p.poll("the bot to connect again", func() bool { return p.Workspace.Connected() > 0 })
}

// press answers what is asked in the thread. A click that fails because the bot has just died is repeated later.
func (p *person) press() {
	if m, ok := p.showing("Approve"); ok && !p.clicked[m.TS] {
		p.clicked[m.TS] = p.Workspace.Click(p.t.Context(), "ben", m.Channel, m.TS, "approve") == nil
	}
	m, ok := p.showing("Mark done")
	if !ok || p.clicked[m.TS] {
		return
	}
	text := p.Workspace.PlainText(m)
	for _, button := range []string{"[Retry]", "[Mark done]", "[Mark failed]", "[Abort]"} {
		if !strings.Contains(text, button) {
			p.t.Errorf("the question has no %s:\n%s", button, text)
		}
	}
	action, done := p.happened(text)
	choice := "retry"
	if done {
		choice = "mark_done"
	}
	if p.Workspace.Click(p.t.Context(), "ana", m.Channel, m.TS, choice) == nil {
		p.clicked[m.TS] = true
		p.questions++
		if choice == "retry" {
			p.retries[action]++
		}
	}
}

// happened looks at the nodes, as the question asks a person to, and says whether a step had its whole effect.
func (p *person) happened(question string) (action string, done bool) {
	steps := map[string]string{
		"Disable puppet": "puppet.disable", "Drain tier": "haproxy.disable", "Upgrade the application": "appmgr.upgrade",
		"Return tier": "haproxy.enable", "Enable puppet": "puppet.enable",
	}
	for words, name := range steps {
		if strings.Contains(question, words) {
			return name, p.Fleet.Count("", name) >= 2 // both nodes of the tier, or both load balancers
		}
	}
	return "", strings.Contains(question, "Announce") || strings.Contains(question, "Tell") // posts: they may be doubled or lost
}

// over asks the bot whether the run has ended.
func (p *person) over() bool {
	m, err := p.Workspace.Slash(p.t.Context(), "ben", room, "/playbook history web_upgrade")
	if err != nil || m == nil {
		return false
	}
	text := p.Workspace.PlainText(*m)
	return strings.Contains(text, "web_upgrade success") || strings.Contains(text, "web_upgrade failed") || strings.Contains(text, "web_upgrade cancelled")
}

// verify wants the end of the uncut run: in the store, at the nodes, and with every promise kept.
func (p *person) verify() {
	p.t.Helper()
	runs, events := p.runs()
	if len(runs) != 1 {
		p.t.Fatalf("the store has %d runs, want 1", len(runs))
	}
	run := runs[0]
	if run.Status != engine.RunSuccess {
		p.t.Errorf("the run is %s: %s", run.Status, run.Message)
	}
	for _, problem := range enginetest.Check(events[run.ID]) {
		p.t.Error(problem)
	}
	if run.Steps["tasks.9"] == nil || run.Steps["on_success.2"] == nil {
		p.t.Errorf("the run did not come to its last steps:\n%s", enginetest.Transcript(run))
	}
	for _, n := range p.Fleet.Nodes() {
		for _, action := range once() {
			if got, most := p.Fleet.Count(n.Name, action), 1+p.retries[action]; got > most {
				p.t.Errorf("%s reached %s %d times, want at most %d", action, n.Name, got, most)
			}
		}
		s := p.Fleet.Node(n.Name)
		if n.Facts["tier"] == "bravo" && (s.Revision != "abc" || !s.PuppetEnabled) || len(s.Drained) > 0 {
			p.t.Errorf("%s was left with %+v", n.Name, s)
		}
		if n.Facts["tier"] == "alfa" && s.Revision != "1.0.0" {
			p.t.Errorf("%s of the other tier was touched", n.Name)
		}
	}
}

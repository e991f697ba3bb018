package browsertest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The scenario of the README, as one reads it in the page of `playbot dev`.
const (
	typed    = "/playbook run web_upgrade tier=bravo rev=abc"
	card     = "#messages .message:has(.header)"
	waiting  = "#thread-messages .message"
	whisper  = ".message.ephemeral"
	onlyForU = "Only visible to you"
)

func TestDev_aDeploymentInThePage(t *testing.T) {
	t.Parallel()
	p := openTab(t, startDev(t))
	p.sees("#banner", "not Slack")
	p.sees(`#app[data-connection="open"]`)
	p.sees("#act-as", "Ana", "deployer", "Ben", "approver", "Gus", "guest")
	p.sees(".suggestion", typed)
	p.picture("empty")

	guestIsRefused(p)
	run := anaStarts(p)
	anaMayNotApprove(p)
	benApproves(p)
	historyHas(p, run+" web_upgrade success")
	homeShows(p, run)
	second := anaCancelsFromTheButton(p)
	historyHas(p, second+" web_upgrade cancelled", run+" web_upgrade success")
	looksWellElsewhere(p)
}

// guestIsRefused: only gus learns that he was refused, and nothing was started.
func guestIsRefused(p *tab) {
	p.t.Helper()
	p.becomes("gus")
	p.says(typed)
	p.sees("#messages "+whisper, onlyForU, "playbook", "web_upgrade")
	if got := p.reads("#messages " + whisper); strings.Contains(got, "Started") {
		p.t.Errorf("gus reads %q, want a refusal", got)
	}
	p.picture("guest")
	p.becomes("ana")
	p.seesNo("#messages .message")
	p.says("/playbook history")
	p.sees("#messages "+whisper, "No run")
}

// anaStarts types the command and watches the card until the run waits for a person. It returns the run's id.
func anaStarts(p *tab) string {
	p.t.Helper()
	p.says("Moving bravo to abc today. Ben, could you approve it?")
	p.sees("#messages .message", "Ana", "Moving bravo")
	p.says(typed)
	p.sees("#messages "+whisper, onlyForU, "Started web_upgrade")
	p.sees(card, "web_upgrade — waiting", "Asked by @Ana", "3 Drain tier bravo", "Waiting for @Ben")
	p.sees(`[data-channel="ops"] .badge`) // the playbook announced itself in another channel
	p.picture("waiting")
	return shortID(p, p.reads(card))
}

// shortID finds the id of a run in what a card reads.
func shortID(p *tab, text string) string {
	p.t.Helper()
	id := regexp.MustCompile(`\br-[0-9a-z]+\b`).FindString(text)
	if id == "" {
		p.t.Fatalf("the card names no run: %s", text)
	}
	return id
}

// anaMayNotApprove: she thinks twice, approves all the same and is told, alone, that somebody else has to.
func anaMayNotApprove(p *tab) {
	p.t.Helper()
	p.presses(card+" .reply-link", "replies")
	p.sees(waiting, "Approval needed from @Ben", "haproxy.disable", "lb1.example.net")
	p.presses("#thread-messages button", "Approve")
	p.sees("#confirm", "Approve this step?", "Not yet")
	p.picture("confirm")
	p.hits(escape)
	p.seesNo("#confirm")
	p.sees("#thread") // that Escape was the dialog's
	p.seesNo("#thread-messages " + whisper)
	p.presses("#thread-messages button", "Approve")
	p.presses("#confirm button", "Approve")
	p.sees("#thread-messages "+whisper, onlyForU, "you asked for this run")
	p.sees(card, "web_upgrade — waiting")
	p.readable()
	p.picture("refused")
}

// benApproves sees the same thread without what only ana may see, approves, and watches the run to its end.
func benApproves(p *tab) {
	p.t.Helper()
	p.becomes("ben")
	p.sees(waiting, "Approval needed from @Ben")
	p.seesNo(whisper)
	p.picture("thread")
	p.presses("#thread-messages button", "Approve")
	p.presses("#confirm button", "Approve")
	p.sees(waiting, "Approved by @Ben")
	p.seesNo("#thread-messages button", "Approve")
	p.seesNo("#thread-messages button", "Deny")
	p.sees(card, "✅ 3 Drain tier bravo")
	p.sees(card, "web_upgrade — success", "5 Load average must be GREEN (attempt 3 of 10)", "9 of 9 tasks done")
	p.seesNo(card+" button", "Cancel")
	p.sees(waiting, "web_upgrade success after")
	p.picture("finished")
	p.hits(escape)
	p.seesNo("#thread")
	p.eval("have the focus back where the thread was opened", `until(() => document.activeElement.matches(".reply-link"))`)
	p.hits(enter)
	p.sees(waiting, "web_upgrade success after")
	p.focusShows()
	p.hits(escape)
	p.seesNo("#thread")
}

// historyHas asks for the history and finds the runs in it, the newest first, each in a line of its own.
func historyHas(p *tab, runs ...string) {
	p.t.Helper()
	p.says("/playbook history")
	p.sees("#messages "+whisper+":last-child", strings.Fields(runs[0])...)
	lines := strings.Split(p.reads("#messages "+whisper), "\n")
	for _, run := range runs {
		at := slices.IndexFunc(lines, func(line string) bool {
			return !slices.ContainsFunc(strings.Fields(run), func(word string) bool { return !strings.Contains(line, word) })
		})
		if at < 0 {
			p.t.Fatalf("history reads\n%s\nwant the runs %q in that order", p.reads("#messages "+whisper), runs)
		}
		lines = lines[at+1:]
	}
	p.picture("history")
}

func homeShows(p *tab, run string) {
	p.t.Helper()
	p.becomes("ana")
	p.presses("#home-tab", "Home")
	p.sees("#home", run, "web_upgrade")
	p.readable()
	p.picture("home")
	p.presses(`[data-channel="deploys"]`, "deploys")
	p.sees("#messages .message")
}

// anaCancelsFromTheButton starts a second run and cancels it on its card, on second thoughts only.
func anaCancelsFromTheButton(p *tab) string {
	p.t.Helper()
	p.says("/playbook run web_upgrade tier=alfa rev=def")
	p.sees(card, "web_upgrade — waiting", "tier=alfa")
	run := shortID(p, p.reads(card))
	p.presses(card+" button", "Cancel")
	p.sees("#confirm", "Cancel this run?", "Let it run")
	p.picture("cancel")
	p.presses("#confirm button", "Let it run")
	p.seesNo("#confirm")
	p.sees(card, "web_upgrade — waiting", "tier=alfa")
	p.presses(card+" button", "Cancel")
	p.presses("#confirm button", "Cancel the run")
	p.sees("#messages "+whisper, onlyForU, "ancel")
	p.sees(card, "web_upgrade — cancelled", "tier=alfa", "cancelled by ana")
	p.seesNo(card+" button", "Cancel")
	p.presses(card+" .reply-link", "replies")
	p.sees(waiting, "web_upgrade cancelled")
	p.seesNo("#thread-messages button", "Approve")
	p.picture("cancelled")
	p.presses("#thread-close", "")
	p.seesNo("#thread")
	return run
}

// looksWellElsewhere takes pictures in the dark and in a narrow window, where nothing may stick out.
func looksWellElsewhere(p *tab) {
	p.t.Helper()
	do(p, "choose dark colours", scheme("dark"))
	p.presses(card+" .reply-link", "replies")
	p.sees(waiting, "web_upgrade cancelled")
	p.readable()
	p.picture("dark")
	do(p, "choose light colours", scheme("light"))
	p.size(390, 780)
	p.fits()
	p.picture("narrow-thread")
	p.presses("#thread-close", "")
	p.seesNo("#thread")
	p.fits()
	p.picture("narrow")
	p.presses("#menu", "")
	p.sees("#sidebar", "deploys", "ops")
	p.picture("narrow-menu")
	p.presses(`[data-channel="ops"]`, "ops")
	p.sees("#messages .message", "Tier bravo runs abc")
	p.fits()
}

// startDev builds playbot, starts `playbot dev` and returns the address of its page. At the end of the
// test it is interrupted, as by Ctrl-C; then it must end well and leave nothing behind.
func startDev(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "playbot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/playbot")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build playbot: %v\n%s", err, out)
	}
	temp := t.TempDir()
	dev := exec.Command(bin, "dev")
	dev.Env = append(os.Environ(), "TMPDIR="+temp)
	var complaints strings.Builder
	dev.Stderr = &complaints
	stdout, err := dev.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopDev(t, dev, temp, &complaints) })
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+/\w+/`)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url := address.FindString(lines.Text()); url != "" {
			return url
		}
	}
	t.Fatalf("playbot dev printed no address of a page; it said: %s", complaints.String())
	return ""
}

func stopDev(t *testing.T, dev *exec.Cmd, temp string, complaints *strings.Builder) {
	t.Helper()
	if err := dev.Process.Signal(syscall.SIGINT); err != nil {
		t.Errorf("interrupt playbot dev: %v", err)
	}
	late := time.AfterFunc(patient, func() { _ = dev.Process.Kill() }) // it is ours, and Wait says that it was killed
	defer late.Stop()
	if err := dev.Wait(); err != nil || complaints.Len() > 0 {
		t.Errorf("playbot dev ended with %v, want exit code 0 and no complaint; it said: %s", err, complaints.String())
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("playbot dev left %v behind (%v)", left, err)
	}
}

// says types a line into the composer of the channel and sends it with Enter.
func (p *tab) says(line string) {
	p.t.Helper()
	p.presses("#composer", "")
	p.types(line)
	p.hits(enter)
	p.eval("wait for the composer to be empty", `until(() => document.querySelector("#composer").value === "")`)
}

// becomes acts as somebody.
func (p *tab) becomes(who string) {
	p.t.Helper()
	p.presses(`[data-act-as="`+who+`"]`, "")
	p.sees(`[data-act-as="` + who + `"][aria-pressed="true"]`)
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// refusedToServe starts a bot that cannot work and returns what it said on its way out.
func (s *site) refusedToServe() string {
	s.t.Helper()
	s.configure()
	s.start()
	s.poll("playbot to give up", s.serve.ended)
	if code := s.serve.cmd.ProcessState.ExitCode(); code != exitFailed {
		s.t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	return s.serve.errs.String()
}

func wantSentence(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("said\n%s\nwhich lacks %q", got, part)
		}
	}
	for _, bad := range []string{"goroutine ", "panic:"} {
		if strings.Contains(got, bad) {
			t.Errorf("said\n%s\nwhich is a stack trace", got)
		}
	}
}

func TestServe_saysWhichSlackTokenIsWrong(t *testing.T) {
	t.Parallel()
	for file, want := range map[string][3]string{
		"bot_token": {"xoxb-wrong", "slack refuses the bot token", "OAuth & Permissions"},
		"app_token": {"xapp-wrong", "slack refuses the app token", "Basic Information"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if err := os.WriteFile(filepath.Join(filepath.Dir(s.config), file), []byte(want[0]), 0o600); err != nil {
				t.Fatal(err)
			}
			wantSentence(t, s.refusedToServe(), want[1], "invalid_auth", want[2])
		})
	}
}

func TestServe_namesTheHolderOfTheStore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	first := s.serve
	s.poll("the bot to connect", func() bool { return s.Workspace.Connected() > 0 })
	wantSentence(t, s.refusedToServe(), "playbot.db is held by pid ", "playbot serve, since", "stop that one")
	if first.ended() {
		t.Errorf("the first bot ended too; it said:\n%s", first.errs)
	}
	s.serve = first
	s.stop()
}

// command types a line as ana until the bot answers it, and returns the answer.
func (s *site) command(line string) string {
	s.t.Helper()
	answer := ""
	s.poll("an answer to "+line, func() bool {
		m, err := s.Workspace.Slash(s.t.Context(), "ana", room, line)
		if err != nil || m == nil {
			return false
		}
		answer = s.Workspace.PlainText(*m)
		return true
	})
	return answer
}

func (s *site) shows(part string) func() bool {
	return func() bool { return strings.Contains(s.transcript(), part) }
}

func TestServe_waitsForAChoriaNetworkThatIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Fleet.StopBroker()
	s.Config.NATS.Timeout = time.Second
	s.configure()
	s.start()
	s.command("/playbook run web_upgrade tier=bravo rev=abc")
	s.poll("the failure", s.shows("web_upgrade — failed"))
	wantSentence(t, s.transcript(), "the Choria network at "+s.Fleet.URL()+" is out of reach", "is the broker running")
	if err := s.Fleet.StartBroker(); err != nil {
		t.Fatal(err)
	}
	s.poll("the network to be in reach", func() bool { return strings.Contains(s.serve.errs.String(), "the Choria network is in reach") })
	s.command("/playbook run web_upgrade tier=bravo rev=abc")
	s.poll("the gate", func() bool { _, asked := s.showing("Approve"); return asked })
	s.stop()
}

func TestServe_saysThatPuppetDBIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Config.PuppetDB.URL = "http://127.0.0.1:9"
	s.configure()
	s.start()
	s.command("/playbook run web_upgrade tier=bravo rev=abc")
	s.poll("the failure", s.shows("web_upgrade — failed"))
	wantSentence(t, s.transcript(), `node set "load_balancers"`, "http://127.0.0.1:9")
	s.stop()
}

func TestServe_keepsPlaybooksWhoseFolderVanishes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.start()
	if list := s.command("/playbook list"); !strings.Contains(list, "web_upgrade") {
		t.Fatalf("list answers %q", list)
	}
	away := s.Config.Playbooks + ".away"
	if err := os.Rename(s.Config.Playbooks, away); err != nil {
		t.Fatal(err)
	}
	s.poll("playbot to notice", func() bool {
		return strings.Contains(s.serve.errs.String(), "playbooks cannot be read; those that were loaded stay")
	})
	if list := s.command("/playbook list"); !strings.Contains(list, "web_upgrade") {
		t.Errorf("without the folder, list answers %q", list)
	}
	s.command("/playbook run web_upgrade tier=bravo rev=abc")
	s.poll("the gate of a playbook that is only in memory", func() bool { _, ok := s.showing("Approve"); return ok })
	if err := os.Rename(away, s.Config.Playbooks); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(s.Config.Playbooks, "web_upgrade.yaml")
	if err := os.WriteFile(broken, []byte("name: web_upgrade\ntasks: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	s.poll("playbot to tell of the broken file", func() bool {
		return strings.Contains(s.command("/playbook list"), "the last good version of web_upgrade still runs")
	})
	s.stop()
}

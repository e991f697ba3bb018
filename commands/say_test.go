package commands_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

func ask(key, name, text string) commands.Request {
	return commands.Request{Key: key, Actor: actor(name), Origin: engine.OriginTyped, Text: text}
}

func TestSay_aHundredRunsAtOnceAllAreStarted(t *testing.T) {
	t.Parallel()
	c, e := newDesk(t)
	const runs = 100
	ids := make([]engine.RunID, runs)
	var wg sync.WaitGroup
	for i := range runs {
		wg.Go(func() {
			r := c.Say(t.Context(), ask(fmt.Sprint("line/", i), "ana", "run web_check"))
			if r.Code != "" {
				t.Errorf("refused: %s", r.Text())
			}
			ids[i] = r.Run
		})
	}
	wg.Wait()
	seen := map[engine.RunID]bool{}
	for _, id := range ids {
		run, err := e.Wait(t.Context(), id)
		if err != nil || run.Status != engine.RunSuccess || seen[id] {
			t.Fatalf("run %s: %v, seen before: %t", id.Short(), err, seen[id])
		}
		seen[id] = true
	}
}

func TestSay_oneLineHeardTwiceAtOnceStartsOneRun(t *testing.T) {
	t.Parallel()
	c, _ := newDesk(t)
	ids := make([]engine.RunID, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { ids[i] = c.Say(t.Context(), ask("one line", "ana", "run web_check")).Run })
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("got runs %v, want one", ids)
		}
	}
}

func TestSay_ourFaultIsLoggedUnderTheKeyAndNotShown(t *testing.T) {
	t.Parallel()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := enginetest.NewHouse(t, log)
	library, err := playbooks.OpenLibrary("testdata/playbooks", h.Script.Types())
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	c, err := commands.New(commands.Deps{
		Engine: h.Engine, History: log, Books: library, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	r := c.Say(t.Context(), ask("slash/4711", "ana", "history"))
	if r.Code != engine.CodeInternal || !r.Private || !strings.Contains(r.Text(), "slash/4711") {
		t.Errorf("got %s: %s", r.Code, r.Text())
	}
	if !strings.Contains(logged.String(), "slash/4711") || strings.Contains(r.Text(), "closed") {
		t.Errorf("logged %q, shown %q", logged.String(), r.Text())
	}
}

func TestSay_aLateRequestStartsNothing(t *testing.T) {
	t.Parallel()
	c, _ := newDesk(t)
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if r := c.Say(late, ask("k", "ana", "run web_check")); r.Code == "" || r.Run != "" {
		t.Errorf("got run %s: %s", r.Run, r.Text())
	}
	if r := c.Say(t.Context(), ask("k2", "ana", "history")); !strings.Contains(r.Text(), "No run") {
		t.Errorf("got %s", r.Text())
	}
}

func TestSay_whatThePolicyGatesIsAnnounced(t *testing.T) {
	t.Parallel()
	log, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	var library *playbooks.Library
	h := enginetest.NewHouse(t, log, func(o *engine.Options) {
		strict := rules()
		strict.Gates = []string{"do"}
		if o.Policy, err = policy.New(strict); err != nil {
			t.Fatal(err)
		}
		if library, err = playbooks.OpenLibrary("testdata/playbooks", o.Types); err != nil {
			t.Fatal(err)
		}
		o.Books = library
	})
	c, err := commands.New(commands.Deps{Engine: h.Engine, History: log, Books: library})
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"describe web_upgrade":       "3. Install {{ inputs.rev }} — do, asks for approval first",
		"run web_upgrade tier=bravo": "3 tasks, 3 approvals to come",
	} {
		if got := c.Say(t.Context(), ask(line, "ana", line)).Text(); !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %q", line, got, want)
		}
	}
}

func TestSay_readsTheNoiseAroundALine(t *testing.T) {
	t.Parallel()
	c, _ := newDesk(t)
	want := c.Say(t.Context(), ask("k", "ana", "list")).Text()
	for _, line := range []string{
		"/playbook list", "  list\n", "`list`", "```list```", "<@U0BOT|playbot> list", "“list”", "LIST", "ls", "li",
	} {
		if got := c.Say(t.Context(), ask("k", "ana", line)).Text(); got != want {
			t.Errorf("%q: got %s", line, got)
		}
	}
}

func TestSay_aLongSuggestionHasNoButton(t *testing.T) {
	t.Parallel()
	c, _ := newDesk(t)
	for length, buttons := range map[int]int{100: 1, 3000: 0} {
		r := c.Say(t.Context(), ask("k", "ana", "rn web_check note="+strings.Repeat("x", length)))
		got := 0
		for _, b := range r.Blocks {
			if row, ok := b.(commands.Buttons); ok {
				got += len(row.Items)
			}
		}
		if got != buttons || r.Code != engine.CodeInvalid {
			t.Errorf("%d characters: %d buttons, want %d", length, got, buttons)
		}
	}
}

func TestPress_namesTheRunThatItIsAbout(t *testing.T) {
	t.Parallel()
	c, _ := newDesk(t)
	run := c.Say(t.Context(), ask("k", "ana", "run web_check")).Run
	for _, row := range []struct {
		action commands.Action
		value  string
		want   engine.RunID
	}{
		{commands.ActionShow, string(run), run},
		{commands.ActionApprove, string(run) + "/none", run},  // refused, and its card may be out of date
		{commands.ActionRetry, string(run) + "/tasks.1", run}, // a value of another version
		{commands.ActionApprove, "garbage", ""},
		{commands.ActionShow, "", ""},
		{commands.ActionSuggest, string(run), ""}, // a line to copy is about no run
		{"launch", "a/b/c", ""},
	} {
		r := c.Press(t.Context(), commands.Press{Key: "k", Actor: actor("ana"), Action: row.action, Value: row.value})
		if r.Run != row.want || !r.Private {
			t.Errorf("%s with %q: got run %q, want %q", row.action, row.value, r.Run, row.want)
		}
	}
}

// FuzzSay lets two people who may run nothing say anything: every line is answered, and nothing begins.
func FuzzSay(f *testing.F) {
	for _, line := range []string{
		"", "run web_check", "rn web_check", "history --since 1h --user @x", "show r-7k3f9m", "web_check a=b", "help", "approve r-1234.9 x=1",
		"`list` \u201ca", "describe web_upgrade --here", "status \u202e", "cancel 0000",
	} {
		f.Add(line)
	}
	c, _ := newDesk(f)
	f.Fuzz(func(t *testing.T, line string) {
		for _, name := range []string{"gus", "vic"} {
			r := c.Say(t.Context(), ask("k", name, line))
			if len(r.Blocks) == 0 || strings.TrimSpace(r.Text()) == "" || r.Run != "" {
				t.Fatalf("%s said %q: got %q about run %q", name, line, r.Text(), r.Run)
			}
			if strings.ContainsFunc(r.Text(), func(c rune) bool { return c == 0x1b || c == 0x202e }) {
				t.Fatalf("%s said %q: the answer %q hides something", name, line, r.Text())
			}
			if r.Code != "" && !r.Private {
				t.Fatalf("%s said %q: everybody sees the refusal %q", name, line, r.Text())
			}
		}
	})
}

package commands_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestLog_isForWhoMayViewTheRun(t *testing.T) {
	t.Parallel()
	c, e := newDesk(t)
	id := c.Say(t.Context(), ask("k", "ana", "run web_check")).Run
	if _, err := e.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	for name, may := range map[string]bool{"ana": true, "vic": true, "dan": false} {
		l, err := c.Log(t.Context(), actor(name), commands.LogPlace{Run: id})
		if may && (err != nil || l.Pages != 1 || !strings.Contains(strings.Join(l.Lines, "\n"), "ok in") || len(l.Steps) == 0) {
			t.Errorf("%s: got %+v, %v", name, l, err)
		}
		if !may && engine.CodeOf(err) != engine.CodeNotFound {
			t.Errorf("%s, who may not view the run: got %+v, %v", name, l, err)
		}
	}
}

func TestLogPlace_isReadBackFromAButton(t *testing.T) {
	t.Parallel()
	id := engine.RunID(strings.Repeat("0", 26))
	for value, want := range map[string]commands.LogPlace{
		string(id): {Run: id},
		commands.LogPlace{Run: id, Step: "tasks.4.wave2.1", Page: 7}.Value(): {Run: id, Step: "tasks.4.wave2.1", Page: 7},
	} {
		if got, ok := commands.ReadLogPlace(value); !ok || got != want {
			t.Errorf("%q: got %+v, %t", value, got, ok)
		}
	}
	for _, value := range []string{"", "x", string(id) + "/tasks.1", string(id) + "/tasks.1/x", string(id) + "//1"} {
		if got, ok := commands.ReadLogPlace(value); ok {
			t.Errorf("%q: got %+v", value, got)
		}
	}
}

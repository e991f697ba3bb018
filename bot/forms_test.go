package bot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
)

const formBook = `
inputs:
  tier: {description: Tier, type: String, validation: [alfa, bravo]}
  hosts: {description: Hosts, type: Array, default: [web1]}
  many: {description: How many, type: Integer, default: 2}
  now: {description: At once, type: Boolean, required: false}
  rev: {description: Revision, type: String, validation: ":shellsafe"}
tasks: [{do: {name: look, description: "Look at {{ inputs.tier }} {{ inputs.rev }}"}}]
`

// given are the inputs with which the latest run was asked for.
func (s *stage) given() map[string]any { return s.newest().Requested.Inputs }

func TestForm_startsTheRunThroughTheSameDoorAsALine(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		if said := s.slash("ana", "#deploys", "run web tier=gold hosts=a,b"); said != "" {
			s.tb.Errorf("beside the form ana was told %q", said)
		}
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "web 1.0.0", "1 task", `"gold" is not one of alfa, bravo`, "a\nb") {
			s.tb.Errorf("the form says\n%s", text)
		}
		s.fill("ana", map[string]string{"tier": "bravo", "rev": "a;b"}) // what was wrong is drawn, so that the form is drawn anew
		s.until("the form says what is wrong now", func() bool { return has(s.formText("ana"), "not text without") && !has(s.formText("ana"), "gold") })
		s.ws.DoubleEnvelopes(1)
		if wrong := s.fill("ana", map[string]string{"tier": "bravo", "rev": "abc", "hosts": "a\n\nc"}); len(wrong) > 0 {
			s.tb.Fatalf("complaints: %v", wrong)
		}
		s.noForm("ana")
		s.await("#deploys", "✅ web — success")
		run := s.newest()
		if got := run.Requested; got.Origin != engine.OriginForm || got.Actor.Channel != "C1" || got.Actor.User != "UANA" {
			s.tb.Errorf("the run was requested as %+v", got)
		}
		if in := s.given(); in["tier"] != "bravo" || in["rev"] != "abc" || in["many"] != 2.0 && in["many"] != 2 || len(in["hosts"].([]any)) != 2 {
			s.tb.Errorf("the run has %v", in)
		}
		s.until("ana was told so", func() bool { return has(strings.Join(s.ephemerals("ana"), "\n"), "Started web", run.ID.Short()) })
		if n := len(s.ephemerals("ana")); n != 1 {
			s.tb.Errorf("ana was told %q", s.ephemerals("ana"))
		}
	})
}

func TestForm_saysBesideTheFieldWhatIsWrong(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.slash("ana", "#deploys", "run web")
		s.form("ana", "Run web")
		wrong := s.fill("ana", map[string]string{"tier": "alfa", "rev": "`id`", "now": "true"})
		if len(wrong) != 1 || !has(wrong["rev"], "not text without") {
			s.tb.Errorf("complaints: %v", wrong)
		}
		if runs := s.waiting(); len(runs) > 0 || s.Script.Calls("look") > 0 {
			s.tb.Error("a run was started all the same")
		}
		if wrong := s.fill("ana", map[string]string{"tier": "alfa", "rev": "abc", "now": "true"}); len(wrong) > 0 {
			s.tb.Errorf("complaints: %v", wrong)
		}
		s.await("#deploys", "✅ web — success", "alfa abc")
		s.slash("ana", "#deploys", "run web tier=bravo")
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "is as in run "+s.newest().ID.Short(), "abc", "Yes") {
			s.tb.Errorf("the form does not begin with the last run:\n%s", text)
		}
	})
}

// F-28, F-39, for forms: sent twice, a form counts once; what came too late to be answered can be sent again.
func TestForm_sentTwiceStartsOneRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.slash("ana", "#deploys", "run web")
		id, body := s.form("ana", "Run web")
		values := s.filled(body, map[string]string{"tier": "alfa", "rev": "abc"})
		free := s.log.block()
		if _, err := s.ws.Submit(s.tb.Context(), "ana", id, values); err == nil {
			s.tb.Error("a form whose run is on no disk was acked")
		}
		if open, _ := s.ws.Modal("ana"); open != id {
			s.tb.Error("the form is gone, so that it cannot be sent again")
		}
		free()
		free = s.log.block()
		sent := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := s.ws.Submit(s.tb.Context(), "ana", id, values)
				sent <- err
			}()
		}
		synctest.Wait() // both are under way
		free()
		for range 2 {
			if err := <-sent; err != nil {
				s.tb.Error(err)
			}
		}
		s.await("#deploys", "✅ web — success")
		s.until("ana is told of both", func() bool {
			told := strings.Join(s.ephemerals("ana"), "\n")
			return has(told, "Started web", "nothing was started a second time", s.newest().ID.Short())
		})
		if n := s.Script.Calls("look"); n != 1 {
			s.tb.Errorf("%d runs were started", n)
		}
	})
}

func TestForm_asksWhichPlaybookAndOffersOnlyWhatTheAskerMayRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		s.slash("ana", "#deploys", "run")
		s.form("ana", "Run a playbook")
		if got := s.suggested("ana", "playbook", ""); !slices.Equal(got, []string{"bare — bare", "web — web"}) && len(got) != 2 {
			s.tb.Errorf("ana is offered %q", got)
		}
		if got := s.suggested("ana", "playbook", "we"); len(got) != 1 {
			s.tb.Errorf("after we ana is offered %q", got)
		}
		s.fill("ana", map[string]string{"playbook": "web"})
		id, _ := s.form("ana", "Run web")
		if err := s.ws.Close(s.tb.Context(), "ana", id); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook") // below it, to choose another
		s.fill("ana", map[string]string{"playbook": "bare"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.noForm("ana")
		s.await("#deploys", "✅ bare — success")
		if said := s.slash("gus", "#deploys", "run"); !has(said, "no playbook that you may run") {
			s.tb.Errorf("gus was told %q", said)
		}
	})
}

func TestShortcut_asksForTheChannelOrKnowsIt(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		if err := s.ws.Shortcut(s.tb.Context(), "ana", runShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook")
		s.fill("ana", map[string]string{"playbook": "bare", "where": "C2"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.await("#ops", "✅ bare — success")
		s.until("ana was told in the channel that she chose", func() bool { return has(strings.Join(s.ephemerals("ana"), "\n"), "Started bare") })
		card, _ := s.find("#ops", "bare — success")
		if err := s.ws.MessageShortcut(s.tb.Context(), "ana", "#ops", card.TS, runHereShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.form("ana", "Run a playbook")
		s.fill("ana", map[string]string{"playbook": "bare"})
		s.form("ana", "Run bare")
		s.fill("ana", nil)
		s.until("a second run has its card there", func() bool {
			n := 0
			for _, text := range s.texts("#ops") {
				if has(text, "bare — success") {
					n++
				}
			}
			return n == 2
		})
		if err := s.ws.Shortcut(s.tb.Context(), "gus", runShortcut); err != nil {
			s.tb.Fatal(err)
		}
		s.until("gus is told why", func() bool { return has(strings.Join(s.texts("DGUS"), "\n"), "no playbook that you may run") })
	})
}

func TestMention_inAThreadOffersTheFormByAButton(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.book("bare", "tasks: [{do: {name: look}}]\n")
		s.slash("ana", "#deploys", "run bare")
		card := s.await("#deploys", "✅ bare — success")
		if _, err := s.ws.Say("ana", "#deploys", card.TS, "@playbot run web tier=bravo hosts=x"); err != nil {
			s.tb.Fatal(err)
		}
		answer := s.await("#deploys", "Nothing was started", "[Fill in the form]")
		if answer.ThreadTS != card.TS || answer.Ephemeral != "UANA" {
			s.tb.Errorf("the answer stands at %q for %q", answer.ThreadTS, answer.Ephemeral)
		}
		s.press("ana", answer, "form")
		s.form("ana", "Run web")
		s.fill("ana", map[string]string{"rev": "abc"})
		s.await("#deploys", "✅ web — success", "bravo abc")
		s.until("the answer stands in the thread", func() bool {
			m, ok := s.find("#deploys", "Started web")
			return ok && m.ThreadTS == card.TS && m.Ephemeral == "UANA"
		})
	})
}

func TestForm_thatSlackDoesNotOpenIsOfferedAgain(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("web", formBook)
		s.ws.FailNext("views.open", "expired_trigger_id", 1)
		s.slash("ana", "#deploys", "run web tier=bravo")
		answer := s.await("#deploys", "Nothing was started", `"rev" is missing`, "[Fill in the form]")
		s.press("ana", answer, "form")
		s.form("ana", "Run web")
		if text := s.formText("ana"); !has(text, "bravo") {
			s.tb.Errorf("the form forgot what was typed:\n%s", text)
		}
	})
}

func TestForm_aMenuNeverWaitsForItsSource(t *testing.T) {
	t.Parallel()
	const body = `
inputs:
  rev: {description: Revision, type: String, choices: {command: [revisions]}}
tasks: [{do: {name: look, description: "Look at {{ inputs.rev }}"}}]
`
	var answer chan string // of the bubble
	onStage(t, func(s *stage) {
		s.book("web", body)
		s.slash("ana", "#deploys", "run web")
		s.form("ana", "Run web")
		began := time.Now()
		if got := s.suggested("ana", "rev", ""); len(got) != 1 || !has(got[0], "being looked up", "type a value") {
			s.tb.Errorf("before the source answers: %q", got)
		}
		if got := s.suggested("ana", "rev", "main"); !slices.Equal(got, []string{"main (as typed)"}) {
			s.tb.Errorf("before the source answers: %q", got)
		}
		if d := time.Since(began); d > 0 {
			s.tb.Errorf("ana waited for %s", d)
		}
		answer <- "main\nmaint\n"
		s.until("the menu has the values", func() bool {
			return slices.Equal(s.suggested("ana", "rev", "ma"), []string{"main", "maint", "ma (as typed)"})
		})
		s.fill("ana", map[string]string{"rev": "maint"})
		s.await("#deploys", "✅ web — success", "Look at maint")
	}, setting{engine: func(o *engine.Options) {
		answer = make(chan string)
		o.Types.Program = func(ctx context.Context, _ []string) ([]byte, error) {
			select {
			case text := <-answer:
				return []byte(text), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}})
}

package bot

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestEnding_isToldToTheChannelWhenThatWasAskedFor(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{"run b": 1, "run b --broadcast": 2} {
		onStage(t, func(s *stage) {
			s.book("b", "tasks: [{do: {name: one, description: One}}]")
			s.slash("ana", "#deploys", line)
			s.settle(s.newest())
			if shown := s.ws.Messages("", "#deploys"); len(shown) != want || want == 2 && !has(s.ws.PlainText(shown[1]), "b success after", "1 of 1 tasks done") {
				s.tb.Errorf("%s: the channel shows %q", line, s.texts("#deploys"))
			}
		})
	}
}

func TestAgain_startsTheSameRun(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", `
inputs:
  text: {description: Text, type: String, required: true}
  list: {description: List, type: Array, required: true}
  count: {description: Count, type: Integer, required: true}
  yes: {description: Yes, type: Boolean, required: true}
tasks: [{do: {name: one}}]
`)
		for _, given := range []string{
			`text=abc list=a,b count=3 yes=true`,
			`text="a b, \"c\" \\ <@UBEN> --x" list:=["a,b", "c d", ""] count:=-3 yes=false`,
			`text="" list:=[] count=0 yes=true`,
			`text=":=[" list:=[1, "x=y"] count=1 yes=true`,
			`text="it’s “so” – really" list="-a",b count=1 yes=true`,
		} {
			time.Sleep(time.Second)
			s.slash("ana", "#deploys", "run b "+given)
			first := s.newest()
			s.settle(first)
			line := commands.Again(first)
			time.Sleep(time.Second) // ids of one moment have no order
			if m, err := s.ws.Slash(s.tb.Context(), "ana", "#deploys", line); err != nil || m == nil || !has(s.ws.PlainText(*m), "Started b") {
				s.tb.Errorf("%s: %v, %+v", line, err, m)
				continue
			}
			again := s.newest()
			s.settle(again)
			if first.ID == again.ID || encodedValue(s.tb, first.Requested.Inputs) != encodedValue(s.tb, again.Requested.Inputs) {
				s.tb.Errorf("%s: got %v, want %v", line, again.Requested.Inputs, first.Requested.Inputs)
			}
		}
	})
}

func encodedValue(tb testing.TB, v any) string {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

func TestEnding_ofAFailedHookNamesIt(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.book("b", "hooks: {pre_book: [{do: {name: one, description: Look first}}]}\ntasks: [{do: {name: two, description: Two}}]")
		s.Script.On("one", func(context.Context, int, *engine.Call) (engine.Result, error) {
			return engine.Result{Message: "no"}, errors.New("scripted")
		})
		s.slash("ana", "#deploys", "run b")
		run := s.newest()
		s.settle(run)
		s.wantThread(run, "❌ b — failed", "pre_book: Look first", "failed after 0s, at a step of pre_book: pre_book: Look first", "Not begun: 1 step, Two", "/playbook run b")
	})
}

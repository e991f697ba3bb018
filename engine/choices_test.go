//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
)

const choicesBook = `
inputs:
  tier: {description: Tier, type: String, default: bravo}
  rev: {description: Revision, type: String, choices: {command: [revisions, --all]}}
  node: {description: Node, type: String, choices: {nodes: web}}
  key: {description: Key, type: String, choices: {store: kept/tiers}}
  plain: {description: Plain, type: String}
data_stores: {kept: {type: map}}
nodes: {web: {type: list, nodes: ["{{ inputs.tier }}1", web2, web2]}}
tasks: [{do: {name: one}}]
`

// offered lets the source answer, and returns what is known then.
func offered(h *enginetest.House, book *playbooks.Playbook, input string) engine.Choices {
	h.Engine.Choices(book, input)
	synctest.Wait()
	return h.Engine.Choices(book, input)
}

func TestChoices_comeFromTheirSourceWithTheDefaultsOfTheInputs(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		book := h.Book("c", choicesBook)
		h.Script.Set("tiers", []any{"alfa", "bravo", 3, "alfa", " "})
		for input, want := range map[string][]string{"rev": {"abc", "def --all"}, "node": {"bravo1", "web2"}, "key": {"alfa", "bravo", "3"}} {
			if got := offered(h, book, input); got.Err != "" || !slices.Equal(got.Values, want) || got.Asking {
				t.Errorf("%s: got %+v, want %q", input, got, want)
			}
		}
		for _, input := range []string{"plain", "nothing"} {
			if got := offered(h, book, input); got.Values != nil || got.Asking || got.Err != "" {
				t.Errorf("%s: got %+v, want nothing", input, got)
			}
		}
	}, func(o *engine.Options) {
		o.Types.Program = func(_ context.Context, argv []string) ([]byte, error) {
			return []byte("abc\n\ndef " + argv[1] + "\r\n"), nil
		}
	})
}

func TestChoices_areAskedForAgainWhenTheyAreOldAndStayWhenThatFails(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		book := h.Book("c", choicesBook)
		if first := h.Engine.Choices(book, "rev"); !first.Asking || !first.At.IsZero() {
			t.Errorf("before the source has answered: %+v", first)
		}
		if got := offered(h, book, "rev"); !slices.Equal(got.Values, []string{"v1"}) {
			t.Errorf("got %+v", got)
		}
		time.Sleep(59 * time.Second)
		if got := offered(h, book, "rev"); asked.Load() != 1 || got.Values[0] != "v1" {
			t.Errorf("asked %d times for what is fresh", asked.Load())
		}
		time.Sleep(2 * time.Second)
		got := offered(h, book, "rev")
		if asked.Load() != 2 || !slices.Equal(got.Values, []string{"v1"}) || !strings.Contains(got.Err, "out of order") || time.Since(got.At) < time.Minute {
			t.Errorf("asked %d times; after a failure: %+v", asked.Load(), got)
		}
		if offered(h, book, "rev"); asked.Load() != 2 {
			t.Error("a source that has just failed was asked again")
		}
		time.Sleep(15 * time.Second)
		if got := offered(h, book, "rev"); !slices.Equal(got.Values, []string{"v3"}) || got.Err != "" {
			t.Errorf("after it answers again: %+v", got)
		}
	}, func(o *engine.Options) {
		o.Types.Program = func(context.Context, []string) ([]byte, error) {
			n := asked.Add(1)
			if n == 2 {
				return nil, errors.New("out of order")
			}
			return fmt.Appendf(nil, "v%d\n", n), nil
		}
	})
}

func TestChoices_neverWaitAndAreBounded(t *testing.T) {
	t.Parallel()
	var asked, most atomic.Int32
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		var books [8]*playbooks.Playbook
		for i := range books {
			books[i] = h.Book(fmt.Sprintf("c%d", i), choicesBook)
		}
		began := time.Now()
		for i, book := range books {
			if c := h.Engine.Choices(book, "rev"); !c.Asking {
				t.Errorf("book %d: %+v", i, c)
			}
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("looking took %s", d)
		}
		synctest.Wait()
		if asked.Load() != 4 {
			t.Errorf("%d sources are asked at a time, want 4", asked.Load())
		}
		time.Sleep(31 * time.Second) // nobody answers
		synctest.Wait()
		if c := h.Engine.Choices(books[0], "rev"); !strings.Contains(c.Err, "did not answer within 30s") {
			t.Errorf("a source that hangs: %+v", c)
		}
		if most.Load() > 4 {
			t.Errorf("%d were asked at a time", most.Load())
		}
	}, func(o *engine.Options) {
		o.Types.Program = func(ctx context.Context, _ []string) ([]byte, error) {
			most.Store(max(most.Load(), asked.Add(1)))
			<-ctx.Done()
			return nil, ctx.Err()
		}
	})
}

func TestChoices_ofABrokenSourceSayWhy(t *testing.T) {
	t.Parallel()
	const secret = "xoxb-of-the-bot"
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		book := h.Book("c", choicesBook)
		if got := offered(h, book, "key"); !strings.Contains(got.Err, "no such key") || got.Asking {
			t.Errorf("a key that is not there: %+v", got)
		}
		h.Script.Set("tiers", map[string]any{"a": 1})
		time.Sleep(time.Minute)
		if got := offered(h, book, "key"); !strings.Contains(got.Err, "no list") {
			t.Errorf("a value that is no list: %+v", got)
		}
		if got := offered(h, book, "rev"); !strings.Contains(got.Err, "broke") || strings.Contains(got.Err, secret) {
			t.Errorf("a source that panics: %+v", got)
		}
		h.Script.Set("tiers", "alfa\n"+secret+"\n"+strings.Repeat("x", 1001)+"\n")
		time.Sleep(time.Minute)
		if got := offered(h, book, "key"); !slices.Equal(got.Values, []string{"alfa"}) {
			t.Errorf("got %+v, want what may be shown", got)
		}
	}, func(o *engine.Options) {
		o.Secrets = []string{secret}
		o.Types.Program = func(context.Context, []string) ([]byte, error) { panic("no " + secret) }
	})
}

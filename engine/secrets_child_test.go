//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

const handingOn = `
inputs: {token: {description: Token, type: Secret}}
tasks: [{child: {name: inner, inputs: {key: "Bearer {{ inputs.token }}"}}}]
`

const handedOn = `
inputs: {key: {description: Key, type: Secret}}
tasks: [{do: {name: work, effect: read_only, any: "{{ inputs.key }}"}}]
`

func TestSecret_isHandedToTheRunOfAnotherPlaybook(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		cut, direct bool // restarted; the child is given its secret by a person
		says, want  string
	}{
		"uncut":                    {says: "token " + theSecret, want: "token ***"},
		"after a restart":          {cut: true, says: "token " + theSecret, want: "token ***"},
		"given to the child first": {cut: true, direct: true, says: "Bearer " + theSecret, want: "***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("s", handingOn)
				h.Book("inner", handedOn)
				goOn := make(chan struct{})
				h.Script.On("work", func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
					select {
					case <-goOn:
						return engine.Result{Message: row.says}, nil
					case <-ctx.Done():
						return engine.Result{}, context.Cause(ctx)
					}
				})
				id := secretly(t, h, theSecret)
				child := childOf(t, h, id)
				if row.cut {
					restart(h)
					if run := load(t, h, child); !slices.Equal(run.SecretsNeeded, []string{"key"}) {
						t.Errorf("the child needs %v", run.SecretsNeeded)
					}
				}
				if row.direct {
					if err := give(t, h, child, h.Ana, "key", "Bearer "+theSecret); err != nil {
						t.Fatal(err)
					}
				}
				if row.cut {
					if err := give(t, h, id, h.Ana, "token", theSecret); err != nil {
						t.Fatal(err)
					}
				}
				close(goOn)
				if run := h.Finish(id); run.Status != engine.RunSuccess {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
				run := load(t, h, child)
				if got := run.Steps["tasks.1"].Message; run.Requested.Inputs["key"] != "***" || got != row.want {
					t.Errorf("the child was asked for with %v and says %q", run.Requested.Inputs, got)
				}
				if e := h.Script.Effects(); e[len(e)-1].Any != "Bearer "+theSecret {
					t.Errorf("the child's task got %v", e[len(e)-1].Any)
				}
			})
		})
	}
}

func TestSecret_isNotHandedToAnInputThatIsNone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ book, inner, want string }{
		"to text":   {handingOn, strings.Replace(handedOn, "Secret", "String", 1), "declare it there with type: Secret"},
		"from text": {strings.Replace(handingOn, "Secret", "String", 1), handedOn, "declare an input with type: Secret here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("s", row.book)
				h.Book("inner", row.inner)
				if run := h.Finish(h.Start("s", map[string]any{"token": theSecret})); run.Status != engine.RunFailed || !strings.Contains(run.Message, row.want) {
					t.Errorf("got %s: %s", run.Status, run.Message)
				}
			})
		})
	}
}

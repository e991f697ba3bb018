//nolint:thelper // what inHouse runs are the tests: a failure names their lines
package engine_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

const secretBook = `
inputs: {token: {description: Token, type: Secret}, who: {description: Who, type: String, required: false}}
tasks:
  - do: {name: one, any: "Bearer {{ inputs.token }}", description: "Log in with {{ inputs.token }}"}
  - do: {name: two, when: 'inputs.token startsWith "no such"'}
  - do: {name: three, destructive: true, any: "{{ inputs.token }}", tries: 2, try_sleep: 1}
hooks: {always: [{do: {name: undo, effect: read_only}}]}
`

// theSecret is what the runs of these tests are started with.
const theSecret = "hunter2-hunter2"

// secretly starts the playbook s with a secret that nothing may show.
func secretly(t *testing.T, h *enginetest.House, secret string) engine.RunID {
	t.Helper()
	h.Secrets(secret)
	return h.Start("s", map[string]any{"token": secret})
}

func restart(h *enginetest.House) {
	synctest.Wait()
	h.Stop()
	h.Restart()
	synctest.Wait()
}

func give(t *testing.T, h *enginetest.House, id engine.RunID, who engine.Actor, name, value string) error {
	t.Helper()
	return h.Engine.GiveSecrets(t.Context(), engine.Secrets{Run: id, Actor: who, Values: map[string]string{name: value}})
}

func TestSecret_isUsedAndNeverShown(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"plain": theSecret, "short": "k3y!", "quotes": `a"b'c\d<e>&f`, "line ends": "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n",
		"spaces around": "  with space  ", "not ASCII": "pässwörter", "digits": "9182736455", "like the mask": "a***b***", "template": "{{ inputs.who }}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("s", secretBook)
				h.Script.On("one", func(_ context.Context, _ int, c *engine.Call) (engine.Result, error) {
					in, err := c.Inputs(t.Context())
					if err != nil || in["token"] != secret {
						t.Errorf("the task got the inputs %v (%v)", in, err)
					}
					for line := range strings.Lines(secret) {
						c.Note("note " + line)
					}
					c.Note(c.Masked(secret))
					return engine.Result{Message: "said " + secret, OKNodes: []string{secret}, Data: shapes(secret)}, nil
				})
				h.Script.On("three", func(context.Context, int, *engine.Call) (engine.Result, error) {
					return engine.Result{}, fmt.Errorf("refused %q", secret)
				})
				h.Script.On("undo", func(context.Context, int, *engine.Call) (engine.Result, error) { panic(secret) })
				id := secretly(t, h, secret)
				if err := h.Engine.Approve(t.Context(), engine.Decision{Run: id, Approval: gate(t, h, id).Approval, Actor: h.Ben, Reason: "it is " + secret}); err != nil {
					t.Fatal(err)
				}
				h.Finish(id)
				if e := h.Script.Effects(); e[0].Any != "Bearer "+secret || e[1].Any != secret {
					t.Errorf("the tasks were given %v and %v", e[0].Any, e[1].Any)
				}
				first := load(t, h, id)
				if got := first.Requested.Inputs["token"]; got != "***" || first.Requested.Secrets["token"] == "" {
					t.Errorf("the request says %v, digest %q", got, first.Requested.Secrets["token"])
				}
				wantHidden(t, h, id, secret)
			}, func(o *engine.Options) {
				o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			if inside, _ := json.Marshal(secret); bytes.Contains(logged.Bytes(), inside[1:len(inside)-1]) {
				t.Errorf("the log holds the secret:\n%s", logged.String())
			}
		})
	}
}

// shapes are a secret as other programs write it.
func shapes(secret string) []any {
	inside, _ := json.Marshal(secret)
	var number any
	if json.Unmarshal([]byte(secret), &number) != nil {
		number = 0
	}
	return []any{
		map[string]any{secret: secret},
		string(inside), fmt.Sprintf("%q", secret), url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("u:" + secret)), base64.URLEncoding.EncodeToString([]byte(secret)), number,
	}
}

// wantHidden looks for every shape of a secret that is long enough to be told from ordinary text.
func wantHidden(t *testing.T, h *enginetest.House, id engine.RunID, secret string) {
	t.Helper()
	for _, e := range h.Events(id) {
		data, err := engine.EncodePayload(e.Payload)
		if err != nil {
			t.Fatal(err)
		}
		inside, _ := json.Marshal(secret)
		twice, _ := json.Marshal(string(inside[1 : len(inside)-1])) // JSON text in the JSON of the event
		for _, shape := range []string{
			string(twice[1 : len(twice)-1]),
			string(inside[1 : len(inside)-1]), url.QueryEscape(secret), hex.EncodeToString([]byte(secret)),
			base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)],
		} {
			if len(shape) >= 6 && bytes.Contains(data, []byte(shape)) {
				t.Errorf("event %d (%s) holds %s: %s", e.Seq, e.Kind(), shape, data)
			}
		}
	}
}

func TestSecret_isRefusedWhenItCannotBeKept(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		inputs map[string]any
		want   string
	}{
		{map[string]any{"token": "abc"}, "fewer than 4 characters"},
		{map[string]any{"token": "x"}, "fewer than 4 characters"},
		{map[string]any{"token": "  a  \n\t"}, "fewer than 4 characters"},
		{map[string]any{"token": ""}, "fewer than 4 characters"},
		{map[string]any{"token": "****"}, "consists of *"},
		{map[string]any{"token": "abcd\xff"}, "not text in UTF-8"},
		{map[string]any{"token": strings.Repeat("x", 64<<10+1)}, "more than 65536 bytes"},
		{map[string]any{"token": 1234567}, "not text"},
		{map[string]any{"token": nil}, "not text"},
		{map[string]any{}, "was not given"},
		{map[string]any{"token": theSecret, "who": "me:" + theSecret}, `the input "who" holds the value of a secret`},
	} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("s", secretBook)
			_, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "k", Actor: h.Ana, Playbook: "s", Inputs: row.inputs})
			if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%.60v: got %v, want %q", row.inputs, err, row.want)
			}
			if v, _ := row.inputs["token"].(string); len(v) > 3 && err != nil && strings.Contains(err.Error(), v) {
				t.Errorf("the refusal repeats the secret: %v", err)
			}
			if open, err := h.Log.Unfinished(t.Context()); err != nil || len(open) > 0 {
				t.Errorf("there are runs: %v (%v)", open, err)
			}
		})
	}
}

func TestSecret_needsAKey(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", secretBook)
		_, err := h.Engine.Start(t.Context(), engine.StartRequest{Key: "k", Actor: h.Ana, Playbook: "s", Inputs: map[string]any{"token": theSecret}})
		if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "no key") {
			t.Errorf("got %v", err)
		}
	}, func(o *engine.Options) { o.SecretKey = nil })
}

func TestSecret_inTheNameOfANodeOrALockIsRefused(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`nodes: {web: {type: list, nodes: ["{{ inputs.token }}"]}}`:                                        "leave the secret out of what the set asks for",
		"data_stores: {m: {type: map}}\nlocks: [\"m/{{ inputs.token }}\"]":                                 "leave the secret out of locks",
		"tasks: [{do: {name: one, nodes: [\"{{ inputs.token }}\"], destructive: true}}]":                   "leave the secret out of nodes",
		"tasks: [{do: {name: one, nodes: [\"x-{{ inputs.token }}\"]}}]":                                    "leave the secret out of nodes",
		"tasks: [{rolling: {batch_size: 1, nodes: [\"{{ inputs.token }}\"], tasks: [{do: {name: one}}]}}]": "leave the secret out of nodes",
		"data_stores: {m: {type: map}}\ntasks: [{do: {name: x, locks: [\"m/{{ inputs.token }}\"]}}]":       "leave the secret out of locks",
	} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("s", "inputs: {token: {description: Token, type: Secret}}\n"+body+"\n")
			run := h.Finish(secretly(t, h, theSecret))
			if run.Status != engine.RunFailed || !strings.Contains(run.Message, want) {
				t.Errorf("%s: got %s: %s", body, run.Status, run.Message)
			}
		})
	}
}

func TestSecret_anotherOneIsAnotherApproval(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", secretBook)
		a, b := secretly(t, h, theSecret), secretly(t, h, "another-"+theSecret)
		first, second := gate(t, h, a), gate(t, h, b)
		if first.Digest == second.Digest {
			t.Error("two secrets have one approval")
		}
		if load(t, h, a).Requested.Secrets["token"] == load(t, h, secretly(t, h, theSecret)).Requested.Secrets["token"] {
			t.Error("the digests of two runs tell that their secrets are equal")
		}
	})
}

func TestSecret_aRequestThatIsAskedTwiceStartsOneRun(t *testing.T) {
	t.Parallel()
	inHouse(t, func(t *testing.T, h *enginetest.House) {
		h.Book("s", secretBook)
		q := engine.StartRequest{Key: "click", Actor: h.Ana, Playbook: "s", Inputs: map[string]any{"token": theSecret}}
		id, err := h.Engine.Start(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		h.Watch(id)
		again, err := h.Engine.Start(t.Context(), q)
		if _, ok := errors.AsType[*engine.DuplicateError](err); !ok || again != id {
			t.Errorf("got %s, %v", again, err)
		}
		if err := h.Engine.Cancel(t.Context(), id, h.Ana, "it was "+theSecret); err != nil {
			t.Fatal(err)
		}
		if run := h.Finish(id); run.Cancel.Reason != "it was ***" {
			t.Errorf("the reason is %q", run.Cancel.Reason)
		}
	})
}

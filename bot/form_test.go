package bot

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/bot/workspace/blockkit"
	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// anyText draws text of any length up to most, of characters that are as wide and as awkward as there are.
func anyText(t *rapid.T, label string, most int) string {
	n := rapid.SampledFrom([]int{0, 1, 5, 74, 75, 76, 149, 150, 151, 300, 2999, 3000, 3001, 4000}).Draw(t, label+" length")
	unit := rapid.SampledFrom([]string{"a", "é", "漢", "🙂", "<&>", "a b\n", "\"", "\u202e", "\x07", "`*_~", " "}).Draw(t, label+" of")
	return cutRunes(strings.Repeat(unit, n), min(n, most))
}

func cutRunes(s string, n int) string {
	if in := []rune(s); len(in) > n {
		return string(in[:n])
	}
	return s
}

// anyInputs draws the inputs of a playbook.
func anyInputs(t *rapid.T) map[string]any {
	out := map[string]any{}
	for i := range rapid.SampledFrom([]int{1, 101, 0, 92, 5}).Draw(t, "inputs") {
		name := fmt.Sprintf("i%d-%s", i, strings.Repeat("n", rapid.SampledFrom([]int{0, 3, 190, 200, 300}).Draw(t, "name")))
		in := map[string]any{
			"type":     rapid.SampledFrom([]string{"String", "Integer", "Float", "Numeric", "Array", "Boolean", "Secret"}).Draw(t, "type"),
			"required": rapid.Bool().Draw(t, "required"), "description": anyText(t, "description", 4000),
		}
		switch kind := in["type"]; {
		case kind == "Secret":
		case kind == "Array" && rapid.Bool().Draw(t, "default"):
			in["default"] = []any{anyText(t, "item", 4000), anyText(t, "item", 100)}
		case kind == "String" && rapid.Bool().Draw(t, "menu"):
			var list []any
			sizes := []int{1, 2, 100, 101}
			if i >= 12 { // enough for a view that is too large with them
				sizes = sizes[:2]
			}
			for range rapid.SampledFrom(sizes).Draw(t, "options") {
				list = append(list, anyText(t, "option", 200)+fmt.Sprint(len(list)))
			}
			in["validation"] = list
			if rapid.Bool().Draw(t, "default") {
				in["default"] = list[len(list)-1]
			}
		case kind == "String" && rapid.Bool().Draw(t, "looked up"):
			in["choices"] = map[string]any{"nodes": "web"}
			in["default"] = anyText(t, "default", 4000)
		case kind == "String" && rapid.Bool().Draw(t, "default"):
			in["default"] = anyText(t, "default", 4000)
		}
		out[name] = in
	}
	return out
}

// Any playbook gets a form that Slack takes, or none: then its inputs can be typed.
func TestModal_isTakenBySlackWhateverTheInputs(t *testing.T) {
	t.Parallel()
	file, err := store.Open(filepath.Join(t.TempDir(), "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	s := &stage{House: enginetest.NewHouse(t, file), books: &shelf{}}
	c, err := commands.New(commands.Deps{Engine: s.Engine, History: file, Books: s.books})
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	rapid.Check(t, func(t *rapid.T) {
		name := fmt.Sprintf("b%d", len(s.books.List()))
		raw, err := json.MarshalIndent(map[string]any{
			"name": name, "version": "1.0.0", "author": "A <a@example.net>", "description": anyText(t, "about", 4000), "run_as": "choria=a.b",
			"inputs": anyInputs(t), "nodes": map[string]any{"web": map[string]any{"type": "list", "nodes": []any{"web1"}}},
			"tasks": []any{map[string]any{"do": map[string]any{"name": "look"}}},
		}, "", " ") // a line for each: the reader of playbooks looks at whole lines
		if err != nil {
			t.Fatal(err)
		}
		book, err := playbooks.Parse(name+".yaml", raw, s.Script.Types())
		if err != nil {
			t.Skipf("not a playbook: %v", err)
		}
		s.books.add(book)
		r := c.Submit(t.Context(), commands.Submission{Key: "k", Actor: s.Ana, Kind: commands.FormChoose, State: "-", Values: map[string][]string{"playbook": {name}}})
		if r.Form == nil {
			t.Fatalf("no form: %s", r.Text())
		}
		r.Form.Problem = anyText(t, "problem", 4000)
		for i := range r.Form.Fields {
			if rapid.Bool().Draw(t, "wrong") {
				r.Form.Fields[i].Error = anyText(t, "error", 4000)
			}
		}
		v, ok := modal(r.Form, stand{Channel: rapid.SampledFrom([]string{"", "C1"}).Draw(t, "where"), Thread: "1.2"})
		if !ok {
			if len(r.Form.Fields) < 80 && rawSize(t, v) < maxViewBytes {
				t.Fatalf("%d fields do not fit", len(r.Form.Fields))
			}
			return
		}
		drawn++
		wantView(t, v)
		for _, f := range r.Form.Fields { // what is offered while somebody types fits too
			if f.Lookup || len(f.Options) > maxOptions {
				found := c.Options(t.Context(), commands.OptionQuery{Actor: s.Ana, Kind: r.Form.Kind, State: r.Form.State, Field: f.ID, Typed: anyText(t, "typed", 4000)})
				wantOptions(t, suggestions(found))
			}
		}
	})
	if drawn == 0 {
		t.Error("no form was drawn; the test says nothing")
	}
}

func rawSize(t *rapid.T, v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return len(raw)
}

func decodedOf(t *rapid.T, v any) map[string]any {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func wantView(t *rapid.T, v any) {
	if bad := blockkit.View(decodedOf(t, v)); bad != nil {
		t.Fatalf("Slack would refuse the view: %s %q", bad.Name, bad.Messages)
	}
}

func wantOptions(t *rapid.T, v any) {
	m := decodedOf(t, v)
	groups, grouped := m["option_groups"].([]any)
	if !grouped {
		options, _ := m["options"].([]any)
		if bad := blockkit.Options(options); bad != nil {
			t.Fatalf("Slack would refuse the options: %q", bad.Messages)
		}
		return
	}
	for _, g := range groups {
		group, _ := g.(map[string]any)
		label, _ := group["label"].(map[string]any)
		options, _ := group["options"].([]any)
		if bad := blockkit.OptionGroup(label, options); bad != nil {
			t.Fatalf("Slack would refuse the group: %q", bad.Messages)
		}
	}
}

func TestModal_ofAForeignFormIsDrawnTheSame(t *testing.T) {
	t.Parallel()
	f := &commands.Form{Kind: commands.FormDeny, State: "x", Title: strings.Repeat("t", 40), Submit: strings.Repeat("s", 40), Fields: []commands.FormField{
		{ID: "a", Label: " ", Kind: "of a later version", Hint: "<!channel>"},
	}}
	v, ok := modal(f, stand{})
	if !ok {
		t.Fatal("not drawn")
	}
	rapid.Check(t, func(t *rapid.T) { wantView(t, v) })
}

// FuzzSubmission: whatever comes for a form is answered once, and starts nothing by itself.
func FuzzSubmission(f *testing.F) {
	f.Add(`{"type":"view_submission","user":{"id":"UANA","team_id":"T1"},"trigger_id":"t","view":{"id":"V","callback_id":"form/run","private_metadata":"{\"s\":\"web/0123\",\"c\":\"C1\"}","state":{"values":{"f.rev":{"f.rev":{"type":"plain_text_input","value":"abc"}}}}}}`)
	f.Add(`{"type":"block_suggestion","user":{"id":"UANA"},"block_id":"f.","value":"x","view":{"callback_id":"form/choose","private_metadata":"{}"}}`)
	f.Add(`{"type":"shortcut","user":{"id":"UANA"},"callback_id":"run_playbook"}`)
	f.Add(`{"type":"view_submission","user":{"id":"UANA"},"view":{"state":{"values":{"f.a":{"x":{"selected_options":[{"value":1}]}}}}}}`)
	f.Add(`{"type":"message_action","user":{"id":"UANA"},"message":7}`)
	f.Fuzz(func(t *testing.T, raw string) {
		got := &acks{}
		r := commands.Reply{Private: true, Code: engine.CodeInvalid, Blocks: []commands.Block{commands.Preformatted{Text: "no"}}}
		lone(t, answers{reply: r}).handle(t.Context(), got, frame{Type: "interactive", EnvelopeID: "e", Payload: json.RawMessage(raw)})
		if len(got.list) != 1 {
			t.Errorf("acked %d times: %q", len(got.list), got.list)
		}
	})
}

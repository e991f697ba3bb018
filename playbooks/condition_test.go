package playbooks_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/playbooks"
)

// asker is a vocabulary whose one task type has a condition.
type asker struct{ anything }

func (asker) Task(typ string, p *playbooks.Properties) error {
	p.Condition("expect")
	if err := p.Err(); err != nil {
		return err
	}
	return known(typ)
}

// expects is the condition of a task, rendered as an attempt would, through the log and back.
func expects(t *testing.T, condition string, s playbooks.Scope) (*playbooks.Condition, map[string]any) {
	t.Helper()
	book, err := playbooks.Parse("b.yaml", []byte(declared+"tasks:\n  - any: {expect: '"+condition+"'}\n"), asker{})
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	p, err := playbooks.Rendered(book.Tasks[0].Properties, t.Context(), s, playbooks.Special{Conditions: []string{"expect"}})
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	data, err := json.Marshal(p.Values())
	if err != nil {
		t.Fatal(err)
	}
	var sealed map[string]any
	if err := json.Unmarshal(data, &sealed); err != nil {
		t.Fatal(err)
	}
	p = playbooks.FromMap(sealed)
	c := p.Condition("expect")
	if err := p.Err(); err != nil || c == nil {
		t.Fatalf("%s: the sealed condition %s cannot be read: %v", condition, data, err)
	}
	return c, sealed
}

func TestCondition_holds_a_reply_to_what_the_run_knew(t *testing.T) {
	t.Parallel()
	reply := map[string]any{"sender": "web1", "statuscode": 0, "statusmsg": "OK", "data": map[string]any{
		"status": "running", "version": "hello", "lag": 3.0, "list": []any{"a", "b"}, "mounts": map[string]any{"/var": 71.0},
	}}
	for condition, want := range map[string]bool{
		`data.status == "running"`:              true,
		`data.status == "stopped"`:              false,
		`data.lag < 5 && statuscode == 0`:       true,
		`data.version == inputs.text`:           true,
		`data.version == input.text`:            true,
		`data.lag == inputs.int`:                false,
		`"a" in data.list`:                      true,
		`data.mounts["/var"] < 80`:              true,
		`data.absent == nil`:                    true,
		`sender in nodes.web`:                   true,
		`sender == nodes.web[1]`:                false,
		`statusmsg startsWith "O"`:              true,
		`tasks.first.ran or metadata.name=="b"`: true,
		`len(nodes.web) > 1`:                    true,
		`date("%Y") >= "2017"`:                  true,
		`elapsed_time >= 0`:                     true,
		`{{ data.lag == 3 }}`:                   true,
	} {
		c, _ := expects(t, condition, scope())
		got, err := c.Holds(t.Context(), reply)
		if err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", condition, got, err, want)
		}
	}
}

func TestCondition_fails_on_a_reply_that_it_cannot_be_asked_of(t *testing.T) {
	t.Parallel()
	for _, condition := range []string{`data.a.b.c > 1`, `data.status > 5`, `data.status`} {
		c, _ := expects(t, condition, scope())
		if holds, err := c.Holds(t.Context(), map[string]any{"sender": "web1", "statuscode": 0, "statusmsg": "", "data": map[string]any{"status": "running"}}); holds || err == nil {
			t.Errorf("%s: got %t and no error", condition, holds)
		}
	}
}

// What a condition reads of the run is bound when it is rendered, and only that: an approver sees it,
// and a value is never read as an expression.
func TestCondition_binds_values_and_never_reads_them(t *testing.T) {
	t.Parallel()
	const hostile = `x" || true || "`
	s := scope()
	s.Input = func(context.Context, string) (any, error) { return hostile, nil }
	c, sealed := expects(t, "data.version == inputs.text && sender in nodes.web", s)
	want := map[string]any{"expect": map[string]any{
		"if":   "data.version == inputs.text && sender in nodes.web",
		"with": map[string]any{"inputs": map[string]any{"text": hostile}, "nodes": map[string]any{"web": []any{"web1", "web2"}}},
	}}
	if diff := cmp.Diff(want, sealed); diff != "" {
		t.Errorf("sealed (-want +got):\n%s", diff)
	}
	reply := map[string]any{"sender": "web1", "statuscode": 0, "statusmsg": "", "data": map[string]any{"version": "x"}}
	if holds, err := c.Holds(t.Context(), reply); holds || err != nil {
		t.Errorf("got %t (%v): the value became part of the expression", holds, err)
	}
	if c.Source() != "data.version == inputs.text && sender in nodes.web" {
		t.Errorf("the source is %q", c.Source())
	}
	_, sealed = expects(t, "data.lag < 5", s)
	if diff := cmp.Diff(map[string]any{"expect": "data.lag < 5"}, sealed); diff != "" {
		t.Errorf("a condition about the reply alone stays as it is (-want +got):\n%s", diff)
	}
}

func TestCondition_that_reads_a_missing_input_is_an_error_when_it_is_rendered(t *testing.T) {
	t.Parallel()
	book, err := playbooks.Parse("b.yaml", []byte(declared+"tasks:\n  - any: {expect: data.a == inputs.broken}\n"), asker{})
	if err != nil {
		t.Fatal(err)
	}
	s := playbooks.Scope{Started: time.Now(), Input: inputFrom(map[string]any{"broken": errStore})}
	if _, err := playbooks.Rendered(book.Tasks[0].Properties, t.Context(), s, playbooks.Special{Conditions: []string{"expect"}}); err == nil {
		t.Error("got no error")
	}
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{"data.a == 1", "inputs.text in data.list", "wave.nodes", "sender", "{{ a }}", "data[", "\"", "nodes.web == nodes"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p := playbooks.FromMap(map[string]any{"expect": source})
		c := p.Condition("expect")
		if c == nil {
			return
		}
		// Whatever it is, it ends without a panic.
		_, _ = c.Holds(t.Context(), map[string]any{"data": map[string]any{"a": 1.0}, "sender": "web1", "statuscode": 0, "statusmsg": "OK"})
	})
}

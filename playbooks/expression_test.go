package playbooks_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

func when(t *testing.T, condition string) *playbooks.Expression {
	t.Helper()
	book := parse(t, declared+"tasks:\n  - any:\n      when: "+condition+"\n")
	return book.Tasks[0].When
}

func TestWhen_is_a_condition(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		"true": true, "false": false, `"true"`: true,
		"tasks.first.ran && !tasks.first.success":          true,
		`"{{ tasks.first.ran }}"`:                          true,
		`"{{ inputs.bool }}"`:                              true,
		`inputs.text == "hello"`:                           true,
		`'inputs["web-tier"] in ["alfa", "bravo"]'`:        true,
		`'"web1" in nodes.web'`:                            true,
		"len(nodes.none) > 0":                              false,
		"elapsed_time > 60":                                true,
		"previous_task.success":                            false,
		`failed_task.msg contains "No failed"`:             true,
		`'date("%Y") == "2017" && utc_date("%H") == "08"'`: true,
		`metadata.name startsWith "bo"`:                    true,
	} {
		got, err := when(t, condition).Bool(t.Context(), scope())
		if err != nil || got != want {
			t.Errorf("%s: got %t (%v), want %t", condition, got, err, want)
		}
	}
	if got := when(t, "tasks.first.ran").Source(); got != "tasks.first.ran" {
		t.Errorf("got source %q, want it as written", got)
	}
}

func TestWhen_that_gives_no_truth_value_is_an_error(t *testing.T) {
	t.Parallel()
	for _, condition := range []string{"run.id", "metadata.version", "tasks.first.data"} {
		_, err := when(t, condition).Bool(t.Context(), scope())
		if err == nil || !strings.Contains(err.Error(), condition) {
			t.Errorf("%s: got %v, want an error that quotes it", condition, err)
		}
	}
}

func TestExpressions_resolve_only_the_inputs_they_read(t *testing.T) {
	t.Parallel()
	s := scope()
	s.Input = inputFrom(map[string]any{"text": "hello", "broken": errStore})
	if ok, err := when(t, `inputs.text == "hello"`).Bool(t.Context(), s); err != nil || !ok {
		t.Errorf("got %t (%v), want true without asking for other inputs", ok, err)
	}
	for _, all := range []string{`len(inputs) > 0`, `inputs["bro" + "ken"] == ""`, `inputs.broken == ""`} {
		if _, err := when(t, "'"+all+"'").Bool(t.Context(), s); !errors.Is(err, errStore) {
			t.Errorf("%s: got %v, want the error of the store", all, err)
		}
	}
}

func TestExpressions_that_would_exhaust_the_machine_are_refused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{strings.Repeat("(", 100_000), strings.Repeat("-", 100_000) + "1", strings.Repeat("!", 5000) + "true"} {
		if _, err := taskValue(t, `"{{ `+body+` }}"`); err == nil {
			t.Errorf("%.10s…: got no problem, want one", body)
		}
	}
	start := time.Now()
	if _, err := mustValue(t, `"{{ len(1..1000000000) }}"`).Render(t.Context(), scope()); err == nil {
		t.Error("got a value, want an error of the memory budget")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestExpressions_take_whole_numbers_that_went_through_JSON(t *testing.T) {
	t.Parallel()
	s := scope()
	s.Input = inputFrom(map[string]any{"int": 5.0})
	for _, condition := range []string{"inputs.int == 5", "inputs.int + 1 == 6", "inputs.int > 4", "inputs.int in [5]", "inputs.int % 2 == 1"} {
		if got, err := when(t, condition).Bool(t.Context(), s); err != nil || !got {
			t.Errorf("%s: got %t (%v), want true", condition, got, err)
		}
	}
	in, _ := book(t, "i: {type: Integer}").Input("i")
	if err := in.Check(5.0); err != nil {
		t.Errorf("got %v, want 5.0 of a JSON store to be the integer 5", err)
	}
}

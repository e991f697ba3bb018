package playbooks_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// book is a book with the inputs given, which are YAML.
func book(t *testing.T, inputs string) *playbooks.Playbook {
	t.Helper()
	return parse(t, head+"data_stores:\n  mem: {type: any}\ninputs:\n  "+strings.ReplaceAll(inputs, "\n", "\n  ")+"\n")
}

func TestBind_converts_what_a_person_typed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		input string // of the type
		typed any
		want  any    // nil: refused,
		why   string // with this in the sentence
	}{
		{"String", "5", "5", ""},
		{"String", "", "", ""},
		{"String", []any{"a", "b"}, nil, "given 2 times"},
		{"Integer", "5", 5, ""},
		{"Integer", "-5", -5, ""},
		{"Integer", "5.5", nil, "not a whole number"},
		{"Integer", "9223372036854775808", nil, "not a whole number"},
		{"Fixnum", "0", 0, ""},
		{"Float", "5", 5.0, ""},
		{"Float", "5.5", 5.5, ""},
		{"Float", "nan", nil, "not a number"},
		{"Numeric", "5", 5, ""},
		{"Numeric", "5.5", 5.5, ""},
		{"Numeric", "inf", nil, "not a number"},
		{"Numeric", "five", nil, "not a number"},
		{"Boolean", "true", true, ""},
		{"Boolean", "no", false, ""},
		{"Boolean", "ON", true, ""},
		{"Boolean", "1", nil, "neither true nor false"},
		{"Array", "a", []any{"a"}, ""},
		{"Array", []any{"a", "b"}, []any{"a", "b"}, ""},
		{`":bool"`, "false", false, ""},
		{`":array"`, "a", []any{"a"}, ""},
		{`":string"`, "a", "a", ""},
	}
	for _, tt := range tests {
		b := book(t, "x: {type: "+tt.input+"}")
		got, err := b.Bind(map[string]any{"x": tt.typed}, true)
		switch {
		case tt.want == nil && (err == nil || !strings.Contains(err.Error(), tt.why)):
			t.Errorf("%s from %v: got %v (%v), want an error with %q", tt.input, tt.typed, got, err, tt.why)
		case tt.want != nil && !reflect.DeepEqual(got["x"], tt.want):
			t.Errorf("%s from %v: got %#v (%v), want %#v", tt.input, tt.typed, got["x"], err, tt.want)
		}
	}
}

func TestBind_takes_values_that_went_through_JSON(t *testing.T) {
	t.Parallel()
	b := book(t, "i: {type: Integer}\nn: {type: Numeric}\nf: {type: Float}\nb: {type: Boolean}\na: {type: Array}\ns: {type: String}")
	var given map[string]any
	if err := json.Unmarshal([]byte(`{"i": 5, "n": 5.5, "f": 5, "b": false, "a": ["x"], "s": "y"}`), &given); err != nil {
		t.Fatal(err)
	}
	got, err := b.Bind(given, false)
	want := map[string]any{"i": 5, "n": 5.5, "f": 5.0, "b": false, "a": []any{"x"}, "s": "y"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v (%v), want %#v", got, err, want)
	}
	for name, value := range map[string]any{"i": 5.5, "b": "true", "s": 5, "a": "x", "n": "5", "f": true} {
		if _, err := b.Bind(map[string]any{name: value}, false); err == nil || !strings.Contains(err.Error(), "is not of type") {
			t.Errorf("%s = %#v: got %v, want a refusal of the type", name, value, err)
		}
	}
}

func TestBind_asks_for_presence_not_truth(t *testing.T) {
	t.Parallel()
	b := book(t, strings.Join([]string{
		"required: {type: Boolean, description: Whether to}",
		"defaulted: {type: Integer, default: 7}",
		"falsy: {type: Boolean, default: false}",
		"optional: {type: String, required: false}",
		"optional_default: {type: String, required: false, default: x}",
		"bound: {type: String, data: mem/a, default: y}",
		"unbound: {type: String, data: mem/b}",
		"dynamic: {type: String, data: mem/c, dynamic: true}",
	}, "\n"))
	got, err := b.Bind(map[string]any{"required": false}, false)
	want := map[string]any{"required": false, "defaulted": 7, "falsy": false, "optional_default": "x"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v (%v), want %v: what is bound is left to its store", got, err, want)
	}
	got, err = b.Bind(map[string]any{"required": true, "bound": "given", "defaulted": 0}, false)
	if err != nil || got["bound"] != "given" || got["defaulted"] != 0 {
		t.Errorf("got %v (%v), want the values given", got, err)
	}
	for _, given := range []map[string]any{{}, {"required": nil}} {
		if _, err := b.Bind(given, false); err == nil || !strings.Contains(err.Error(), `input "required" is missing (Whether to); add required=…`) {
			t.Errorf("got %v, want that it is missing", err)
		}
	}
}

func TestBind_says_everything_that_is_wrong_at_once(t *testing.T) {
	t.Parallel()
	b := book(t, "tier: {type: String, validation: [alfa, bravo]}\nrev: {type: String}\ncount: {type: Integer}\ndyn: {type: String, dynamic: true, data: mem/x}")
	_, err := b.Bind(map[string]any{"teir": "bravo", "tier": "charlie", "count": "many", "dyn": "x"}, true)
	problems, ok := errors.AsType[*playbooks.Problems](err)
	if !ok {
		t.Fatalf("got %v, want problems", err)
	}
	want := strings.Join([]string{
		`input "dyn" cannot be given; it is always read from mem/x; change the value in the store`,
		`unknown input "teir"; did you mean "tier"?`,
		`input "tier": "charlie" is not one of alfa, bravo; give one of alfa, bravo`,
		`input "rev" is missing (String); add rev=…`,
		`input "count": "many" is not a whole number; give a value of type Integer`,
	}, "\n")
	if problems.Error() != want {
		t.Errorf("got:\n%s\nwant:\n%s", problems.Error(), want)
	}
	if got := problems.Short(2); !strings.HasSuffix(got, "… and 3 more") {
		t.Errorf("got %q, want two and the number of the others", got)
	}
}

func TestValidators_accept_what_they_say(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typ, validation string
		good, bad       []any
	}{
		{"String", `":string"`, []any{"", "a"}, nil},
		{"Integer", `":integer"`, []any{5}, nil},
		{"Numeric", `":integer"`, []any{5}, []any{5.5}},
		{"Numeric", `":float"`, []any{5.5}, []any{5}},
		{"Numeric", `":number"`, []any{5, 5.5}, nil},
		{"Boolean", `":boolean"`, []any{true, false}, nil},
		{
			"String", `":shellsafe"`,
			[]any{"", "web1.example.net", "a b", "a-b_c/d:e=f,g@h%i+j", "é", "(a)", "-x"},
			[]any{"`", "$", ";", "|", "&", "a&b", "&&", ">", "<", "'", `"`, `\`, "a\nb", "\r", "\x00", "$(id)", "a;b"},
		},
		{
			"String", `":ipv4address"`,
			[]any{"192.168.1.1", "0.0.0.0"},
			[]any{"", "256.1.1.1", "1.1.1", "::1", "1.1.1.1/24", " 1.1.1.1", "1.1.1.1\n", "01.1.1.1"},
		},
		{
			"String", `":ipv6address"`,
			[]any{"::1", "2001:db8::1", "::ffff:1.2.3.4"},
			[]any{"", "1.1.1.1", "2001:db8::g", "::1/64", "fe80::1%eth0", "::1%$(id)"},
		},
		{"String", `'/\A[a-z]+\z/'`, []any{"abc"}, []any{"", "abc\n", "ABC", "a1"}},
		{"String", `/b/`, []any{"abc"}, []any{"ac", ""}},
		{"String", `b`, []any{"abc"}, []any{"ac"}},
		{"String", `/b/i`, []any{"a/b/i"}, []any{"B", "b"}}, // not a pattern with a flag, as in 2017
		{"String", `[alfa, bravo]`, []any{"alfa"}, []any{"", "Alfa", "alfa, bravo"}},
		{"Integer", `[1, 2]`, []any{1}, []any{3}},
		{"Array", `[a, b]`, []any{[]any{}, []any{"a"}, []any{"b", "a"}}, []any{[]any{"a", "c"}}},
		{"Array", `":shellsafe"`, []any{[]any{"a"}}, []any{[]any{"a", "$(id)"}, []any{1}}},
		{"Array", `[[a], [b]]`, []any{[]any{"a"}}, []any{[]any{"c"}}},
	}
	for _, tt := range tests {
		b := book(t, "x: {type: "+tt.typ+", validation: "+tt.validation+"}")
		for _, v := range tt.good {
			if _, err := b.Bind(map[string]any{"x": v}, false); err != nil {
				t.Errorf("%s: %#v: got %v, want it accepted", tt.validation, v, err)
			}
		}
		for _, v := range tt.bad {
			if _, err := b.Bind(map[string]any{"x": v}, false); err == nil {
				t.Errorf("%s: %#v: got it accepted, want a refusal", tt.validation, v)
			}
		}
	}
}

func TestInput_describes_its_validator(t *testing.T) {
	t.Parallel()
	b := book(t, "a: {type: String, validation: [x, y]}\nb: {type: String}\nc: {type: String, validation: /z/}\nd: {type: String, validation: \":shellsafe\"}")
	for name, want := range map[string]string{"a": "one of x, y", "b": "", "c": "text that matches /z/", "d": "text without"} {
		in, ok := b.Input(name)
		if got := in.Validation.Describe(); !ok || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if in, _ := b.Input("a"); !reflect.DeepEqual(in.Validation.Choices(), []any{"x", "y"}) {
		t.Errorf("got %v, want the choices", in.Validation.Choices())
	}
	if _, ok := b.Input("z"); ok {
		t.Error("got an input that is not declared")
	}
}

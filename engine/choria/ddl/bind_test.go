package ddl_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria/ddl"
)

// one is an action with one input x, optional.
func one(t *testing.T, input string) *ddl.Action {
	t.Helper()
	return parse(t, `"input": {"x": {"optional": true, `+input+`}}`).Actions["go"]
}

func TestBind_convertsToTheTypeOfTheInput(t *testing.T) {
	t.Parallel()
	const choices = `"type": "list", "list": ["drain", "5"]`
	for _, row := range []struct {
		input     string
		value     any
		want      any
		wantError string // part of the message, when it is refused
	}{
		{`"type": "string"`, "a", "a", ""},
		{`"type": "string"`, 5, "5", ""},
		{`"type": "string"`, 0.25, "0.25", ""},
		{`"type": "string"`, true, "true", ""},
		{`"type": "string"`, []any{"a"}, nil, "a list is no text"},
		{`"type": "string", "maxlength": 3`, "äb", "äb", ""},
		{`"type": "string", "maxlength": 3`, "abcd", nil, "a text of 4 bytes is too long"},
		{`"type": "string", "validation": "^[a-z]+$"`, "abc", "abc", ""},
		{`"type": "string", "validation": "^[a-z]+$"`, "abc\nrm", nil, `"abc\nrm" is refused`},
		{`"type": "integer"`, "5", int64(5), ""},
		{`"type": "int"`, 5.0, int64(5), ""},
		{`"type": "Integer"`, 5, int64(5), ""},
		{`"type": "integer"`, 5.5, nil, "5.5 is no whole number"},
		{`"type": "integer"`, "5.0", nil, `"5.0" is no whole number`},
		{`"type": "integer"`, 1e300, nil, "is no whole number"},
		{`"type": "integer"`, true, nil, "true is no whole number"},
		{`"type": "float"`, 5, 5.0, ""},
		{`"type": "float"`, "0.5", 0.5, ""},
		{`"type": "float"`, "NaN", nil, "is no number"},
		{`"type": "float"`, "inf", nil, "is no number"},
		{`"type": "number"`, "5", int64(5), ""},
		{`"type": "number"`, "5.5", 5.5, ""},
		{`"type": "number"`, "x", nil, `"x" is no number`},
		{`"type": "boolean"`, "yes", true, ""},
		{`"type": "boolean"`, "FALSE", false, ""},
		{`"type": "boolean"`, false, false, ""},
		{`"type": "boolean"`, "maybe", nil, `"maybe" is not true or false`},
		{`"type": "boolean"`, 1, nil, "1 is not true or false"},
		{choices, "drain", "drain", ""},
		{choices, 5, "5", ""},
		{choices, "Drain", nil, `"Drain" is not among its values`},
		{`"type": "Array"`, []any{"a"}, []any{"a"}, ""},
		{`"type": "array"`, []string{"a"}, []any{"a"}, ""},
		{`"type": "array"`, `["a", 1]`, []any{"a", 1.0}, ""},
		{`"type": "array"`, "a", nil, `"a" is no list`},
		{`"type": "array"`, "null", nil, "is no list"},
		{`"type": "Hash"`, map[string]any{"a": 1}, map[string]any{"a": 1}, ""},
		{`"type": "hash"`, `{"a": 1}`, map[string]any{"a": 1.0}, ""},
		{`"type": "hash"`, "null", nil, "is no mapping"},
		{`"type": ""`, []any{1}, []any{1}, ""},
	} {
		values, flaws := one(t, row.input).Bind(map[string]any{"x": row.value})
		switch {
		case row.wantError == "" && (len(flaws) != 0 || !reflect.DeepEqual(values["x"], row.want)):
			t.Errorf("%s: %#v became %#v: %v", row.input, row.value, values["x"], flaws)
		case row.wantError != "" && (len(flaws) != 1 || !strings.Contains(flaws[0].Message, row.wantError) || flaws[0].Remedy == ""):
			t.Errorf("%s: %#v is answered by %v, not %s", row.input, row.value, flaws, row.wantError)
		}
	}
}

func TestBind_holdsTextToItsValidation(t *testing.T) {
	t.Parallel()
	for validation, row := range map[string]struct{ good, bad []string }{
		"shellsafe":   {[]string{"a b", "a & b", "é\n"}, []string{"`a`", "$a", "a;b", "a|b", "a&&b", "a>b", "a<b"}},
		"ipv4address": {[]string{"10.0.0.1"}, []string{"10.0.0", "::1", "10.0.0.1/8", ""}},
		"ipv6address": {[]string{"::1", "fe80::1"}, []string{"10.0.0.1", "fe80::1%eth0", "x"}},
		"ipaddress":   {[]string{"::1", "10.0.0.1"}, []string{"localhost", "fe80::1%eth0"}},
	} {
		a := one(t, fmt.Sprintf(`"type": "string", "validation": %q`, validation))
		for _, s := range row.good {
			if _, flaws := a.Bind(map[string]any{"x": s}); len(flaws) > 0 {
				t.Errorf("%s refuses %q: %v", validation, s, flaws)
			}
		}
		for _, s := range row.bad {
			if _, flaws := a.Bind(map[string]any{"x": s}); len(flaws) != 1 {
				t.Errorf("%s accepts %q", validation, s)
			}
		}
	}
}

func TestBind_addsDefaultsAndMissesWhatMustBeThere(t *testing.T) {
	t.Parallel()
	upgrade := load(t).Newest("appmgr").Actions["upgrade"]
	values, flaws := upgrade.Bind(map[string]any{"revision": "abc", "listen": nil})
	want := map[string]any{"revision": "abc", "force": false, "share": 1.0}
	if len(flaws) != 0 || !reflect.DeepEqual(values, want) {
		t.Errorf("it gives %v: %v", values, flaws)
	}
	for name, given := range map[string]map[string]any{"left out": {}, "nothing": {"revision": nil}} {
		_, flaws = upgrade.Bind(given)
		if len(flaws) != 1 || flaws[0] != (ddl.Flaw{
			Input: "revision", Message: "input revision of appmgr.upgrade is missing", Remedy: "add revision: … (the revision to run)",
		}) {
			t.Errorf("%s: it says %v", name, flaws)
		}
	}
	if _, flaws = upgrade.Bind(nil, "revision"); len(flaws) != 0 {
		t.Errorf("what comes later is missed: %v", flaws)
	}
}

func TestBind_leavesTheCallersValuesAlone(t *testing.T) {
	t.Parallel()
	given := map[string]any{"revision": 7}
	load(t).Newest("appmgr").Actions["upgrade"].Bind(given)
	if !reflect.DeepEqual(given, map[string]any{"revision": 7}) {
		t.Errorf("they became %v", given)
	}
}

func TestBind_suggestsForUnknownInputs(t *testing.T) {
	t.Parallel()
	x := load(t)
	for _, row := range []struct {
		agent, action, input, remedy string
	}{
		{"puppet", "disable", "mesage", `did you mean "message"?`},
		{"haproxy", "disable", "zzzzzzz", "it has: backend, mode, server, servers"},
		{"puppet", "enable", "message", "leave it out: the action takes none"},
	} {
		a := x.Newest(row.agent).Actions[row.action]
		for name, bind := range map[string]func() (map[string]any, []ddl.Flaw){
			"now":   func() (map[string]any, []ddl.Flaw) { return a.Bind(map[string]any{row.input: "a", "backend": "b"}) },
			"later": func() (map[string]any, []ddl.Flaw) { return a.Bind(map[string]any{"backend": "b"}, row.input) },
		} {
			_, flaws := bind()
			found := false
			for _, f := range flaws {
				found = found || f.Input == row.input && f.Remedy == row.remedy && strings.Contains(f.Message, "has no input")
			}
			if !found {
				t.Errorf("%s: %s.%s says of %s: %v", name, row.agent, row.action, row.input, flaws)
			}
		}
	}
}

func TestBind_doesNotRepeatLongTexts(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("hunter2", 10)
	_, flaws := one(t, `"type": "integer"`).Bind(map[string]any{"x": secret})
	if len(flaws) != 1 || strings.Contains(flaws[0].Message, "hunter2") {
		t.Errorf("it says %v", flaws)
	}
}

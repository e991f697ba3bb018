package playbooks_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

func TestSecret_isRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		given any
		want  string // empty: taken as it is
	}{
		{"hunter2", ""},
		{"k3y!", ""},
		{"äöüß", ""},
		{" a b  c d ", ""},
		{"5555", ""},
		{"a\nb\"c", ""},
		{strings.Repeat("x", playbooks.MaxSecret), ""},
		{strings.Repeat("x", playbooks.MaxSecret+1), "more than 65536 bytes"},
		{"abc", "fewer than 4 characters"},
		{"äöü", "fewer than 4 characters"},
		{"  abc\n\n", "fewer than 4 characters"},
		{"", "fewer than 4 characters"},
		{"*****", "consists of *"},
		{"hunter2\xff", "not text in UTF-8"},
		{[]any{"hunter2", "hunter3"}, "given 2 times"},
		{map[string]any{"hunter2": 1}, "not text"},
		{7777777, "not text"},
		{true, "not text"},
	} {
		got, err := book(t, "x: {description: X, type: Secret}").Bind(map[string]any{"x": row.given}, true)
		switch {
		case row.want == "" && (err != nil || got["x"] != row.given):
			t.Errorf("%.40v: got %.40v, %v", row.given, got["x"], err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "7777")):
			t.Errorf("%.40v: got %v, want %q", row.given, err, row.want)
		}
	}
}

func TestSecret_thatIsNotValidIsNotRepeated(t *testing.T) {
	t.Parallel()
	for validation, secret := range map[string]string{`":shellsafe"`: "hunter2;rm", `"/^[a-z]+$/"`: "hunter2", `":integer"`: "hunter2"} {
		_, err := book(t, "x: {description: X, type: Secret, validation: "+validation+"}").Bind(map[string]any{"x": secret}, true)
		if err == nil || strings.Contains(err.Error(), "hunter") || !strings.Contains(err.Error(), "it is not ") {
			t.Errorf("%s: got %v", validation, err)
		}
	}
}

func TestSecret_thatIsMissingIsNotTyped(t *testing.T) {
	t.Parallel()
	_, err := book(t, "x: {description: X, type: Secret}").Bind(nil, true)
	if err == nil || !strings.Contains(err.Error(), `input "x" is missing`) || strings.Contains(err.Error(), "x=") {
		t.Errorf("got %v", err)
	}
}

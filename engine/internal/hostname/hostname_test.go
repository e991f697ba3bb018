package hostname_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/internal/hostname"
)

func TestValid_knowsNamesOfMachines(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"node1": true, "example.net": true, "web-1.example.net": true, "10.0.0.1": true, "X.Y": true, "a--b": true,
		"": false, ".": false, "a.": false, ".a": false, "a..b": false, "-a": false, "a-": false, "a.-b": false,
		"a b": false, " a": false, "a\n": false, "a_b": false, "ä": false, "a;id": false, "--state": false,
		strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 126) + "aa": false,
	} {
		if got := hostname.Valid(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

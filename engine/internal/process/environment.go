package process

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// Environment is small and known: what programs need to find their way, LC_ALL=C, then what is
// given. Nothing else of playbot's own environment, which holds its secrets, is passed on.
func Environment(given map[string]string) []string {
	env := map[string]string{"LC_ALL": "C"}
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	maps.Copy(env, given)
	out := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		out = append(out, k+"="+env[k])
	}
	return out
}

// Variables reads the property `environment`.
func Variables(p *playbooks.Properties) map[string]string {
	given := p.StringMap("environment")
	for k, v := range given {
		if k == "" || strings.ContainsAny(k, "=\x00") {
			p.Problem("environment", "%q cannot be the name of a variable", k)
		}
		if strings.ContainsRune(v, 0) {
			p.Problem("environment", "the value of %s cannot hold a zero byte", k)
		}
	}
	return given
}

// Variable writes a value as a variable holds it, and as a template does: a number in full, never
// as 1e+06. What is a list, a mapping or nothing has no such text.
func Variable(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool, int, int64, uint64:
		return fmt.Sprint(v), true
	}
	return "", false
}

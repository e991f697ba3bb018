package playbooks_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// hostile are values that do something else when a shell reads them as text.
func hostile() []string {
	return []string{
		"", " ", "a b", "'", `"`, "`id`", "$(id)", "${HOME}", "$HOME", `\`, `\\`, `\'`, `'"'"'`, "*", "?", "[a-z]*", "~", "#", "a#b",
		";id", "|id", "&id", "&&id", ">x", "<x", "$((1+1))", "a[$(id)]", "-n", "--", "-e \\n", "!", "!!", "{a,b}", "é😀", "\t", "a\nb", "\n",
		"'; id; '", `"; id; "`, "$1", "${1}", "${playbot_1}", "playbot_1", "%s%n", "\r", "\x01", "EOF", ")", "(", "))", "{{ inputs.text }}", "$'\\n'",
	}
}

// shells are /bin/sh and, unless tests are to be short, the other shells of this machine.
func shells(t *testing.T) []string {
	t.Helper()
	out := []string{"/bin/sh"}
	for _, name := range []string{"bash", "dash", "ksh"} {
		path, err := exec.LookPath(name)
		if err == nil && !testing.Short() && !sameFile(path, "/bin/sh") {
			out = append(out, path)
		}
	}
	return out
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

func TestShell_values_reach_a_real_shell_as_they_are(t *testing.T) {
	t.Parallel()
	// Each prints the value between < and >.
	places := map[string]string{
		"bare":                     `printf '<%s>' {{ inputs.hostile }}`,
		"in double quotes":         `printf '<%s>' "{{ inputs.hostile }}"`,
		"in single quotes":         `printf '<%s>' '{{ inputs.hostile }}'`,
		"beside text":              `printf '%s' '<'{{ inputs.hostile }}">"`,
		"among single quotes":      `printf %s '<{{ inputs.hostile }}>'`,
		"in $( )":                  `x="$(printf '<%s.' {{ inputs.hostile }})"; printf '%s>' "${x%.}"`,
		"in $( ) in single quotes": `x="$(printf '<%s.' '{{ inputs.hostile }}')"; printf '%s>' "${x%.}"`,
		"in brackets in $( )":      `x=$( (printf '<%s.' "{{ inputs.hostile }}") ); printf '%s>' "${x%.}"`,
		"assigned":                 `x={{ inputs.hostile }}; printf '<%s>' "$x"`,
		"to a command":             `X={{ inputs.hostile }} sh -c 'printf "<%s>" "$X"'`,
		"in a function":            `f() { printf '<%s>' {{ inputs.hostile }}; }; f other`,
		"after set":                `set -- other; shift; printf '<%s>' {{ inputs.hostile }}`,
		"after arithmetic":         `x=$(( (1 + (2 * (3))) << 1 )); printf '<%s>' {{ inputs.hostile }}`,
		"after an expansion":       `x=${HOME:-'}'}; printf '<%s>' "{{ inputs.hostile }}"`,
		"after a comment":          "# it's a comment: {{ inputs.text }}\nprintf '<%s>' {{ inputs.hostile }}",
		"after a hash in a word":   `echo a#'b' >/dev/null; printf '<%s>' {{ inputs.hostile }}`,
		"after escaped quotes":     `echo \' \" "\"'" >/dev/null; printf '<%s>' {{ inputs.hostile }}`,
		"as the tenth":             `: {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}} {{inputs.int}}; printf '<%s>' "{{ inputs.hostile }}"`,
		"in case":                  `case {{ inputs.hostile }} in *) printf '<%s>' {{ inputs.hostile }};; esac`,
		"in test":                  `[ {{ inputs.hostile }} = "{{ inputs.hostile }}" ] && printf '<%s>' {{ inputs.hostile }}`,
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := mustValue(t, "|-\n  "+strings.ReplaceAll(place, "\n", "\n  "))
			if err := v.CheckShell(); err != nil {
				t.Fatalf("got %v, want a place that is safe", err)
			}
			for _, shell := range shells(t) {
				for _, value := range hostile() {
					if got := runShell(t, shell, v, value); got != "<"+value+">" {
						t.Errorf("%s: got %q, want %q", shell, got, "<"+value+">")
					}
				}
			}
		})
	}
}

func runShell(t *testing.T, shell string, v playbooks.Value, value string) string {
	t.Helper()
	s := scope()
	s.Input = inputFrom(map[string]any{"hostile": value})
	argv, ok, err := v.Shell(t.Context(), s)
	if err != nil || !ok {
		t.Fatalf("got %t, %v, want an argument list", ok, err)
	}
	args := make([]string, 0, len(argv))
	for _, a := range argv[1:] {
		args = append(args, a.(string))
	}
	cmd := exec.CommandContext(t.Context(), shell, args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s with %q: %v: %s", shell, value, err, out)
	}
	return string(out)
}

func TestShell_refuses_places_where_no_quoting_is_safe(t *testing.T) {
	t.Parallel()
	for _, place := range []string{
		"echo `echo {{ inputs.hostile }}`", `echo \{{ inputs.hostile }}`, "cat <<X\n{{ inputs.hostile }}\nX",
		"echo $(( {{ inputs.hostile }} ))", "echo $(( a[0] + {{ inputs.hostile }} ))", "echo $(((1)+(2*(3))+{{ inputs.hostile }}))",
		"(( {{ inputs.hostile }} ))", "echo $[ a[0] + {{ inputs.hostile }} ]", "echo ${x:{{ inputs.hostile }} }", `echo "${x:-{{ inputs.hostile }} }"`,
		"[[ {{ inputs.hostile }} -eq 1 ]]", "[[ a[b[0]] -eq {{ inputs.hostile }} ]]", `echo "$(( {{ inputs.hostile }} ))"`,
	} {
		v := mustValue(t, "|-\n  "+strings.ReplaceAll(place, "\n", "\n  "))
		if err := v.CheckShell(); err == nil || !strings.Contains(err.Error(), "safely") {
			t.Errorf("%s: got %v, want a refusal", place, err)
		}
		if argv, ok, err := v.Shell(t.Context(), scope()); err == nil || !ok {
			t.Errorf("%s: got %v, want an error", place, argv)
		}
	}
}

func TestShell_leaves_what_has_no_templates(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"echo $HOME", `[echo, "{{ inputs.text }}"]`, "5"} {
		v := mustValue(t, text)
		argv, ok, err := v.Shell(t.Context(), scope())
		if argv != nil || ok || err != nil || v.CheckShell() != nil {
			t.Errorf("%s: got %v, %t, %v, want nothing", text, argv, ok, err)
		}
	}
}

func TestShell_refuses_zero_bytes_and_failing_templates(t *testing.T) {
	t.Parallel()
	s := scope()
	s.Input = inputFrom(map[string]any{"hostile": "a\x00b", "broken": errStore})
	if _, _, err := mustValue(t, `"echo {{ inputs.hostile }}"`).Shell(t.Context(), s); err == nil || !strings.Contains(err.Error(), "zero byte") {
		t.Errorf("got %v, want a refusal of the zero byte", err)
	}
	if _, _, err := mustValue(t, `"echo {{ inputs.broken }}"`).Shell(t.Context(), s); !errors.Is(err, errStore) {
		t.Errorf("got %v, want the error of the store", err)
	}
}

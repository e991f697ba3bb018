package playbooks

import (
	"fmt"
	"regexp"
	"strings"
)

// SyntaxProblem is the problem of a file that is not YAML: where the parser gave up, and what to
// write there. err is what the parser said.
func SyntaxProblem(file string, data []byte, err error) *Problem {
	s := &source{file: file, lines: strings.Split(string(data), "\n")}
	s.syntax(data, err)
	return s.problems[0]
}

// trap is a line that looks right and is not YAML.
type trap struct {
	line   *regexp.Regexp
	remedy string
}

// opened is how a value begins that has no quotes: behind its key, the dash of a list, or a comma.
const opened = `(^\s*|[:,\[{-]\s+|\[|\{)`

// traps are looked for, in their order, in the line where the parser gave up.
func traps() []trap {
	line := func(pattern, remedy string) trap { return trap{regexp.MustCompile(pattern), remedy} }
	return []trap{
		line(`^ *\t`, "indent with spaces, not with tabs"),
		line(`[:-]\s+\{\{`, `put a value that begins with a template in quotes, as in "{{ inputs.name }} is up"`),
		line(`"[^"']*\\[^"\\/abefnrtvx0NLPuU _]`, `write a pattern in single quotes, as in '/\A[a-z]+\z/'`),
		line(`[:,\[{-]\s+#|\[#`, `put a value that begins with # in quotes, as in "#ops"`),
		line(opened+"[@%`]", "put a value that begins with @, % or ` in quotes"),
		line(`[:,\[-]\s+[*&][^,}\s]*[*&]`, "put a value that begins with * or & in quotes"),
		line(`[{,]\s*[\w-]+:\s+[>|]`, "put a value that begins with > or | in quotes"),
		line(`[{,].*:\s+[\w.*-]+\[`, `put a value that holds [ in quotes, as in "web[1-3]"`),
		line(`[:-]\s+("[^"]*"|'[^']*')\s*[^\s,\]}#:]`, `put the whole value in quotes, in those that it does not hold`),
		line(`:\s+[^"'\s].*:(\s|$)`, `put a value that holds ": " in quotes`),
	}
}

// yamlRemedy is what to write where the parser gave up: in a line that looks like a known trap, or
// else what its message mostly comes from.
func (s *source) yamlRemedy(message string, line int) string {
	switch {
	case strings.Contains(message, "unknown anchor"):
		return "name it above with &"
	case strings.Contains(message, "end of stream"):
		return "close the quotes or brackets of this line or of one above"
	}
	if n := s.openQuote(line); n > 0 {
		return fmt.Sprintf("close the quotes that line %d opens", n)
	}
	for _, t := range traps() {
		if t.line.MatchString(s.line(line)) {
			return t.remedy
		}
	}
	switch {
	case strings.Contains(message, "mapping values are not allowed"):
		return "indent the line like those above that belong to the same mapping"
	case strings.Contains(message, "cannot start any token"):
		return "put a value that begins with a special character in quotes"
	}
	return "look at the quotes and the indentation of this line and of those above"
}

// openQuote is the line above another that opens double quotes which end in that one; 0 when none does.
func (s *source) openQuote(line int) int {
	opens := regexp.MustCompile(`[:,\[{-]\s*"[^"]*$`)
	at := 0
	for i, text := range s.lines[:line-1] {
		text = strings.ReplaceAll(text, `\"`, "")
		if strings.Count(text, `"`)%2 == 0 || strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		switch {
		case at > 0:
			at = 0 // it is closed here
		case opens.MatchString(text):
			at = i + 1
		}
	}
	return at
}

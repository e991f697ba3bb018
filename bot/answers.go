package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

const (
	// maxAnswer is how many characters of what nodes said a line shows, and maxNames of who said it.
	maxAnswer = 300
	maxNames  = 240
)

// answerLines are what the nodes of a step said, in at most so many lines: how many, what, and below it who.
// The message of the step has said nothing of that: see [withoutAnswers].
func answerLines(a commands.Answers, message string, most int) []string {
	var out []string
	left, leftNodes := 0, 0
	for _, g := range groupsOf(a, message) {
		if len(out)+len(g.lines) > max(most, 2) {
			left, leftNodes = left+1, leftNodes+g.nodes
			continue
		}
		out = append(out, g.lines...)
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("… %d other answers of %s: Log on the card has them", left, plural(leftNodes, "node")))
	}
	if len(a.Varies) > 0 && len(out) > 0 && len(out) < most {
		out = append(out, cutTo("not compared, since it differs on most nodes: "+strings.Join(a.Varies, ", "), maxAnswer))
	}
	return out
}

// answerGroup is what some nodes said, in lines.
type answerGroup struct {
	lines []string
	nodes int
}

// groupsOf are the lines about each answer, those first that a person has to look at. What all nodes said
// is told only when it says more than that they are ok, and when a summary in the message does not.
func groupsOf(a commands.Answers, message string) []answerGroup {
	var out []answerGroup
	for _, kind := range []struct {
		name string
		list []commands.Answer
	}{{"failed", a.Failed}, {"did not answer", a.Silent}, {"differ", a.Differ}} {
		for _, s := range kind.list {
			lines := []string{answerHead(kind.name, s)}
			if len(s.Nodes) > 1 {
				lines = append(lines, "  "+commands.NodeNames(s.Nodes, maxNames))
			}
			out = append(out, answerGroup{lines, len(s.Nodes)})
		}
	}
	if n := len(a.Unasked); n > 0 {
		out = append(out, answerGroup{[]string{strconv.Itoa(n) + " not asked", "  " + commands.NodeNames(a.Unasked, maxNames)}, n})
	}
	for _, s := range a.Same {
		n := len(s.Nodes)
		switch {
		case s.Text == "" || strings.Contains(message, fmt.Sprintf("%d × %s", n, s.Text)):
		case n == a.All && n > 3:
			out = append(out, answerGroup{[]string{fmt.Sprintf("all %d: %s", n, answerText(s))}, n})
		case n == a.All:
			out = append(out, answerGroup{[]string{commands.NodeNames(s.Nodes, maxNames) + ": " + answerText(s)}, n})
		default:
			out = append(out, answerGroup{[]string{fmt.Sprintf("%d same: %s", n, answerText(s))}, n})
		}
	}
	return out
}

// answerHead is how many nodes said what; one node is named.
func answerHead(kind string, s commands.Answer) string {
	who := strconv.Itoa(len(s.Nodes))
	if len(s.Nodes) == 1 {
		if who = cleanText(s.Nodes[0]); kind == "differ" {
			kind = "differs"
		}
	}
	switch {
	case strings.HasPrefix(s.Text, "unknown: "), len(s.Nodes) == 1 && strings.HasPrefix(s.Text, notSatisfied):
		return who + " " + answerText(s)
	case strings.HasPrefix(s.Text, notSatisfied):
		return who + " do not satisfy " + strings.TrimPrefix(answerText(s), notSatisfied)
	case s.Text == "":
		return who + " " + kind
	}
	return fmt.Sprintf("%s %s: %s", who, kind, answerText(s))
}

// notSatisfied is how a task begins what it says of a node whose answer is not as it should be.
const notSatisfied = "does not satisfy "

func answerText(s commands.Answer) string {
	text := cutTo(oneLine(cleanText(s.Text)), maxAnswer)
	if s.Alike {
		text += " (alike, with other numbers)"
	}
	return text
}

// withoutAnswers is the message of a step on nodes without what it says of single nodes, which stands in the
// lines of [answerLines], grouped and whole.
func withoutAnswers(message string) string {
	parts := splitOutsideQuotes(message)
	parts = slices.DeleteFunc(parts, func(p string) bool { return aboutNodes.MatchString(p) })
	for i, p := range parts {
		parts[i] = allowed.ReplaceAllString(p, "at most $1 may fail or keep silent")
	}
	return strings.TrimSpace(strings.Join(parts, "; "))
}

// aboutNodes matches what the task type mcollective says of nodes.
var (
	aboutNodes = regexp.MustCompile(`^\d+ (failed|did not answer|were not asked): |^\d+ do(es)? not satisfy |^\d+ unknown \(`)
	allowed    = regexp.MustCompile(`^at most (\d+) allowed`)
)

// splitOutsideQuotes splits a message at its semicolons, but not at those in what a node said.
func splitOutsideQuotes(message string) []string {
	var parts []string
	quoted, escaped, from := false, false, 0
	for i := range len(message) {
		switch c := message[i]; {
		case escaped:
			escaped = false
		case c == '\\' && quoted:
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(message[i:], "; "):
			parts = append(parts, strings.TrimSpace(message[from:i]))
			from = i + 2
		}
	}
	return append(parts, strings.TrimSpace(message[from:]))
}

// resultOf is what a step brought: of a rolling task over all its waves.
func resultOf(s *engine.Step) *engine.Result {
	if s.Result != nil {
		return s.Result
	}
	if at := s.Last(); at != nil && at.Outcome != nil {
		return &at.Outcome.Result
	}
	return &engine.Result{}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

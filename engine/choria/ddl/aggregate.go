package ddl

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// aggregate sums up one output over many nodes.
type aggregate struct {
	function string
	output   string
	format   *format
	words    map[string]string // what is said in place of a value, such as "enabled" for true
}

// aggregates lists the functions. Choria's own client knows no sum, that of 2017 does.
func functions() []string { return []string{"average", "boolean_summary", "chart", "sum", "summary"} }

// aggregate reads one. What cannot be used is a warning: the answers of nodes do not depend on it.
func (p *parser) aggregate(a *Action, place string, raw rawAggregate) {
	if !slices.Contains(functions(), raw.Function) {
		p.warn(place+".function", "%s is not known; known: %s", quote(raw.Function), strings.Join(functions(), ", "))
		return
	}
	output, _ := first(raw.Args).(string)
	if _, declared := a.Outputs[output]; !declared {
		p.warn(place+".args", "they must begin with an output of the action, and %s is none", quote(output))
		return
	}
	agg := aggregate{function: raw.Function, output: output, words: make(map[string]string)}
	if len(raw.Args) > 1 {
		options, isMap := raw.Args[1].(map[string]any)
		if !isMap {
			p.warn(place+".args", "the second one must be an object")
		}
		for k, v := range options {
			if k != "format" {
				agg.words[k] = word(v)
			}
		}
		if f, isText := options["format"].(string); isText {
			var err error
			if agg.format, err = parseFormat(f, agg.verbs()); err != nil {
				p.warn(place+".args", "%v; the usual format is used", err)
			}
		}
	}
	same := func(other aggregate) bool { return reflect.DeepEqual(other, agg) } // files have some twice
	if !slices.ContainsFunc(a.aggregates, same) {
		a.aggregates = append(a.aggregates, agg)
	}
}

func first(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// verbs is how many values a format of this aggregate is given.
func (g aggregate) verbs() int {
	if g.function == "summary" || g.function == "boolean_summary" {
		return 2
	}
	return 1
}

// Summary is what the nodes answered for one output.
type Summary struct {
	Title string   // the display name of the output
	Lines []string // what it comes to; the rarest values of a summary first
	None  int      // nodes whose answer has no value that counts
}

// String is the summary in a line.
func (s Summary) String() string {
	lines := s.Lines
	if len(lines) > maxLines {
		lines = append(slices.Clone(lines[:maxLines]), fmt.Sprintf("and %d other values", len(s.Lines)-maxLines))
	}
	if s.None > 0 {
		lines = append(slices.Clone(lines), fmt.Sprintf("%d × no value", s.None))
	}
	return s.Title + ": " + strings.Join(lines, ", ")
}

// maxLines is how many values of a summary a line names.
const maxLines = 5

// Summarize sums up the data of replies as the DDL says; nil when it says nothing.
func (a *Action) Summarize(replies []map[string]any) []Summary {
	var out []Summary
	for _, g := range a.aggregates {
		var values []any
		for _, data := range replies {
			values = append(values, data[g.output])
		}
		s := Summary{Title: a.Title(g.output)}
		if g.verbs() == 2 {
			s.Lines, s.None = g.count(values)
		} else {
			s.Lines, s.None = g.measure(values)
		}
		out = append(out, s)
	}
	return out
}

// count says how often each value was answered; of a list, each item counts.
func (g aggregate) count(values []any) (lines []string, none int) {
	counts := make(map[string]int)
	for _, v := range values {
		items, isList := v.([]any)
		if !isList {
			items = []any{v}
		}
		if v == nil || len(items) == 0 {
			none++
			continue
		}
		for _, item := range items {
			text := word(item)
			if said, ok := g.words[text]; ok {
				text = said
			}
			counts[text]++
		}
	}
	keys := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(keys, func(a, b string) int { return counts[a] - counts[b] })
	for _, k := range keys {
		if g.format != nil {
			lines = append(lines, g.format.fill(clip(k), counts[k]))
		} else {
			lines = append(lines, fmt.Sprintf("%d × %s", counts[k], clip(k)))
		}
	}
	return lines, none
}

// measure computes with what is a number, or the text of one.
func (g aggregate) measure(values []any) (lines []string, none int) {
	var numbers []float64
	sum := 0.0
	for _, v := range values {
		if n, ok := float(v); ok {
			numbers = append(numbers, n)
			sum += n
		} else {
			none++
		}
	}
	if len(numbers) == 0 {
		return nil, none
	}
	switch g.function {
	case "chart":
		return []string{fill(g.format, "%s", chart(numbers))}, none
	case "sum":
		return []string{fill(g.format, "%g", sum)}, none
	default:
		return []string{fill(g.format, "average %.3f", sum/float64(len(numbers)))}, none
	}
}

func fill(f *format, usual string, v any) string {
	if f == nil {
		return fmt.Sprintf(usual, v)
	}
	return f.fill(v)
}

// word is the text of a value: text as it is, the rest as JSON, so that true is "true".
func word(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}

// maxWord is how many bytes of a value a line has.
const maxWord = 100

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxWord {
		return strings.ToValidUTF8(s[:maxWord], "") + "…"
	}
	return s
}

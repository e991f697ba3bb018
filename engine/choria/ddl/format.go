package ddl

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// format is how an aggregate writes its values: a text with verbs of printf, which Ruby and Go share.
type format struct {
	verbs []string // such as "%5d"
	texts []string // around them, one more than verbs
}

// verb has at most two digits of width and of precision, so that no file makes lines of megabytes.
var verb = regexp.MustCompile(`%[-+ 0]{0,3}[0-9]{0,2}(?:\.[0-9]{1,2})?[sdfgei]`)

// maxFormat is how long a format may be, in bytes.
const maxFormat = 200

// parseFormat reads a format for a number of values.
func parseFormat(source string, values int) (*format, error) {
	if len(source) > maxFormat {
		return nil, fmt.Errorf("a format of %d bytes is too long", len(source))
	}
	plain := strings.ReplaceAll(source, "%%", "\x00")
	f := &format{verbs: verb.FindAllString(plain, -1)}
	f.texts = verb.Split(plain, -1)
	if len(f.verbs) != values {
		return nil, fmt.Errorf("the format %s must have %d of %%s, %%d, %%f, and has %d", quote(source), values, len(f.verbs))
	}
	for i, text := range f.texts {
		if strings.Contains(text, "%") {
			return nil, fmt.Errorf("the format %s has a %% that begins nothing known; write %%%% for the sign itself", quote(source))
		}
		f.texts[i] = strings.ReplaceAll(text, "\x00", "%")
	}
	return f, nil
}

// fill writes values; a verb for another kind takes what comes nearest. Blanks around are dropped.
func (f *format) fill(values ...any) string {
	var b strings.Builder
	for i, v := range values {
		b.WriteString(f.texts[i])
		b.WriteString(one(f.verbs[i], v))
	}
	b.WriteString(f.texts[len(values)])
	return strings.TrimSpace(b.String())
}

func one(verb string, v any) string {
	kind := verb[len(verb)-1]
	if kind == 's' {
		s, _ := scalarText(v)
		return fmt.Sprintf(verb, s)
	}
	n, ok := float(v)
	switch {
	case !ok: // a number is wanted for what is none
		return word(v)
	case kind == 'd' || kind == 'i':
		return fmt.Sprintf(noPrecision.ReplaceAllString(verb[:len(verb)-1], "")+".0f", math.Round(n))
	}
	return fmt.Sprintf(verb, n)
}

var noPrecision = regexp.MustCompile(`\.[0-9]*$`)

// bars draw a chart.
const bars = "▁▂▃▄▅▆▇█"

// maxBars is how many columns a chart has.
const maxBars = 20

// chart shows how numbers are spread: equal steps from the least to the greatest, one column each, as
// high as nodes are in it.
func chart(numbers []float64) string {
	least, most := slices.Min(numbers), slices.Max(numbers)
	if least == most {
		return fmt.Sprintf("all %g", least)
	}
	counts := make([]int, min(maxBars, max(2, len(numbers))))
	for _, n := range numbers {
		share := n/2 - least/2 // halves, so that the span of the greatest numbers stays finite
		i := int(share / (most/2 - least/2) * float64(len(counts)))
		counts[min(max(i, 0), len(counts)-1)]++
	}
	tallest := slices.Max(counts)
	levels := []rune(bars)
	line := make([]rune, len(counts))
	for i, c := range counts {
		line[i] = levels[(c*(len(levels)-1)+tallest-1)/tallest]
	}
	return fmt.Sprintf("%g %s %g", least, string(line), most)
}

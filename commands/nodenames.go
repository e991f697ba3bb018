package commands

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// NodeNames names nodes in at most `most` characters, each node once: those whose names differ in one number
// share brackets, as in web[01-12,17].example.net. What does not fit is counted.
func NodeNames(nodes []string, most int) string {
	spans := spansOf(nodes)
	fits := func(k int) bool { return utf8.RuneCountInString(namesText(spans, k)) <= most }
	if fits(len(spans)) {
		return namesText(spans, len(spans))
	}
	// the text grows with the spans in it, up to the last one, which needs no count of the rest
	return namesText(spans, max(0, sort.Search(len(spans), func(k int) bool { return !fits(k) })-1))
}

// leastShared is how many names must differ in nothing but a number before they share brackets: fewer are
// easier to read, to copy and to search for as they are.
const leastShared = 3

// stem is what the names of some nodes have in common.
type stem struct{ before, after string }

// nameSpan is one name, or some whose numbers follow each other.
type nameSpan struct {
	stem        stem
	first, last string // numbers; the whole name when it shares nothing
	n           int
}

// numbered is a name with the number in it that its neighbours may differ in.
type numbered struct {
	stem
	digits string
	value  int
	name   string
}

// maxDigits is the longest number that counts as one: longer ones are ids.
const maxDigits = 9

// numberIn splits a name at the last number of its first label; digits is empty when there is none.
func numberIn(name string) numbered {
	label, _, _ := strings.Cut(name, ".")
	end := strings.LastIndexAny(label, "0123456789") + 1
	start := end
	for start > 0 && label[start-1] >= '0' && label[start-1] <= '9' {
		start--
	}
	if start == end || end-start > maxDigits {
		return numbered{stem: stem{before: name}, name: name}
	}
	value, _ := strconv.Atoi(name[start:end]) // digits alone, and few
	return numbered{stem: stem{name[:start], name[end:]}, digits: name[start:end], value: value, name: name}
}

func spansOf(nodes []string) []nameSpan {
	sizes := map[stem]int{}
	seen := map[string]bool{}
	list := make([]numbered, 0, len(nodes))
	for _, name := range nodes {
		if seen[name] {
			continue
		}
		seen[name] = true
		n := numberIn(name)
		list = append(list, n)
		sizes[n.stem]++
	}
	slices.SortFunc(list, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.before, b.before), cmp.Compare(a.after, b.after), cmp.Compare(a.value, b.value), cmp.Compare(len(a.digits), len(b.digits)))
	})
	var out []nameSpan
	var before numbered
	for _, n := range list {
		switch {
		case n.digits == "" || sizes[n.stem] < leastShared:
			out = append(out, nameSpan{first: n.name, n: 1})
		case before.stem == n.stem && follows(before, n):
			out[len(out)-1].last = n.digits
			out[len(out)-1].n++
		default:
			out = append(out, nameSpan{stem: n.stem, first: n.digits, last: n.digits, n: 1})
		}
		before = n
	}
	return out
}

// follows reports whether a range from one number to the next one says both as they are written.
func follows(a, b numbered) bool {
	return b.value == a.value+1 && (len(a.digits) == len(b.digits) || a.digits[0] != '0' && b.digits[0] != '0')
}

// namesText writes the first k of some spans, and counts the nodes of the others.
func namesText(spans []nameSpan, k int) string {
	var b strings.Builder
	for i := 0; i < k; {
		s := spans[i]
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		if s.stem == (stem{}) {
			b.WriteString(s.first)
			i++
			continue
		}
		var items []string
		for ; i < k && spans[i].stem == s.stem; i++ {
			items = append(items, spans[i].text())
		}
		b.WriteString(s.stem.before + "[" + strings.Join(items, ",") + "]" + s.stem.after)
	}
	rest := 0
	for _, s := range spans[k:] {
		rest += s.n
	}
	switch {
	case rest == 0:
	case k == 0:
		return plural(rest, "node")
	default:
		fmt.Fprintf(&b, " and %d more", rest)
	}
	return b.String()
}

func (s nameSpan) text() string {
	switch s.n {
	case 1:
		return s.first
	case 2:
		return s.first + "," + s.last
	}
	return s.first + "-" + s.last
}

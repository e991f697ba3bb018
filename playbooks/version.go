package playbooks

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// version is major.minor.patch, with the identifiers of a pre-release and those of a build.
type version struct {
	number [3]int64
	pre    []string
	build  string
}

// partial is a version of which the last parts may be missing or x.
type partial struct {
	version

	parts int // numbers that are there, from the left
}

const (
	partRule      = `(x|X|\*|0|[1-9][0-9]*)`
	qualifierRule = `(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?`
	maxDigits     = 15 // of one number; more are no version but a mistake
)

var partialVersion = regexp.MustCompile(`^` + partRule + `(?:\.` + partRule + `(?:\.` + partRule + qualifierRule + `)?)?$`)

// parsePartial reads the version in a word of a range; wild lets x and * stand for a number.
func parsePartial(s, word string, wild bool) (partial, error) {
	m := partialVersion.FindStringSubmatch(s)
	if m == nil {
		return partial{}, badRange(word)
	}
	var p partial
	for i, part := range m[1:4] {
		if part == "x" || part == "X" || part == "*" {
			if !wild {
				return partial{}, fmt.Errorf("%q: no %s can stand behind an operator or beside -; leave it away, as in >=1.2", word, part)
			}
			return p, nil // what follows says nothing
		}
		if part == "" {
			return p, nil
		}
		if len(part) > maxDigits {
			return partial{}, fmt.Errorf("%q holds a number of more than %d digits", word, maxDigits)
		}
		p.number[i], _ = strconv.ParseInt(part, 10, 64)
		p.parts++
	}
	p.build = m[5]
	if m[4] == "" {
		return p, nil
	}
	p.pre = strings.Split(m[4], ".")
	for _, id := range p.pre {
		if len(id) > 1 && id[0] == '0' && allDigits(id) {
			return partial{}, fmt.Errorf("%q: the number %s of a pre-release begins with 0", word, id)
		}
	}
	return p, nil
}

// parseVersion reads the version of an agent; one of two parts, such as 1.11, means 1.11.0.
func parseVersion(s string) (version, error) {
	p, err := parsePartial(strings.TrimSpace(s), s, false)
	if err != nil || p.parts < 2 {
		return version{}, fmt.Errorf("%q is no version; agents name theirs as major.minor.patch", s)
	}
	return p.version, nil
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// compare orders two versions by precedence: a pre-release comes before its version, builds are equal.
func (v version) compare(w version) int {
	for i := range v.number {
		if c := cmp.Compare(v.number[i], w.number[i]); c != 0 {
			return c
		}
	}
	switch {
	case len(v.pre) == 0 || len(w.pre) == 0:
		return cmp.Compare(len(w.pre), len(v.pre)) // the one without is later
	default:
		return comparePre(v.pre, w.pre)
	}
}

func comparePre(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if c := compareIdentifier(a[i], b[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// compareIdentifier orders two identifiers of pre-releases: numbers by value, before all others.
func compareIdentifier(a, b string) int {
	switch left, right := allDigits(a), allDigits(b); {
	case left && right && len(a) != len(b): // neither begins with 0
		return cmp.Compare(len(a), len(b))
	case left != right && left:
		return -1
	case left != right:
		return 1
	}
	return strings.Compare(a, b)
}

// next is the first version after all those that agree with p in the first n numbers.
func (p partial) next(n int) partial {
	out := partial{parts: 3}
	copy(out.number[:], p.number[:n])
	out.number[n-1]++
	return out
}

// upTo is the span from p to the last version that agrees with it in n numbers, or in those it has.
func (p partial) upTo(n int) span {
	return span{from: p.at(true), to: p.next(min(n, p.parts)).at(false)}
}

// at makes a bound of a version.
func (p partial) at(included bool) *bound { return &bound{version: p.version, included: included} }

// bound is an end of a span.
type bound struct {
	version

	included bool
	exact    bool // the build counts too
}

// span is the versions between two bounds; a bound that is nil is no bound.
type span struct {
	all      bool // pre-releases too
	from, to *bound
}

// contains reports whether a version lies in the span.
func (s span) contains(v version) bool {
	return s.from.passes(v, 1) && s.to.passes(v, -1) && (len(v.pre) == 0 || s.all || s.from.admits(v) || s.to.admits(v))
}

// passes reports whether a version lies on the right side of a bound: 1 above it, -1 below it.
func (b *bound) passes(v version, side int) bool {
	if b == nil {
		return true
	}
	c := v.compare(b.version) * side
	return c > 0 || c == 0 && b.included && (!b.exact || v.build == b.build)
}

// admits reports whether a bound is itself a pre-release of the version that v is one of.
func (b *bound) admits(v version) bool {
	return b != nil && len(b.pre) > 0 && b.number == v.number
}

// empty reports whether nothing lies between the bounds.
func (s span) empty() bool {
	if s.from == nil || s.to == nil {
		return false
	}
	c := s.from.compare(s.to.version)
	return c > 0 || c == 0 && (!s.from.included || !s.to.included)
}

// and is what lies in both spans.
func (s span) and(other span) span {
	if s.all {
		return other
	}
	if other.all {
		return s
	}
	return span{from: inner(s.from, other.from, 1), to: inner(s.to, other.to, -1)}
}

// inner is the bound that leaves less; side is 1 for lower bounds and -1 for upper ones.
func inner(a, b *bound, side int) *bound {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	c := a.compare(b.version) * side
	if c > 0 || c == 0 && (!a.included || b.included && a.exact) {
		return a
	}
	return b
}

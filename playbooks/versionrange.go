package playbooks

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// VersionRange is a set of versions, in the language of the semantic_puppet library that 2017 used:
//
//	1.2.3  =1.2.3                exactly this version
//	1  1.x  1.2  1.2.x  1.2.*    any that begins so; * is any at all
//	>1.2  >=1.2  <1.2  <=1.2     compared; >1.2 begins with 1.3.0, <=1.2 ends before 1.3.0
//	~1.2.3  ~>1.2.3              at least this, and the same major and minor number
//	^1.2.3                       at least this, and the same major number; below 1.0.0 the same minor one too
//	1.2.0 - 1.4.0                between the two, both included; - 1.4 means 1.4.0
//	>= 1.0 < 2.0                 all that are named hold
//	~1.2 || ^3                   one of them holds
//
// A pre-release such as 1.2.3-rc1 belongs to a range only where the range itself names a pre-release
// of the same 1.2.3, or is *. The zero VersionRange holds no version. Safe for concurrent use.
type VersionRange struct {
	source string
	spans  []span
}

// VersionRange renders and reads the range of versions.
func (u Use) VersionRange(ctx context.Context, s Scope) (VersionRange, error) {
	if u.Range.kind == scalar {
		return ParseVersionRange(u.Range.raw) // 1.0 stays 1.0
	}
	v, err := u.Range.Render(ctx, s)
	if err != nil {
		return VersionRange{}, err
	}
	return ParseVersionRange(text(v))
}

// maxRange is the length of the longest range that is read, in bytes.
const maxRange = 1 << 10

var (
	afterOperator = regexp.MustCompile(`([><=~^])(?:\s+v?|v)`)
	eitherRange   = regexp.MustCompile(`\s*\|\|\s*`)
	hyphenRange   = regexp.MustCompile(`^(\S+)\s+-\s+(\S+)$`)
	simpleRange   = regexp.MustCompile(`^(<=|>=|~>|~=|[<>=~^])?(.+)$`)
)

// ParseVersionRange reads a range. An error says what to write instead.
func ParseVersionRange(source string) (VersionRange, error) {
	r := VersionRange{source: source}
	if len(source) > maxRange {
		return VersionRange{}, fmt.Errorf("the range of versions is longer than %d characters", maxRange)
	}
	spaced := afterOperator.ReplaceAllString(strings.Join(strings.Fields(source), " "), "$1")
	either := eitherRange.Split(spaced, -1)
	named := false
	for _, part := range either {
		if part == "" {
			continue
		}
		named = true
		s, err := parseSpan(part)
		if err != nil {
			return VersionRange{}, fmt.Errorf("%q is no range of versions: %w", source, err)
		}
		if !s.empty() {
			r.spans = append(r.spans, s)
		}
	}
	switch {
	case !named: // nothing is asked for
		r.spans = []span{{all: true}}
	case len(r.spans) == 0:
		return VersionRange{}, fmt.Errorf("no version is in the range %q; its bounds leave nothing between them", source)
	}
	return r, nil
}

// String is the range as it was written.
func (r VersionRange) String() string { return r.source }

// Contains reports whether a version belongs to the range. A version of two parts, such as 1.11,
// means 1.11.0; any other that is not major.minor.patch is an error.
func (r VersionRange) Contains(v string) (bool, error) {
	have, err := parseVersion(v)
	if err != nil {
		return false, err
	}
	for _, s := range r.spans {
		if s.contains(have) {
			return true, nil
		}
	}
	return false, nil
}

// parseSpan reads what stands between two ||.
func parseSpan(part string) (span, error) {
	if m := hyphenRange.FindStringSubmatch(part); m != nil {
		if strings.ContainsAny(part, "<>=~^") {
			return span{}, fmt.Errorf("%q: no operator stands beside -; write 1.2.0 - 1.4.0, or >=1.2.0 <=1.4.0", part)
		}
		from, err := parsePartial(m[1], m[1], false)
		if err != nil {
			return span{}, err
		}
		to, err := parsePartial(m[2], m[2], false)
		if err != nil {
			return span{}, err
		}
		return span{from: from.at(true), to: to.at(true)}, nil
	}
	out := span{all: true}
	for word := range strings.FieldsSeq(part) {
		s, err := parseSimple(word)
		if err != nil {
			return span{}, err
		}
		out = out.and(s)
	}
	return out, nil
}

// parseSimple reads an operator with its version.
func parseSimple(word string) (span, error) {
	m := simpleRange.FindStringSubmatch(word)
	if m == nil {
		return span{}, badRange(word)
	}
	op := m[1]
	p, err := parsePartial(m[2], word, op == "" || op == "=")
	if err != nil {
		return span{}, err
	}
	switch op {
	case ">":
		if p.parts < 3 {
			return span{from: p.next(p.parts).at(true)}, nil
		}
		return span{from: p.at(false)}, nil
	case ">=":
		return span{from: p.at(true)}, nil
	case "<":
		return span{to: p.at(false)}, nil
	case "<=":
		if p.parts < 3 {
			return span{to: p.next(p.parts).at(false)}, nil
		}
		return span{to: p.at(true)}, nil
	case "^":
		if p.number[0] > 0 {
			return p.upTo(1), nil
		}
		return p.upTo(2), nil
	case "~", "~>", "~=":
		return p.upTo(2), nil
	}
	switch p.parts {
	case 0:
		return span{all: true}, nil
	case 3:
		exact := &bound{version: p.version, included: true, exact: true}
		return span{from: exact, to: exact}, nil
	default:
		return p.upTo(2), nil
	}
}

// badRange is the error for what is none of the forms.
func badRange(word string) error {
	switch {
	case strings.Contains(word, ","):
		return fmt.Errorf("%q holds a comma; what must hold together is joined by a blank, as in >=1.0 <2.0", word)
	case strings.HasPrefix(word, "!"), strings.HasPrefix(word, "="), strings.HasPrefix(word, ">"), strings.HasPrefix(word, "<"):
		return fmt.Errorf("%q does not compare; the operators are >, >=, <, <=, =, ~ and ^", word)
	case word == "-":
		return fmt.Errorf("- stands between two whole versions, as in 1.2.0 - 1.4.0")
	case strings.HasPrefix(word, "v"):
		return fmt.Errorf("%q begins with a v; write the number alone", word)
	}
	return fmt.Errorf("%q is no version; write 1.2.3, 1.x, ~1.2, ^1, >=1.0 <2.0 or 1.2.0 - 1.4.0", word)
}

package booktest

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// pattern finds text: a word between slashes is a regular expression, anything else is part of it.
type pattern struct {
	text string
	re   *regexp.Regexp
}

func (v value) pattern(what string) pattern {
	p := pattern{text: v.text(what, "")}
	if n := len(p.text); n > 2 && p.text[0] == '/' && p.text[n-1] == '/' {
		re, err := regexp.Compile(p.text[1 : n-1])
		if err != nil {
			v.problem("correct it", "%s is not a regular expression: %v", p.text, err)
			return p
		}
		p.re = re
	}
	return p
}

// in reports whether the pattern is found in a text. The empty pattern is found in every text.
func (p pattern) in(text string) bool {
	if p.re != nil {
		return p.re.MatchString(text)
	}
	return strings.Contains(text, p.text)
}

func (p pattern) String() string {
	if p.re != nil {
		return p.text
	}
	return strconv.Quote(p.text)
}

// matchAny reports whether a word fits one of some globs, in which * and ? stand for anything.
func matchAny(globs []string, word string) bool {
	for _, g := range globs {
		if ok, err := path.Match(g, word); g == word || err == nil && ok {
			return true
		}
	}
	return false
}

// maxExpanded bounds how many names the ranges of one word stand for.
const maxExpanded = 10_000

var numberRange = regexp.MustCompile(`\[(\d+)-(\d+)\]`)

// expand writes the ranges of a name out: web[1-3] is web1, web2, web3, and web[08-10] keeps its zeros.
func expand(name string) ([]string, error) {
	at := numberRange.FindStringSubmatchIndex(name)
	if at == nil {
		return []string{name}, nil
	}
	first, last := name[at[2]:at[3]], name[at[4]:at[5]]
	from, err := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil || to < from || to-from >= maxExpanded {
		return nil, fmt.Errorf("the range [%s-%s] of %s does not count upwards to at most %d names", first, last, name, maxExpanded)
	}
	rest, err := expand(name[at[1]:])
	if err != nil {
		return nil, err
	}
	if len(rest)*(to-from+1) > maxExpanded {
		return nil, fmt.Errorf("the ranges of %s stand for more than %d names", name, maxExpanded)
	}
	var out []string
	for i := from; i <= to; i++ {
		for _, tail := range rest {
			out = append(out, fmt.Sprintf("%s%0*d%s", name[:at[0]], len(first), i, tail))
		}
	}
	return out, nil
}

// names reads names of nodes with their ranges written out.
func (v value) names(what string) []string {
	var out []string
	for _, item := range v.items() {
		more, err := expand(item.text(what, ""))
		if err != nil {
			item.problem("write it as in web[1-9]", "%v", err)
		}
		out = append(out, more...)
	}
	return out
}

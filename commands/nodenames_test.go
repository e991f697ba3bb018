package commands_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/commands"
)

func TestNodeNames_shareBracketsWhereThatReadsWell(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		nodes string
		most  int
		want  string
	}{
		"none":                     {"", 80, ""},
		"one":                      {"web1.example.net", 80, "web1.example.net"},
		"two stay as they are":     {"web2 web1", 80, "web1, web2"},
		"a range":                  {"web01.example web02.example web03.example", 80, "web[01-03].example"},
		"gaps":                     {"web1 web2 web3 web7 web8 web11", 80, "web[1-3,7,8,11]"},
		"across a power of ten":    {"web8 web9 web10 web11", 80, "web[8-11]"},
		"leading zeros keep apart": {"web08 web09 web10 web9", 80, "web[08,9,09,10]"},
		"no numbers":               {"lb db mail", 80, "db, lb, mail"},
		"the number of the label":  {"web1.dc2.example web2.dc2.example web3.dc2.example web1.dc3.example", 80, "web[1-3].dc2.example, web1.dc3.example"},
		"a number in the middle":   {"a-1-x a-2-x a-3-x", 80, "a-[1-3]-x"},
		"ids are no numbers":       {"i-12345678901 i-12345678902 i-12345678903", 80, "i-12345678901, i-12345678902, i-12345678903"},
		"each once":                {"web1 web1 web1", 80, "web1"},
		"what does not fit":        {"web1 web3 web5 web7 web9 web11 web13 web15", 19, "web[1,3] and 6 more"},
		"nothing fits":             {"averylongname averylongname2", 10, "2 nodes"},
	} {
		if got := commands.NodeNames(strings.Fields(row.nodes), row.most); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}

func TestNodeNames_nameOrCountEachNodeWithinTheirRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		nodes := rapid.SliceOfN(rapid.StringMatching(`(web|db-)[0-9]{1,3}(\.a|\.b)?`), 1, 60).Draw(t, "nodes")
		most := rapid.IntRange(10, 300).Draw(t, "most")
		text := commands.NodeNames(nodes, most)
		if n := utf8.RuneCountInString(text); n > most {
			t.Fatalf("%q has %d characters, at most %d", text, n, most)
		}
		distinct := slices.Compact(slices.Sorted(slices.Values(nodes)))
		named, more := unfold(t, text)
		for _, n := range named {
			if !slices.Contains(distinct, n) {
				t.Fatalf("%q names %s, which is none of %v", text, n, distinct)
			}
		}
		if slices.Sort(named); len(slices.Compact(named))+more != len(distinct) {
			t.Fatalf("%q names %d and counts %d of %d", text, len(named), more, len(distinct))
		}
	})
}

// unfold reads back what NodeNames wrote.
func unfold(t *rapid.T, text string) (names []string, more int) {
	if m := regexp.MustCompile(`^(\d+) nodes?$`).FindStringSubmatch(text); m != nil {
		more, _ = strconv.Atoi(m[1])
		return nil, more
	}
	if m := regexp.MustCompile(` and (\d+) more$`).FindStringSubmatch(text); m != nil {
		more, _ = strconv.Atoi(m[1])
		text = strings.TrimSuffix(text, m[0])
	}
	for _, part := range regexp.MustCompile(`[^,\[\s]+(\[[^\]]*\][^,\s]*)?`).FindAllString(text, -1) {
		before, rest, folded := strings.Cut(part, "[")
		if !folded {
			names = append(names, part)
			continue
		}
		items, after, _ := strings.Cut(rest, "]")
		for item := range strings.SplitSeq(items, ",") {
			first, last, ranged := strings.Cut(item, "-")
			if !ranged {
				last = first
			}
			from, err1 := strconv.Atoi(first)
			to, err2 := strconv.Atoi(last)
			if err1 != nil || err2 != nil {
				t.Fatalf("cannot read %q", part)
			}
			for i := from; i <= to; i++ {
				digits := strconv.Itoa(i)
				if strings.HasPrefix(first, "0") && len(first) > 1 {
					digits = fmt.Sprintf("%0*d", len(first), i)
				} else if !ranged {
					digits = first
				}
				names = append(names, before+digits+after)
			}
		}
	}
	return names, more
}

package commands

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// alike groups nodes by what they said, apart from their own names, numbers and ids: most nodes first.
func alike(nodes []string, said func(node string) string) []Answer {
	var out []Answer
	at := map[string]int{}
	for _, n := range nodes {
		text := said(n)
		key := pattern(text, n)
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, Answer{Text: text})
		}
		out[i].Alike = out[i].Alike || out[i].Text != text
		out[i].Nodes = append(out[i].Nodes, n)
	}
	slices.SortStableFunc(out, func(a, b Answer) int { return cmp.Compare(len(b.Nodes), len(a.Nodes)) })
	return out
}

// leastID is how many hexadecimal digits in a row are an id.
const leastID = 6

var (
	hexadecimal = regexp.MustCompile(`(?i)\b(?:0x)?[0-9a-f]+(?:-[0-9a-f]{4,})*\b`)
	numbers     = regexp.MustCompile(`[0-9]+(?:[.,:][0-9]+)*`)
)

// pattern is a text without what differs from node to node although the reason is the same: the node's
// name, process numbers, times, addresses, ids.
func pattern(text, node string) string {
	text = withoutWord(text, node)
	if host, _, ok := strings.Cut(node, "."); ok {
		text = withoutWord(text, host)
	}
	text = hexadecimal.ReplaceAllStringFunc(text, func(word string) string {
		if len(word) >= leastID && strings.ContainsAny(word, "0123456789") {
			return "#"
		}
		return word
	})
	return numbers.ReplaceAllString(text, "#")
}

// withoutWord replaces a word wherever it stands by itself.
func withoutWord(text, word string) string {
	var b strings.Builder
	for word != "" {
		i := strings.Index(text, word)
		if i < 0 {
			break
		}
		end := i + len(word)
		b.WriteString(text[:i])
		if i > 0 && inWord(text[i-1]) || end < len(text) && inWord(text[end]) {
			b.WriteString(word)
		} else {
			b.WriteByte(0)
		}
		text = text[end:]
	}
	return b.String() + text
}

// inWord reports whether a name goes on with a character.
func inWord(c byte) bool {
	return c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

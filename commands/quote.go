package commands

import (
	"strings"
	"unicode"
)

// family is the straight quote that a quote of any shape stands for, or 0.
func family(r rune) rune {
	switch r {
	case '"', '\u201c', '\u201d', '\u201e', '\u201f':
		return '"'
	case '\'', '\u2018', '\u2019', '\u201a', '\u201b':
		return '\''
	}
	return 0
}

// closing finds the end of the quoted item that begins at s.i; false when none begins there. A
// straight quote ends at the next straight one. A curly quote ends at the next curly one that has
// nothing right behind it, so that apostrophes inside stay. Where a client turned only one of the
// two into the other shape, that counts too.
func (s *scanner) closing() (int, bool, error) {
	open := s.at(s.i)
	kind := family(open)
	if kind == 0 {
		if open == '`' {
			end := s.find(func(j int) bool { return s.at(j) == '`' && s.bounds(j+1) })
			return end, end >= 0, nil
		}
		return 0, false, nil
	}
	straight := func(j int) bool { return s.at(j) == kind && (open == kind || s.bounds(j+1)) }
	curly := func(j int) bool { return s.at(j) != kind && family(s.at(j)) == kind && s.bounds(j+1) }
	first, second := straight, curly
	if open != kind {
		first, second = curly, straight
	}
	if end := s.find(first); end >= 0 {
		return end, true, nil
	}
	if end := s.find(second); end >= 0 {
		return end, true, nil
	}
	if open != kind && kind == '\'' {
		return 0, false, nil // an apostrophe that begins a word
	}
	return 0, false, wrong(s.col(), "the quote that opens here is never closed; close it, or write \\%c for a quote that is just a character", kind)
}

// find looks for the first place behind s.i where ok holds. In double quotes, what follows a
// backslash does not count.
func (s *scanner) find(ok func(int) bool) int {
	escapes := family(s.at(s.i)) == '"'
	for j := s.i + 1; j < len(s.in); j++ {
		if escapes && s.at(j) == '\\' && (s.at(j+1) == '\\' || family(s.at(j+1)) == '"') {
			j++
			continue
		}
		if ok(j) {
			return j
		}
	}
	return -1
}

// inQuotes writes what stands between the quotes at s.i and end for shlex. Only \" and \\ are
// escapes, and only in double quotes; any other backslash is a character.
func (s *scanner) inQuotes(end int) string {
	escapes := family(s.at(s.i)) == '"'
	var b strings.Builder
	b.WriteByte('"')
	for j := s.i + 1; j < end; j++ {
		if escapes && s.at(j) == '\\' && (s.at(j+1) == '\\' || family(s.at(j+1)) == '"') {
			j++
		}
		for _, r := range s.text(j, j+1) {
			if r == '"' || r == '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// escaped writes a bare word for shlex, in which every character is only itself.
func escaped(text string) string {
	if text == "" {
		return `""`
	}
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("#'\"\\", r) || unicode.IsSpace(r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Quote writes a value so that it is read back as it is: in double quotes where it needs them.
func Quote(text string) string {
	needs := text == "" || strings.HasPrefix(text, "-") || strings.ContainsFunc(text, func(r rune) bool {
		return family(r) != 0 || unicode.IsSpace(r) || hidden(r) || strings.ContainsRune(",=`\\—–&<>", r)
	})
	if !needs {
		return text
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Line writes words that a shell has already split, such as the arguments of a process, as one
// line: a value with spaces gets its quotes back, a comma stays one.
func Line(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		name, val, ok := strings.Cut(arg, "=")
		switch {
		case ok && strings.HasSuffix(name, ":") || !strings.ContainsAny(arg, " \t\n\"'\\`"):
			words[i] = arg
		case ok && strings.Trim(name, "-") != "" && !strings.ContainsAny(name, " \t\n\"'\\`"):
			words[i] = name + "=" + Quote(val)
		default:
			words[i] = Quote(arg)
		}
	}
	return strings.Join(words, " ")
}

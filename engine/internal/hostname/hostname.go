// Package hostname says what the name of a machine looks like.
package hostname

import "strings"

// maxLength bounds a name, in bytes (RFC 1035, section 2.3.4, without the root's dot).
const maxLength = 253

// Valid reports whether a name is made of labels of letters, digits and inner dashes, joined by dots.
func Valid(name string) bool {
	if len(name) > maxLength {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, foreign) {
			return false
		}
	}
	return true
}

func foreign(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

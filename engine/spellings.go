package engine

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// minSecret is the length in bytes below which a secret of the program, or a part of a secret that
// was given, is not masked: shorter ones would mask ordinary text.
const minSecret = 6

// spellings are a secret in the ways in which programs repeat it: as it is, line by line, quoted for a
// shell or another program, in an address, in base64 or in hexadecimal. A secret that was transformed
// in another way is not found.
func spellings(secret string) []string {
	out := []string{secret}
	if bare := strings.TrimSpace(secret); bare != secret {
		out = append(out, bare)
	}
	lines := strings.FieldsFunc(secret, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) > 1 {
		for _, l := range lines {
			out = addLong(out, strings.TrimSpace(l))
		}
	}
	quoted := strconv.Quote(secret)
	out = addLong(out, quoted[1:len(quoted)-1], escaped(secret, true), escaped(secret, false),
		strings.ReplaceAll(secret, "'", `'\''`), url.QueryEscape(secret), url.PathEscape(secret),
		hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))))
	for before := range 3 {
		out = addLong(out, inBase64(secret, before, base64.RawStdEncoding), inBase64(secret, before, base64.RawURLEncoding))
	}
	return out
}

// addLong adds what is not there yet and not too short to be told from ordinary text.
func addLong(list []string, more ...string) []string {
	for _, s := range more {
		if len(s) >= minSecret && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// escaped is a secret inside of JSON text.
func escaped(secret string, html bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(secret); err != nil { // text always encodes
		return secret
	}
	text := strings.TrimSpace(b.String())
	return text[1 : len(text)-1]
}

// inBase64 is the part of a secret in base64 that does not depend on what stands around it, when that
// many bytes modulo three stand before it.
func inBase64(secret string, before int, enc *base64.Encoding) string {
	text := enc.EncodeToString(append(make([]byte, before), secret...))
	from, to := (before*8+5)/6, (before+len(secret))*8/6
	return text[min(from, to):to]
}

package lint

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/playbot/playbot/playbooks"
)

func tokenInPlainText() Rule {
	return Rule{
		ID: "token-in-plain-text", Severity: Warning,
		Reason: "A playbook is kept whole in version control and in the history of every run, and cannot be taken back from there.",
		Remedy: "keep it in a data store, bind an input to that with data:, and replace the secret, because it is known now",
		find: func(b *book) {
			b.shapes()
			for _, t := range b.tasks {
				if t.Rolling == nil {
					b.secretKeys(t.Properties)
				}
			}
			for _, s := range b.DataStores {
				b.secretKeys(s.Properties)
			}
			for _, s := range b.NodeSets {
				b.secretKeys(s.Properties)
			}
			for _, in := range b.Inputs {
				if text, isText := in.Default.(string); isText && text != "" && secretName(in.Name) {
					b.hide(playbooks.Pos{Line: in.Pos.Line, Column: in.Pos.Column + utf8.RuneCountInString(in.Name) + 1})
					b.report(in.Pos, "", "the default of input %q stands in the file", in.Name)
				}
			}
		},
	}
}

// shape matches what is a secret by its looks: tokens of Slack, GitHub, GitLab and AWS, addresses of
// Slack's incoming webhooks, private keys, passwords in addresses.
var shape = regexp.MustCompile(`xox[a-z]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}|hooks\.slack\.com/[a-z]+/[0-9A-Za-z/_-]{20,}|` +
	`-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_[0-9A-Za-z_]{30,}|` +
	`\bglpat-[0-9A-Za-z_-]{20,}|://[^/\s:@{}"']+:[^/\s:@{}"'$]+@`)

// hints are texts of which each shape holds one. Looking for them is much faster.
func hints() []string {
	return []string{"xox", "xapp-", "hooks.slack.com/", "PRIVATE KEY-----", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "://"}
}

// Mask replaces what looks like a secret, so that a line can be shown. What is behind keeps its place.
func Mask(text string) string {
	return shape.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("•", utf8.RuneCountInString(s)) })
}

// shapes looks at the whole file, comments and macros included.
func (b *book) shapes() {
	hints, number := hints(), 0
	for line := range strings.Lines(string(b.Source)) {
		number++
		if !slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(line, h) }) {
			continue
		}
		for _, at := range shape.FindAllStringIndex(line, -1) {
			b.report(playbooks.Pos{Line: number, Column: 1 + utf8.RuneCountInString(line[:at[0]])}, "", "a secret stands in the file")
		}
	}
}

// secretKeys looks for literal values under keys that are called like secrets.
func (b *book) secretKeys(v playbooks.Value) {
	for _, e := range v.Entries() {
		if text := literal(e.Value); secretName(e.Key) && text != "" && !points(text) && !shape.MatchString(text) {
			b.hide(e.Value.Pos())
			b.report(e.Value.Pos(), "", "the value of %s stands in the file", e.Key)
		}
		b.secretKeys(e.Value)
	}
	for _, item := range v.Items() {
		b.secretKeys(item)
	}
}

// points reports whether a value says where a secret is, or is no secret at all.
func points(text string) bool {
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "file:") || strings.HasPrefix(text, "env:") ||
		text == "true" || text == "false"
}

// secretName reports whether something is called like a secret: its last word decides.
func secretName(name string) bool {
	w := words(name)
	if len(w) == 0 {
		return false
	}
	last := w[len(w)-1]
	if slices.Contains([]string{"token", "password", "passwd", "pwd", "passphrase", "secret", "apikey", "authorization"}, last) {
		return true
	}
	return last == "key" && len(w) > 1 && slices.Contains([]string{"api", "access", "secret", "private"}, w[len(w)-2])
}

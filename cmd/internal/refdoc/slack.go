package refdoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/bot"
)

// Manifest is a manifest of the Slack app as people paste it: YAML, or JSON.
func Manifest(m bot.Manifest, asJSON bool) ([]byte, error) {
	var out bytes.Buffer
	if asJSON {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(m)
		return out.Bytes(), err
	}
	out.WriteString("# Create the app at https://api.slack.com/apps: Create New App, From a manifest, and paste this.\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(m); err != nil {
		return nil, err
	}
	err := enc.Close()
	return out.Bytes(), err
}

// Scopes is the table of the scopes that the manifest asks for.
func Scopes() string {
	var b strings.Builder
	b.WriteString("| scope | what it is for | without it |\n|---|---|---|\n")
	for _, s := range bot.Scopes() {
		without := s.Without
		if s.Required {
			without = "**no bot**: " + without
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, s.For, without)
	}
	return b.String()
}

// Insert puts a text between the two comments of a document that name it.
func Insert(doc, name, text string) (string, error) {
	begin, end := "<!-- "+name+": made by go test ./cmd/internal/refdoc -update -->\n", "<!-- end of "+name+" -->\n"
	before, rest, found := strings.Cut(doc, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("the document lacks the lines\n%s%s", begin, end)
	}
	return before + begin + text + end + after, nil
}

package playbooks

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const secretType = "Secret"

const (
	// MinSecret is how many characters a secret has at least, apart from the spaces around it. To take
	// a shorter one out of what a run shows would take ordinary text with it.
	MinSecret = 4
	// MaxSecret is how many bytes a secret has at most: ample for a chain of certificates.
	MaxSecret = 64 << 10
)

// Secret reports whether the value is used and never stored or shown.
func (in Input) Secret() bool { return in.Type == secretType }

// Secrets are the inputs of the playbook whose values are used and never stored or shown.
func (p *Playbook) Secrets() []Input {
	var out []Input
	for _, in := range p.Inputs {
		if in.Secret() {
			out = append(out, in)
		}
	}
	return out
}

// checkSecret never repeats the value: its errors are shown and kept.
func (in Input) checkSecret(value any) error {
	s, isText := value.(string)
	switch bare := strings.TrimSpace(s); {
	case !isText:
		return errors.New("it is not text")
	case !utf8.ValidString(s):
		return errors.New("it is not text in UTF-8; encode it, in base64 for example")
	case utf8.RuneCountInString(bare) < MinSecret:
		return fmt.Errorf("it has fewer than %d characters, and what is so short cannot be kept out of what the run shows; choose a longer one", MinSecret)
	case strings.Trim(bare, "*") == "":
		return errors.New("it consists of *, which stands where a secret was; choose another one")
	case len(s) > MaxSecret:
		return fmt.Errorf("it has more than %d bytes; hand over a reference to something as large as that", MaxSecret)
	case in.Validation.Check(s) != nil:
		return fmt.Errorf("it is not %s", in.Validation.Describe())
	}
	return nil
}

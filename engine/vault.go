package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/playbot/playbot/playbooks"
)

// secretKeySize is the least size of [Options.SecretKey], in bytes.
const secretKeySize = 32

// vault holds the secret inputs of one run, in memory only, and the redactor that knows them.
type vault struct {
	mu     sync.Mutex // guards what follows
	base   []string   // secrets of the program
	values map[string]string
	around []string // of the runs that this one belongs to
	redact *redactor
	asked  bool // this process has asked for what it lacks
}

func newVault(program []string, redact *redactor) *vault {
	return &vault{base: program, values: map[string]string{}, redact: redact}
}

// put adds secrets of the run, and of the runs that it belongs to; from here on nothing shows them.
func (v *vault) put(values map[string]string, around ...string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	maps.Copy(v.values, values)
	v.around = unique(append(v.around, around...))
	v.redact = newRedactor(v.base, v.all()...)
}

func (v *vault) all() []string {
	return slices.AppendSeq(slices.Clone(v.around), maps.Values(v.values))
}

// known are all secrets that nothing of the run shows, apart from those of the program.
func (v *vault) known() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all()
}

func (v *vault) get(name string) (string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.values[name]
	return s, ok
}

// redactor is safe to keep for one sentence, and no longer: secrets may be added.
func (v *vault) redactor() *redactor {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.redact
}

// lacks are the secrets among names that are not here, sorted.
func (v *vault) lacks(names map[string]string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for name := range names {
		if _, ok := v.values[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// ask reports whether this process has not asked yet, and notes that it does now.
func (v *vault) ask() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	first := !v.asked
	v.asked = true
	return first
}

// errSecretLost says that a secret went with the process that knew it.
var errSecretLost = errors.New("the secret is not known any more: playbot keeps secrets in memory only, and has been restarted since it was given")

// sealedInputs are the inputs of a run, parted: what is written down, and what is not.
type sealedInputs struct {
	shown   map[string]any    // secrets masked
	digests map[string]string // of the secrets, by input
	values  map[string]string // the secrets
}

// seal parts the inputs of a run and refuses what could not be kept from being shown.
func (e *Engine) seal(id RunID, book *playbooks.Playbook, inputs map[string]any) (sealedInputs, error) {
	out := sealedInputs{values: map[string]string{}, digests: map[string]string{}}
	rest := maps.Clone(inputs)
	for _, in := range book.Secrets() {
		v, given := inputs[in.Name]
		switch {
		case !given && in.Required:
			return out, Errorf(CodeInvalid, "the secret %q of %s was not given, so nothing was started; give it with the request", in.Name, book.Name)
		case !given:
			continue
		}
		if err := in.Check(v); err != nil {
			return out, Errorf(CodeInvalid, "nothing was started; the secret %q: %v", in.Name, err)
		}
		out.values[in.Name], _ = v.(string)
		delete(rest, in.Name)
	}
	if len(out.values) == 0 {
		out.shown = e.redact.tree(rest)
		return out, nil
	}
	if len(e.opts.SecretKey) < secretKeySize {
		return out, Errorf(CodeInvalid, "nothing was started: %s takes secrets, and this playbot has no key to recognise them by; set one up", book.Name)
	}
	redact := newRedactor(e.opts.Secrets, slices.Collect(maps.Values(out.values))...)
	for name, v := range rest {
		if plain := e.redact.value(v); redact.hides(plain) {
			return out, Errorf(CodeInvalid, "nothing was started: the input %q holds the value of a secret, and inputs are written down; leave the secret out of it", name)
		}
	}
	if out.shown = e.redact.tree(rest); out.shown == nil {
		out.shown = map[string]any{}
	}
	for name, s := range out.values {
		out.shown[name], out.digests[name] = Masked, e.secretDigest(id, name, s)
	}
	return out, nil
}

// secretDigest identifies a secret to whoever has the key, within one run and one input: equal secrets
// of two runs have different digests.
func (e *Engine) secretDigest(id RunID, name, secret string) string {
	h := hmac.New(sha256.New, e.opts.SecretKey)
	for _, part := range []string{string(id), name, secret} { // ids and names hold no zero byte
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// vault is where the secrets of a run are while it goes on; nil when nothing is known of the run.
func (e *Engine) vault(id RunID) *vault {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.sessions[id]; ok {
		return s.vault
	}
	return nil
}

// masker removes the secrets that are known of a run.
func (e *Engine) masker(id RunID) *redactor {
	if v := e.vault(id); v != nil {
		return v.redactor()
	}
	return e.redact
}

func (p *performer) redact() *redactor { return p.session.vault.redactor() }

package commands

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// typedSecret refuses a line with the value of a secret in it. It does not repeat the value.
func typedSecret(from engine.Origin, book *playbooks.Playbook, a args) error {
	for _, w := range a.sets {
		if in, ok := book.Input(w.name); !ok || !in.Secret() {
			continue
		}
		if from == engine.OriginTerminal {
			return wrong(w.col, "the input %q is a secret, and the list of processes and the history of the shell show what is typed, so nothing was started; leave it out to be asked for it, or write --secret %s=@FILE, --secret %s=- for standard input, or --secret %s=env:VARIABLE",
				w.name, w.name, w.name, w.name)
		}
		return wrong(w.col, "the input %q is a secret, and chat keeps what is typed, so nothing was started; replace the secret, since others may have read it, and leave it out of the line; %s", w.name, inForm(book))
	}
	return nil
}

// inForm says how a playbook is started with a secret in chat. One without a secret that must be given
// starts at once when it is named.
func inForm(book *playbooks.Playbook) string {
	for _, in := range book.Secrets() {
		if in.Required {
			return fmt.Sprintf("`run %s` asks for it in a form", book.Name)
		}
	}
	return "`run` without a playbook opens a form that takes it"
}

// addSecrets adds what was given apart from the line.
func addSecrets(given map[string]any, q Request, book *playbooks.Playbook) error {
	for _, name := range slices.Sorted(maps.Keys(q.Secrets)) {
		if in, ok := book.Input(name); !ok || !in.Secret() {
			return engine.Errorf(engine.CodeInvalid, "%s has no secret input %q%s; nothing was started", book.Name, Clean(short(name, 40)), secretsOf(book))
		}
		given[name] = q.Secrets[name]
	}
	for _, in := range book.Secrets() { // elsewhere a form asks for them
		if _, ok := given[in.Name]; !ok && in.Required && q.Origin == engine.OriginTerminal {
			return engine.Errorf(engine.CodeInvalid, "%s asks for the secret %q, and nobody is at the terminal to give it; write --secret %s=@FILE or --secret %s=env:VARIABLE", book.Name, in.Name, in.Name, in.Name)
		}
	}
	return nil
}

func secretsOf(book *playbooks.Playbook) string {
	var names []string
	for _, in := range book.Secrets() {
		names = append(names, in.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return ", but " + strings.Join(names, ", ")
}

// withoutSecrets are inputs as people may read them.
func withoutSecrets(book *playbooks.Playbook, inputs map[string]any) map[string]any {
	out := maps.Clone(inputs)
	for _, in := range book.Secrets() {
		if _, ok := out[in.Name]; ok {
			out[in.Name] = engine.Masked
		}
	}
	return out
}

// unsecret leaves out of a line, which is shown again, what may be the value of a secret, also when its
// name is misspelt or there is a space behind the =.
func (c *Commands) unsecret(who engine.Actor, words []word) []word {
	var secrets []string
	for _, b := range c.visible(who) {
		for _, in := range b.Secrets() {
			secrets = append(secrets, in.Name)
		}
	}
	var out []word
	loose := false
	for _, w := range words {
		name := strings.ToLower(w.name)
		secret := w.kind == assignment && (slices.ContainsFunc(secrets, func(s string) bool { return strings.EqualFold(s, name) }) || playbooks.Nearest(name, secrets) != "")
		if !secret && !loose {
			out = append(out, w)
		}
		loose = secret && w.value.text == ""
	}
	return out
}

// LostSecrets says which secrets a run waits for after a restart, and how they are given; empty when
// it waits for none.
func LostSecrets(r *engine.Run) string {
	names := make([]string, len(r.SecretsNeeded))
	for i, name := range r.SecretsNeeded {
		names[i] = fmt.Sprintf("%q", name)
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "It waits for the secret " + names[0] + ", which was lost when playbot was restarted. " + givenAgain(r, "it")
	}
	return "It waits for the secrets " + strings.Join(names, ", ") + ", which were lost when playbot was restarted. " + givenAgain(r, "them")
}

// givenAgain says how lost secrets are given again, by where the run was started.
func givenAgain(r *engine.Run, them string) string {
	switch p := r.Requested.Parent; {
	case p != nil:
		return fmt.Sprintf("Run %s, which started it, hands them on once it has its own.", p.Run.Short())
	case r.Requested.Origin == engine.OriginTerminal:
		return "The next `playbot run` asks for " + them + " again."
	}
	return "The button \"Give secrets\" asks for " + them + " in a form."
}

package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Where things are said that are said in no channel.
const (
	Direct   = "dm"       // a direct message to the bot, or its Home tab
	Terminal = "terminal" // `playbot run`
)

// Check says what is wrong with a role; nil when nothing is.
func (r Role) Check() error {
	if r.Name == "" {
		return fmt.Errorf("a role has no name; give it one, such as \"deployer\"")
	}
	for _, v := range r.May {
		if !slices.Contains(Verbs(), v) {
			return fmt.Errorf("role %q: unknown verb %q; use %s", r.Name, v, Either(texts(Verbs())))
		}
	}
	if slices.Contains(r.May, BreakGlass) && slices.Contains(r.Members, "*") {
		return fmt.Errorf("role %q: %s is not for everybody; name people in its members", r.Name, BreakGlass)
	}
	for name, v := range r.Inputs {
		if err := v.Check(); err != nil {
			return fmt.Errorf("role %q: input %q: %w", r.Name, name, err)
		}
	}
	if r.MaxNodes < 0 || r.MaxRuns < 0 {
		return fmt.Errorf("role %q: a limit is 1 or more; leave it out where there is none", r.Name)
	}
	for _, p := range r.Playbooks {
		if err := CheckPattern(p); err != nil {
			return fmt.Errorf("role %q: %w", r.Name, err)
		}
	}
	return nil
}

// lists reports whether a role names somebody by their id.
func (r Role) lists(who Subject) bool {
	return slices.ContainsFunc(r.Members, func(m string) bool {
		team, user, qualified := strings.Cut(m, "/")
		if qualified {
			return team == who.Team && user == who.User
		}
		return m == "*" || m == who.User
	})
}

// grants includes viewing in every other verb, steering in cancelling, and planning in running.
func (r Role) grants(verb Verb) bool {
	switch {
	case slices.Contains(r.May, verb):
		return true
	case verb == View:
		return len(r.May) > 0
	case verb == Steer:
		return slices.Contains(r.May, Cancel)
	case verb == Plan:
		return slices.Contains(r.May, Run)
	}
	return false
}

// at is the place of a role in its file, in brackets; empty when it is not known.
func (r Role) at() string {
	if r.Where == "" {
		return ""
	}
	return " (" + r.Where + ")"
}

// Bounds says in words within which bounds a role lets people do something; empty when there are none.
func (r Role) Bounds() string {
	var out []string
	for _, name := range sortedKeys(r.Inputs) {
		out = append(out, "only with "+name+" "+r.Inputs[name].String())
	}
	if len(r.Channels) > 0 {
		out = append(out, "only in "+places(r.Channels))
	}
	if r.MaxNodes > 0 {
		out = append(out, "on at most "+count(r.MaxNodes, "node"))
	}
	if r.MaxRuns > 0 {
		out = append(out, "with at most "+count(r.MaxRuns, "run")+" of theirs under way")
	}
	return strings.Join(out, ", ")
}

// places names places in a sentence.
func places(list []string) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = placeName(p)
	}
	return Either(words)
}

func placeName(p string) string {
	switch p {
	case Direct:
		return "direct messages"
	case Terminal:
		return "the terminal"
	}
	return "channel " + p
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func texts(verbs []Verb) []string {
	out := make([]string, len(verbs))
	for i, v := range verbs {
		out[i] = string(v)
	}
	return out
}

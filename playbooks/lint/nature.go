package lint

import (
	"strings"
	"unicode"

	"github.com/playbot/playbot/playbooks"
)

// nature is what lint takes a task for, from its type and its action alone.
type nature struct {
	what    string // names it in messages
	changes bool   // it changes things by what it is
	program bool   // it runs a program, which may do anything
	repeats bool   // doing it twice is more than doing it once
}

// natureOf tells what changes things: an action that policy lists as read-only does not; otherwise
// its verb decides.
func (b *book) natureOf(t *playbooks.Task) nature {
	n, known := b.natures[t]
	if !known {
		n = b.judge(t)
		b.natures[t] = n
	}
	return n
}

func (b *book) judge(t *playbooks.Task) nature {
	action := t.Properties.Lookup("action")
	switch {
	case isMcollective(t.Type):
		return b.natureOfAction(action)
	case t.Type == "shell":
		return nature{what: "a shell command", program: true, repeats: true}
	case t.Type == "terraform" && literal(action) != "plan":
		return nature{what: strings.TrimSpace("terraform " + action.Source()), changes: true}
	case t.Type == "razor":
		return nature{what: "razor", changes: true, repeats: true}
	}
	return nature{what: t.Type}
}

func (b *book) natureOfAction(action playbooks.Value) nature {
	source := action.Source()
	n := nature{what: source}
	if source == "" || literal(action) != "" && b.readOnly(source) {
		return n
	}
	_, verb, _ := strings.Cut(source, ".")
	if strings.Contains(verb, "{{") {
		return nature{what: source, changes: true, repeats: true} // it may be any
	}
	for _, word := range words(verb) {
		if again, known := b.verbs[word]; known {
			n.changes = true
			n.repeats = n.repeats || again
		}
	}
	return n
}

func (b *book) readOnly(action string) bool {
	return b.options.Policy != nil && b.options.Policy.ReadOnly(action)
}

// verbs are the words for changes in the names of actions, and whether doing one twice is more than
// doing it once. What brings back into service, such as start and enable, is none of them.
func verbs() map[string]bool {
	return map[string]bool{
		"apply": true, "decommission": false, "delete": false, "demote": true, "deploy": true, "destroy": false,
		"disable": false, "downgrade": true, "drain": false, "drop": false, "erase": false, "evacuate": false,
		"exec": true, "execute": true, "failover": true, "flush": false, "format": true, "halt": false,
		"install": false, "kill": false, "offline": false, "poweroff": false, "promote": true, "prune": false,
		"purge": false, "reboot": true, "rebuild": true, "reimage": true, "reinstall": true, "remove": false,
		"reset": true, "restart": true, "restore": true, "rollback": true, "run": true, "runonce": true,
		"shutdown": false, "stop": false, "suspend": false, "switchover": true, "terminate": false,
		"truncate": false, "uninstall": false, "update": true, "upgrade": true, "wipe": false,
	}
}

// words splits a name at what is neither letter nor digit, and before capitals.
func words(name string) []string {
	var out []string
	word, lower := "", false
	for _, r := range name {
		other := !unicode.IsLetter(r) && !unicode.IsDigit(r)
		if word != "" && (other || unicode.IsUpper(r) && lower) {
			out, word = append(out, strings.ToLower(word)), ""
		}
		if !other {
			word += string(r)
		}
		lower = unicode.IsLower(r)
	}
	if word != "" {
		out = append(out, strings.ToLower(word))
	}
	return out
}

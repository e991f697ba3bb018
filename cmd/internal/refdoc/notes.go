package refdoc

import (
	"fmt"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// taskNotes say what a crash and a policy make of a task: of the first one of the type in the example.
// reading is the type where every action only reads.
func taskNotes(book *playbooks.Playbook, t, reading engine.TaskType) []string {
	var first *playbooks.Task
	for i := range book.Tasks {
		if book.Tasks[i].Type == t.Name && first == nil {
			first = &book.Tasks[i]
		}
	}
	task, err := t.Decode(playbooks.Unrendered(first.Properties))
	if err != nil || task == nil {
		return nil // which Parse would have told
	}
	names := "`" + t.Name + "`"
	if named, ok := task.(engine.ActionNamed); ok && named.ActionName() != "" {
		names += fmt.Sprintf(" or the action, here `%s`,", named.ActionName())
	}
	notes := []string{
		fmt.Sprintf("It stops and asks first with `destructive: true`, or where a pattern of the policy's `gates` matches %s.", trimComma(names)),
		"A try of the example that a crash cut off: " + afterCrash(task.Effect()),
	}
	if other, err := reading.Decode(playbooks.Unrendered(first.Properties)); err == nil && other.Effect() != task.Effect() {
		notes = append(notes, "An action that the policy lists under `read_only` changes nothing: "+afterCrash(other.Effect()))
	}
	if _, ok := task.(engine.Targeted); ok {
		notes = append(notes, "It acts on nodes: an approval covers exactly the nodes that it showed, and more that appear meanwhile are never touched.")
	}
	return notes
}

func trimComma(s string) string {
	if s[len(s)-1] == ',' {
		return s[:len(s)-1]
	}
	return s
}

// afterCrash says what a resume does with an attempt that was cut off.
func afterCrash(e engine.Effect) string {
	switch e {
	case engine.ReadOnly:
		return "it goes again by itself, since it only reads."
	case engine.Idempotent:
		return "it goes again by itself, since doing it twice is doing it once."
	case engine.Once:
		return "the run asks a person what became of it, unless the task has `idempotent: true`."
	}
	return "the run asks."
}

// storeNotes say whether a data store can lock.
func storeNotes(book *playbooks.Playbook, t engine.DataStoreType) []string {
	for _, s := range book.DataStores {
		if s.Type != t.Name {
			continue
		}
		store, err := t.Decode(playbooks.Unrendered(s.Properties))
		if err != nil || store == nil {
			return nil // which Parse would have told
		}
		if _, ok := store.(engine.Locker); ok {
			return []string{"It can lock: `locks` may name it."}
		}
		return []string{"It cannot lock: `locks` may not name it."}
	}
	return nil
}

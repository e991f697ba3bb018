package demoreal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Act is a request to an agent that acts on its machine, as the machine's Choria server wrote it down.
type Act struct {
	Node   string
	Caller string // slack=<team>.<user>
	Action string // puppet.disable
}

// acts reads the audit logs of all machines, in the order of machines.
func (w *World) acts() ([]Act, error) {
	var all []Act
	for _, m := range slices.Concat(w.lbs, w.webs) {
		found, err := m.acts()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func (m *machine) acts() ([]Act, error) {
	file, err := os.Open(m.auditFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // nobody has asked it for anything
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var acts []Act
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var entry struct {
			Caller string `json:"caller"`
			Agent  string `json:"agent"`
			Action string `json:"action"`
		}
		if err := json.Unmarshal(lines.Bytes(), &entry); err != nil {
			return nil, fmt.Errorf("%s: %w", m.auditFile(), err)
		}
		if slices.Contains(m.agents, entry.Agent) {
			acts = append(acts, Act{Node: m.name, Caller: entry.Caller, Action: entry.Agent + "." + entry.Action})
		}
	}
	return acts, lines.Err()
}

// without are the acts that were not there before; both are in the order of machines.
func without(acts, before []Act) []Act {
	left := make(map[Act]int)
	for _, a := range before {
		left[a]++
	}
	return slices.DeleteFunc(slices.Clone(acts), func(a Act) bool {
		left[a]--
		return left[a] >= 0
	})
}

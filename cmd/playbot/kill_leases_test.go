package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// A run that waits at a gate has its node, also after a SIGKILL; others that want that node have
// nothing, and wait.
func TestServe_killFreesNoNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	node := s.Fleet.Nodes()[0].Name
	for _, name := range []string{"web_first", "web_second", "web_third"} {
		book := fmt.Sprintf("name: %s\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: Disables puppet\nrun_as: choria=test.user\n"+
			"tasks: [{mcollective: {nodes: [%s], action: puppet.disable, destructive: true}}]\n", name, node)
		if err := os.WriteFile(filepath.Join(s.Config.Playbooks, name+".yaml"), []byte(book), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	begin := func() {
		s.start()
		s.poll("the bot to connect", func() bool { return s.Workspace.Connected() > 0 })
	}
	waiting := func(runs int) func() bool {
		return func() bool { return strings.Count(s.command("/playbook status"), "waits for "+node+": run ") == runs }
	}
	begin()
	s.command("/playbook run web_first")
	s.poll("the gate", func() bool { _, ok := s.showing("Approve"); return ok })
	s.command("/playbook run web_second")
	s.poll("the second run to wait", waiting(1))
	s.serve.kill()
	begin()
	s.command("/playbook run web_third") // what is said of the second may still be from before
	s.poll("both other runs to wait", waiting(2))
	s.serve.kill()
	runs, events := s.runs()
	var all []engine.Event
	for _, run := range runs {
		all = append(all, events[run.ID]...)
		want := map[string]int{"web_first": 1}[run.Requested.Playbook.Name]
		if len(run.Leases) != want || !run.Ended.IsZero() {
			t.Errorf("%s has %v reserved, want %d nodes; it is %s: %s", run.Requested.Playbook.Name, run.Leases, want, run.Status, run.Message)
		}
	}
	for _, problem := range enginetest.CheckLeases(all, func(engine.RunRequested) bool { return false }) {
		t.Error(problem)
	}
}

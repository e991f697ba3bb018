package bot

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

func TestAskedPeople_areThoseWhoseWordCounts(t *testing.T) {
	t.Parallel()
	run := fold(requested(inputs())) // by UANA of T1
	for _, row := range []struct {
		name      string
		approvers []string
		own       bool
		want      string
	}{
		{"without the requester", []string{"UANA", "UBEN", "T1/UCAT", "T2/UFOX", "bad<id"}, false, "<@UBEN> <@UCAT>"},
		{"with the requester when the policy lets them", []string{"UANA", "UBEN"}, true, "<@UANA> <@UBEN>"},
		{"nobody of another workspace even then", []string{"T2/UANA", "UBEN"}, true, "<@UBEN>"},
		{"anybody else", []string{"*"}, false, "anybody but the requester"},
		{"anybody at all", []string{"*"}, true, "anybody"},
		{"nobody", []string{"UANA"}, false, "somebody who may approve; nobody else is configured for this playbook"},
	} {
		b := &Bot{opts: Options{Approvers: func(string, ...string) []string { return row.approvers }, OwnApproval: row.own}}
		if got := b.askedPeople(run, &engine.Approval{}); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestAskedPeople_areOfTheRolesAndHaveNotAnswered(t *testing.T) {
	t.Parallel()
	all := &Bot{opts: Options{Approvers: func(string, ...string) []string { return []string{"*"} }}}
	if run := twoAsked(yes("a1", ben(), "")); all.askedPeople(run, run.Pending()) != "anybody but the requester and those who have approved" {
		t.Errorf("where all may approve, and ben has: got %q", all.askedPeople(run, run.Pending()))
	}
	half := twoAsked(engine.ApprovalGiven{Approval: "a1", Actor: ben(), Role: "sre"})
	if got := drawer().askedPeople(half, half.Pending()); got != "<@UCAT>" {
		t.Errorf("with the roles of the gate, and ben's yes: got %q, want only cat", got)
	}
}

func TestCounted_saysHowManyNodesOnce(t *testing.T) {
	t.Parallel()
	nodes := engine.Result{OKNodes: []string{"a", "b"}, FailedNodes: []string{"c"}}
	for message, want := range map[string][2]string{
		"2 of 3 ok":                         {"2 of 3 nodes ok", ""},
		"2 of 3 nodes ok":                   {"2 of 3 nodes ok", ""},
		"2 of 3 ok: 2 × ok":                 {"2 of 3 nodes ok", ""},
		"1 of 1 ok":                         {"1 of 1 node ok", ""},
		"2 of 3 ok: 2 × revision=abc":       {"2 of 3 nodes ok", "2 × revision=abc"},
		"2 of 3 ok; 1 failed: c said \"x\"": {"2 of 3 nodes ok", ""},
		"2 of 5 ok; 2 were not asked":       {"2 of 5 nodes ok", "2 were not asked"},
		"2 of 3 okay":                       {"2 of 3 nodes ok", "2 of 3 okay"},
		"done\n":                            {"2 of 3 nodes ok", "done"},
	} {
		s := then(underWay(), attempts("tasks.2", 1), fails("tasks.2", 1, nodes), ends("tasks.2", engine.TaskFailed, message)).Steps["tasks.2"]
		if count, rest := counted(s); count != want[0] || rest != want[1] {
			t.Errorf("%q: got %q and %q, want %q", message, count, rest, want)
		}
		s.Attempts[0].Outcome.Result = engine.Result{} // of a task that touches no nodes, whose words are its own
		if count, rest := counted(s); count != "" || !slices.Contains([]string{message, message[:len(message)-1]}, rest) {
			t.Errorf("%q without nodes: got %q and %q", message, count, rest)
		}
	}
}

func TestNamesAll_readsWholeNames(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text  string
		nodes []string
		want  bool
	}{
		{"1 failed: web1.x said \"no\"", []string{"web1.x"}, true},
		{"2 did not answer: web1, web2", []string{"web1", "web2"}, true},
		{"1 failed: web10", []string{"web1"}, false},
		{"3 failed: web1, web2 and 1 more", []string{"web1", "web2", "web3"}, false},
		{"", []string{"web1"}, false},
	} {
		if got := namesAll(row.text, row.nodes); got != row.want {
			t.Errorf("%q names all of %q: %t", row.text, row.nodes, got)
		}
	}
}

func TestRender_givesNoButtonsToWhatWasCut(t *testing.T) {
	t.Parallel()
	whole := strings.Repeat("x", 1400)
	var blocks []commands.Block
	for range 12 { // more than a message holds
		blocks = append(blocks, commands.Preformatted{Text: whole}, commands.Buttons{Items: commands.ApprovalButtons(sampleID, &engine.Approval{ApprovalAsked: engine.ApprovalAsked{Approval: "a1"}})})
	}
	drawn := render(commands.Reply{Blocks: blocks}).blocks
	rows := 0
	for i, b := range drawn {
		if _, isRow := b.(*slack.ActionBlock); !isRow {
			continue
		}
		rows++
		if i == 0 || !strings.Contains(encoded(t, message{blocks: drawn[i-1 : i]}), whole) {
			t.Errorf("the buttons of row %d stand beside what was cut", rows)
		}
	}
	if rows == 0 || rows == 12 {
		t.Errorf("%d rows of buttons are drawn", rows)
	}
}

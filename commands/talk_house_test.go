package commands_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/engine/policy"
	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/store"
)

// talk is a conversation under way.
type talk struct {
	t        *testing.T
	store    *store.Store
	house    *enginetest.House
	library  *playbooks.Library
	commands *commands.Commands
	books    string
	files    []txtar.File
	runs     []engine.RunID
	lines    int
	drawn    []commands.Button                  // of the latest answer with buttons
	posted   map[engine.RunID][]commands.Button // in the threads of runs
	hold     map[string]chan struct{}           // tasks that hang
	asks     *commands.Form                     // the latest form
	forms    int                                // how many were opened
	sent     commands.Submission                // the latest
	anew     bool                               // what is asked next is another form than the latest
}

// ownApproval is the part of a conversation in which people may approve what they asked for.
const ownApproval = "own_approval"

// bounds is the part of a conversation in which lou has a role within bounds.
const bounds = "bounds"

func bounded() policy.Role {
	return policy.Role{
		Name: "bravo_crew", Where: "playbot.yaml:31", Members: []string{"ULOU"}, May: []policy.Verb{policy.Run, policy.Cancel},
		Playbooks: []string{"web_*"}, Inputs: map[string]policy.Values{"tier": {Like: []string{"bravo"}}}, MaxNodes: 5, MaxRuns: 2,
	}
}

func rules() policy.Rules {
	return policy.Rules{Roles: []policy.Role{
		{Name: "deployer", Members: []string{"UANA", "UBEN"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"web_*"}},
		{Name: "approver", Members: []string{"UBEN", "UEVE"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"web_*"}},
		{Name: "sre", Members: []string{"UBEN", "UCAT"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"two_*"}},
		{Name: "dba", Members: []string{"UDAN"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"two_*"}},
		{Name: "two", Members: []string{"UANA"}, May: []policy.Verb{policy.Run, policy.Cancel}, Playbooks: []string{"two_*"}},
		{Name: "viewer", Members: []string{"UVIC"}, May: []policy.Verb{policy.View}, Playbooks: []string{"web_check"}},
		{Name: "paymaster", Members: []string{"UPAM"}, May: []policy.Verb{policy.Run, policy.Cancel, policy.Approve}, Playbooks: []string{"*"}},
	}}
}

func newTalk(t *testing.T, dir string, files []txtar.File) *talk {
	t.Helper()
	log, err := store.Open(filepath.Join(dir, "playbot.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	k := &talk{
		t: t, store: log, books: filepath.Join(dir, "books"), files: files,
		posted: map[engine.RunID][]commands.Button{}, hold: map[string]chan struct{}{},
	}
	law := rules()
	for _, f := range files {
		law.OwnApproval = law.OwnApproval || f.Name == ownApproval
		if f.Name == bounds {
			law.Roles = append(law.Roles, bounded())
		}
		if !strings.HasPrefix(f.Name, "later/") && f.Name != "talk" && f.Name != ownApproval && f.Name != bounds {
			k.write(f.Name, f.Data)
		}
	}
	k.house = enginetest.NewHouse(t, log, func(o *engine.Options) {
		if o.Policy, err = policy.New(law); err != nil {
			t.Fatal(err)
		}
		if k.library, err = playbooks.OpenLibrary(k.books, o.Types); err != nil {
			t.Fatal(err)
		}
		o.Books = k.library
	})
	for _, name := range []string{"look", "drain", "install", "sorry", "cleanup", "check", "pay"} {
		k.house.Script.On(name, takes)
	}
	k.open()
	return k
}

// takes is a task that takes a second.
func takes(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
	select {
	case <-time.After(time.Second):
		return engine.Result{Message: "done"}, nil
	case <-ctx.Done():
		return engine.Result{}, context.Cause(ctx)
	}
}

func (k *talk) open() {
	k.t.Helper()
	var err error
	k.commands, err = commands.New(commands.Deps{Engine: k.house.Engine, History: k.store, Books: k.library})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *talk) write(name string, data []byte) {
	k.t.Helper()
	if err := os.WriteFile(filepath.Join(k.books, name), data, 0o600); err != nil {
		k.t.Fatal(err)
	}
}

func actor(name string) engine.Actor {
	return engine.Actor{Team: "T1", User: "U" + strings.ToUpper(name), Name: name}
}

// settle lets ten seconds pass, learns of new runs and keeps the buttons that their threads show.
func (k *talk) settle() {
	k.t.Helper()
	time.Sleep(10 * time.Second)
	synctest.Wait()
	found, err := k.store.Find(k.t.Context(), engine.HistoryQuery{Limit: 100})
	if err != nil {
		k.t.Fatal(err)
	}
	slices.SortFunc(found, func(a, b engine.Summary) int {
		return int(k.house.Events(a.Run)[0].Pos) - int(k.house.Events(b.Run)[0].Pos)
	})
	for _, s := range found {
		if !slices.Contains(k.runs, s.Run) {
			k.runs = append(k.runs, s.Run)
		}
		k.watch(s.Run)
	}
}

func (k *talk) watch(id engine.RunID) {
	k.t.Helper()
	run, err := k.house.Engine.Load(k.t.Context(), id)
	if err != nil {
		k.t.Fatal(err)
	}
	shown := append(commands.CardButtons(run), commands.ShowButton(id))
	if a := run.Pending(); a != nil {
		shown = append(shown, commands.ApprovalButtons(id, a)...)
	}
	if s := run.Unknown(); s != nil {
		shown = append(shown, commands.ResolveButtons(id, s.Path, s.Last().Attempt)...)
	}
	for _, old := range append(k.posted[id], commands.CancelButton(id)) { // somebody may still have a message before them as it was
		if !slices.ContainsFunc(shown, func(b commands.Button) bool { return b.Label == old.Label }) {
			shown = append(shown, old)
		}
	}
	k.posted[id] = shown
}

// check holds every run against the promises of the design.
func (k *talk) check() {
	k.t.Helper()
	for i, id := range k.runs {
		for _, problem := range enginetest.Check(k.house.Events(id)) {
			k.t.Errorf("run %d: %s", i+1, problem)
		}
	}
}

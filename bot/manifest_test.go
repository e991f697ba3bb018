package bot

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/playbot/playbot/bot/workspace"
)

// clientMethods are the methods of slack-go that this package calls, and what each calls at Slack.
func clientMethods() map[string][]string {
	return map[string][]string{
		"AuthTestContext":                {"auth.test"},
		"StartSocketModeContext":         {"apps.connections.open"},
		"PostMessageWithResponseContext": {"chat.postMessage"},
		"DeleteMessageContext":           {"chat.delete"},
		"GetConversationRepliesContext":  {"conversations.replies"},
		"GetConversationHistoryContext":  {"conversations.history"},
		"PostEphemeralContext":           {"chat.postEphemeral"},
		"UpdateMessageContext":           {"chat.update"},
		"GetUserInfoContext":             {"users.info"},
		"PublishViewContext":             {"views.publish"},
		"GetPermalinkContext":            {"chat.getPermalink"},
		"OpenViewContext":                {"views.open"},
		"UpdateViewContext":              {"views.update"},
		"GetConversationInfoContext":     {"conversations.info"},
		"GetConversationsContext":        {"conversations.list"},
		"GetUserGroupMembersContext":     {"usergroups.users.list"},
	}
}

// called lists the methods of the Slack client in the sources of this package: whatever is called on
// something that is named api.
func called(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			switch on := method.X.(type) {
			case *ast.SelectorExpr:
				ok = on.Sel.Name == "api"
			case *ast.Ident:
				ok = on.Name == "api"
			default:
				ok = false
			}
			if ok && !slices.Contains(out, method.Sel.Name) {
				out = append(out, method.Sel.Name)
			}
			return true
		})
	}
	return out
}

func TestScopes_coverEveryMethodThatIsCalled(t *testing.T) {
	t.Parallel()
	known, _ := free()
	for _, s := range Scopes() {
		known = append(known, s.Methods...)
	}
	table := clientMethods()
	found := called(t)
	if len(found) < 7 {
		t.Fatalf("only %q were found; the sources are not read right", found)
	}
	var used []string
	for _, name := range found {
		methods, ok := table[name]
		if !ok {
			t.Errorf("%s is called, and this test does not know which method of the Web API that is", name)
		}
		for _, m := range methods {
			if !slices.Contains(known, m) {
				t.Errorf("%s calls %s, which Scopes and free do not list", name, m)
			}
		}
		used = append(used, methods...)
	}
	for _, m := range known {
		if !slices.Contains(used, m) {
			t.Errorf("Scopes or free list %s, which nothing calls", m)
		}
	}
}

// apiError is what a workspace answers to a call with the bot token.
func apiError(t *testing.T, scopes []string, method string) (name, needed string) {
	t.Helper()
	w := workspace.New(workspace.Options{BotToken: "xoxb-1", Scopes: scopes})
	t.Cleanup(w.Stop)
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(srv.Close)
	resp, err := http.PostForm(srv.URL+"/api/"+method, url.Values{"token": {"xoxb-1"}, "channel": {"C0OPS"}, "user": {"U0ANA"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Error, Needed string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Error, answer.Needed
}

// The workspace has its own table of which scope a method needs, made from Slack's pages of the methods.
func TestScopes_areThoseThatSlackWantsForTheirMethods(t *testing.T) {
	t.Parallel()
	methods, _ := free()
	for _, m := range methods {
		if m == "apps.connections.open" {
			continue // takes the app token
		}
		if name, needed := apiError(t, []string{"commands"}, m); name == "missing_scope" || name == "unknown_method" {
			t.Errorf("%s is listed as free, and is refused: %s %s", m, name, needed)
		}
	}
	for _, s := range Scopes() {
		for _, m := range s.Methods {
			if name, needed := apiError(t, []string{"commands"}, m); name != "missing_scope" || !strings.Contains(needed, s.Name) {
				t.Errorf("%s without %s: %q, needed %q", m, s.Name, name, needed)
			}
			if name, _ := apiError(t, ScopeNames(false), m); name == "missing_scope" || name == "unknown_method" {
				t.Errorf("%s with the scopes of the manifest: %q", m, name)
			}
		}
	}
}

func TestScopes_areComplete(t *testing.T) {
	t.Parallel()
	for _, s := range Scopes() {
		if s.For == "" || s.Without == "" {
			t.Errorf("%s does not say what it is for, or what does not work without it", s.Name)
		}
	}
	if got := Lacking(nil); len(got) != len(Scopes()) {
		t.Errorf("without any scope %d are lacking", len(got))
	}
	if got := Lacking(ScopeNames(true)); len(got) != 5 || got[0].Name != "app_mentions:read" {
		t.Errorf("with the minimal scopes %v are lacking", got)
	}
	if got := Lacking(ScopeNames(false)); len(got) != 0 {
		t.Errorf("with all scopes %v are lacking", got)
	}
}

func TestManifest_subscribesOnlyToWhatItsScopesAllow(t *testing.T) {
	t.Parallel()
	for minimal, want := range map[bool][]string{false: {"app_home_opened", "app_mention"}, true: {"app_home_opened"}} {
		m, err := NewManifest(ManifestOptions{Minimal: minimal})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Settings.EventSubscriptions.BotEvents; !slices.Equal(got, want) {
			t.Errorf("minimal %v: events %v, want %v", minimal, got, want)
		}
		if !m.Settings.SocketMode || !m.Settings.Interactivity.Enabled {
			t.Errorf("minimal %v: neither Socket Mode nor buttons may be off: %+v", minimal, m.Settings)
		}
	}
}

func TestManifest_refusesNamesThatSlackDoes(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]ManifestOptions{
		"":                     {Name: "Prod playbooks", Command: "/prod-playbook_2"},
		"at most 35":           {Name: strings.Repeat("ä", 36)},
		"begins with a slash":  {Command: "playbook"},
		"small letters":        {Command: "/Playbook"},
		"at most 31":           {Command: "/" + strings.Repeat("p", 32)},
		"a slash and has at m": {Command: "/play book"},
	} {
		_, err := NewManifest(o)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}

// Limits of Slack's JSON Schema of manifests, major version 1.
func TestManifest_staysWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	m, err := NewManifest(ManifestOptions{Name: strings.Repeat("ä", 35), Command: "/" + strings.Repeat("p", 31)})
	if err != nil {
		t.Fatal(err)
	}
	slash := m.Features.SlashCommands[0]
	for what, c := range map[string]struct {
		text string
		most int
	}{
		"name": {m.Display.Name, 35}, "description": {m.Display.Description, 140}, "color": {m.Display.BackgroundColor, 7},
		"bot": {m.Features.BotUser.DisplayName, 80}, "command": {slash.Command, 32}, "command's description": {slash.Description, 2000}, "hint": {slash.UsageHint, 1000},
	} {
		if n := utf8.RuneCountInString(c.text); n == 0 || n > c.most {
			t.Errorf("the %s has %d characters of %d", what, n, c.most)
		}
	}
}

package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/playbot/playbot/cmd/internal/app"
	"github.com/playbot/playbot/engine/policy"
)

// offline is an installation without any network, which takes no time to look at.
func offline(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{Local: &app.Local{}, t: t, dir: t.TempDir()}
	c.Config = app.Config{
		DataDir: c.path("data"), Playbooks: c.path("books"),
		Policy: app.PolicyConfig{Roles: map[string]app.RoleConfig{
			"all":  {Members: []string{"ana"}, May: []policy.Verb{policy.Run}, Playbooks: []string{"*"}},
			"boss": {Members: []string{"ben"}, May: []policy.Verb{policy.Approve}, Playbooks: []string{"*"}},
		}},
	}
	c.shelve()
	return c
}

// shelve writes two playbooks, of which one asks.
func (c *clinic) shelve() {
	c.t.Helper()
	c.write("books/drain.yaml", book("drain", "mcollective: {destructive: true, nodes: [lb1.example.net], action: haproxy.disable}"))
	c.write("books/hello.yaml", book("hello", "log: {message: hello}"))
}

func book(name, task string) string {
	return fmt.Sprintf("name: %s\nversion: 1.0.0\nauthor: Test <test@example.net>\ndescription: A test\ntasks:\n  - %s\n", name, task)
}

// noSlack is what every installation without Slack is told.
var noSlack = want{"slack bot token", Warning, "Slack is not configured", "docs/guide/slack.md"}

func TestExamine_saysWhatIsWrongWithFiles(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]broken{
		"nothing": {},
		"a file in the way of data_dir": {
			spoil: func(c *clinic) { c.Config.DataDir = c.write("file", "x") },
			want:  []want{{"data_dir", Broken, "is not a folder", "name a folder in data_dir"}},
		},
		"a file in the way of the folder above": {
			spoil: func(c *clinic) { c.Config.DataDir = filepath.Join(c.write("file", "x"), "a", "b") },
			want:  []want{{"data_dir", Broken, "not a directory", "let playbot's user reach the folder"}},
		},
		"a history that others can change (T-25)": {
			spoil: func(c *clinic) { c.write("data/x", ""); c.chmod(c.path("data"), 0o770) },
			want:  []want{{"data_dir", Broken, "others can write into", "chmod 700 "}},
		},
		"a history that others can see (T-25)": {
			spoil: func(c *clinic) { c.write("data/x", ""); c.chmod(c.path("data"), 0o755) },
			want:  []want{{"data_dir", Warning, "others can look into", "chmod 700 "}},
		},
		"a store that is something else": {
			spoil: func(c *clinic) { c.write("data/playbot.db", strings.Repeat("x", 9000)) },
			want:  []want{{"store", Broken, "is damaged", "move it away and restore a backup, nothing was changed"}},
		},
		"a store of the terminal that others can read (T-25)": {
			spoil: func(c *clinic) { c.chmod(c.write("data/terminal.db", ""), 0o644) },
			want:  []want{{"terminal store", Broken, "can be read by others", "run chmod 600 "}},
		},
		"a key of secrets that others can read": {
			spoil: func(c *clinic) { c.chmod(c.write("data/playbot.db.key", "00"), 0o644) },
			want:  []want{{"secrets", Broken, "the key of secret inputs: ", "chmod 600 "}},
		},
		"no playbooks": {
			spoil: func(c *clinic) { c.Config.Playbooks = c.path("nosuch") },
			want: []want{
				{"playbooks", Broken, "no such file or directory", "name the folder that holds them, and let playbot read it"},
			},
		},
		"an empty folder": {
			spoil: func(c *clinic) { c.write("other/README", ""); c.Config.Playbooks = c.path("other") },
			want:  []want{{"playbooks", Warning, "holds no playbook", "they end in .yaml"}},
		},
		"a playbook that does not load": {
			spoil: func(c *clinic) { c.write("books/bad.yaml", "name: [") },
			want:  []want{{"playbooks", Broken, "bad.yaml does not load", "playbot check "}},
		},
		"a folder that everybody can change (T-34)": {
			spoil: func(c *clinic) { c.chmod(c.path("books"), 0o777) },
			want:  []want{{"playbooks", Broken, "everybody can change", "chmod o-w "}},
		},
		"a playbook that everybody can change (T-34)": {
			spoil: func(c *clinic) { c.chmod(c.path("books/hello.yaml"), 0o606) },
			want:  []want{{"playbooks", Broken, "hello.yaml, and so what runs on the fleet", "chmod o-w "}},
		},
		"playbooks that a group can change (T-34)": {
			spoil: func(c *clinic) {
				for _, f := range []string{"books", "books/hello.yaml", "books/drain.yaml"} {
					c.chmod(c.path(f), 0o770)
				}
				c.chmod(c.write("books/more.yaml", book("more", "log: {message: more}")), 0o660)
			},
			want: []want{{"playbooks", Warning, "and 1 more", "unless that group is meant"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := offline(t)
			if b.spoil != nil {
				b.spoil(c)
			}
			c.examine().wants(t, append(b.want, noSlack)...)
		})
	}
}

func TestExamine_saysWhatAPolicyCannotHaveMeant(t *testing.T) {
	t.Parallel()
	role := func(members, playbooks string, may ...policy.Verb) app.RoleConfig {
		return app.RoleConfig{Members: strings.Fields(members), Playbooks: strings.Fields(playbooks), May: may}
	}
	for name, b := range map[string]struct {
		policy app.PolicyConfig
		want   []want
	}{
		"no roles": {app.PolicyConfig{}, []want{
			{"policy", Broken, "nobody may run anything", "may: [run]"},
			{"policy", Broken, "nobody may approve drain, which asks", "may: [approve]"},
		}},
		"nobody approves": {app.PolicyConfig{Roles: map[string]app.RoleConfig{"all": role("ana", "*", policy.Run)}}, []want{
			{"policy", Broken, "nobody may approve drain, which asks before it goes on", "give a role may: [approve] for it"},
		}},
		"roles for nobody and nothing": {app.PolicyConfig{Roles: map[string]app.RoleConfig{
			"all": role("ana ben", "*", policy.Run, policy.Approve), "empty": role("", "drain", policy.Run), "idle": role("eve", "", policy.Run),
			"other": role("eve", "web_*", policy.Run),
		}}, []want{
			{"policy", Warning, `role "empty" has no members`, "add Slack user ids"},
			{"policy", Warning, `role "idle" is for no playbooks`, `["*"]`},
			{"policy", Warning, `role "other": "web_*" matches no playbook`, "correct the pattern"},
		}},
		"one who may do all, but not alone": {app.PolicyConfig{Roles: map[string]app.RoleConfig{"all": role("T1/ana", "*", policy.Run, policy.Approve)}}, []want{
			{"policy", Warning, "T1/ana alone may approve drain, and not a run of their own", "policy.own_approval"},
		}},
		"one who may do all, and alone": {app.PolicyConfig{OwnApproval: true, Roles: map[string]app.RoleConfig{"all": role("ana", "*", policy.Run, policy.Approve)}}, nil},
		"more approvals than people": {app.PolicyConfig{Approvals: 3, Roles: map[string]app.RoleConfig{"all": role("ana ben", "*", policy.Run, policy.Approve)}}, []want{
			{"policy", Broken, "drain cannot be approved: it takes 3 to approve it, and 2 can", "let more people approve it"},
		}},
		"gates that match nothing": {app.PolicyConfig{
			Gates: []string{"haproxy.disable", "shell", "*.dissable", "rpc", "data.*"},
			Roles: map[string]app.RoleConfig{"all": role("*", "*", policy.Run, policy.Approve)},
		}, []want{
			{"policy", Warning, `policy.gates: "*.dissable" matches no task type`, "correct the pattern"},
			{"policy", Warning, `policy.gates: "data.*" matches no task type`, "correct the pattern"},
		}},
		"a change that is called harmless": {app.PolicyConfig{
			ReadOnly: []string{"rpcutil.*", "haproxy.*"}, Roles: map[string]app.RoleConfig{"all": role("*", "*", policy.Run, policy.Approve)},
		}, []want{
			{"policy", Broken, `"haproxy.*" calls haproxy.disable harmless, which drain calls destructive`, "narrow the pattern"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := offline(t)
			c.Config.Policy = b.policy
			c.examine().wants(t, append(b.want, noSlack)...)
		})
	}
}

// A task of an alias, or below waves, asks as every other.
func TestPolicy_knowsWhichPlaybooksAsk(t *testing.T) {
	t.Parallel()
	c := offline(t)
	c.Config.Policy.Gates = []string{"mcollective"}
	delete(c.Config.Policy.Roles, "boss")
	c.write("books/alias.yaml", book("alias", "rpc: {nodes: [a.example.net], action: rpcutil.ping}"))
	c.write("books/waves.yaml", book("waves", "rolling:\n      nodes: [a.example.net]\n      waves: [1]\n      tasks:\n        - mcollective: {destructive: true, action: puppet.disable, nodes: [a.example.net]}"))
	r := c.examine()
	for _, name := range []string{"alias", "waves", "drain"} {
		if !r.has("policy", Broken, "nobody may approve "+name, "") {
			t.Errorf("%s asks, and that is not known:\n%s", name, r)
		}
	}
	if r.has("policy", Broken, "nobody may approve hello", "") {
		t.Error("hello asks nobody")
	}
}

func TestDataDir_saysThatItCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var asked []string
	refuse := func(path string, mode uint32) error { // root may write everywhere, so that nothing else refuses in CI
		asked = append(asked, path)
		if mode != writeAndSearch {
			t.Errorf("access is asked with %o", mode)
		}
		return syscall.EACCES
	}
	n := &notes{check: "data_dir"}
	dataDir{path: dir, access: refuse}.look(t.Context(), n)
	dataDir{path: filepath.Join(dir, "a", "b"), access: refuse}.look(t.Context(), n)
	Report(n.list).wants(t,
		want{"data_dir", Broken, "cannot be written by uid " + fmt.Sprint(os.Getuid()) + " (permission denied)", "as the owner of the folder, or chown it"},
		want{"data_dir", Broken, "is not there, and uid", "install -d -m 700 -o USER " + filepath.Join(dir, "a", "b")},
		want{"data_dir", Warning, "others can look into", "chmod 700"}, // the mode of a folder of the test
	)
	if len(asked) != 2 || asked[0] != dir || asked[1] != dir {
		t.Errorf("asked for %q", asked)
	}
}

func TestSpace_isToldWhenItGetsScarce(t *testing.T) {
	t.Parallel()
	for free, want := range map[uint64]string{10 << 20: "broken 10.0 MiB is free", 500 << 20: "warning only 500.0 MiB is free", 3 << 30: ""} {
		n := &notes{}
		space("/data", free, n)
		got := ""
		if len(n.list) > 0 {
			got = string(n.list[0].Status) + " " + n.list[0].What
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%d: %q, want %q", free, got, want)
		}
	}
	for n, want := range map[uint64]string{7: "7 bytes", 2048: "2.0 KiB", 5 << 40: "5.0 TiB", 1 << 62: "4194304.0 TiB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	if remote(0x6969) != "NFS" || remote(0xEF53) != "" {
		t.Error("file systems are mixed up")
	}
}

func TestSkewed_tellsHowFarTheClockIsOff(t *testing.T) {
	t.Parallel()
	for ahead, want := range map[time.Duration]string{
		time.Second: "ok within 2s of Slack's", -2 * time.Second: "ok", 5 * time.Second: "warning the clock of this machine is 5s ahead of Slack's",
		-5 * time.Second: "warning the clock of this machine is 5s behind Slack's", -time.Hour: "broken the clock of this machine is 1h0m0s behind Slack's: nodes refuse",
	} {
		n := &notes{}
		skewed(n, "Slack's", ahead)
		if got := string(n.list[0].Status) + " " + n.list[0].What; !strings.HasPrefix(got, want) {
			t.Errorf("%v: %q, want %q", ahead, got, want)
		}
	}
}

// Another clock tells whole seconds, and nobody knows when between question and answer it looked.
func TestAhead_countsOnlyWhatCannotBeOtherwise(t *testing.T) {
	t.Parallel()
	at := func(seconds float64) time.Time {
		return time.Unix(1_000_000, 0).Add(time.Duration(seconds * float64(time.Second)))
	}
	for _, c := range []struct{ begin, end, there, want float64 }{
		{0, 0.1, 0, 0},
		{0.9, 1.1, 0, 0},
		{0.9, 1.1, 1, 0},
		{0, 30, 15, 0},
		{0, 30, 29, 0},
		{5, 5.1, 0, 4},
		{0, 0.5, 5, -4.5},
		{100, 110, 0, 99},
		{0, 10, 60, -50},
	} {
		if got := ahead(at(c.begin), at(c.end), at(c.there)).Seconds(); got != c.want {
			t.Errorf("asked from %v to %v, told %v: %v ahead, want %v", c.begin, c.end, c.there, got, c.want)
		}
	}
}

func TestWriters_mindsTheOwner(t *testing.T) {
	t.Parallel()
	c := offline(t)
	mine := uint32(os.Geteuid())
	n := &notes{check: "playbooks"}
	writers(c.path("books"), []uint32{mine + 1}, n)
	Report(n.list).wants(t, want{"playbooks", Warning, "somebody who is neither root nor playbot's user owns " + c.path("books"), "chown root "})
	n = &notes{check: "playbooks"}
	if writers(c.path("books"), []uint32{mine + 1, mine}, n); len(n.list) > 0 {
		t.Errorf("their owner is trusted, but: %+v", n.list)
	}
	if owners := (site{cfg: c.Config}).owners(); owners[0] != 0 || owners[1] != mine || len(owners) != 2 {
		t.Errorf("without data_dir the owners are %v", owners)
	}
	c.write("data/x", "")
	if owners := (site{cfg: c.Config}).owners(); len(owners) != 3 || owners[2] != mine {
		t.Errorf("with data_dir the owners are %v", owners)
	}
}

package ddl_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/choria/ddl"
)

// write writes files below a folder and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// versioned is a DDL of an agent that says something.
func versioned(agent, version, says string) string {
	return `{"metadata": {"name": "` + agent + `", "version": "` + version + `", "description": "` + says + `"}, "actions": [{"action": "go"}]}`
}

func TestLoad_findsTheAgentsOfAFolder(t *testing.T) {
	t.Parallel()
	x := load(t)
	if got := strings.Join(x.Agents(), " "); got != "appmgr haproxy nrpe package puppet rpcutil service" {
		t.Errorf("it found %s", got)
	}
	for _, w := range x.Warnings() { // validators that agents bring; everything else is good
		if !strings.Contains(w, "there is no validator") {
			t.Error(w)
		}
	}
}

func TestLoad_readsTheLibdirOfChoria(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"mcollective/agent/web.json": versioned("web", "1.0.0", ""), "choria/agent/db.json": versioned("db", "1.0.0", ""),
		"mcollective/agent/web.rb": "class Web", "mcollective/data/x.json": "{}", "other.json": "{}",
	})
	x, err := ddl.Load(dir)
	if err != nil || strings.Join(x.Agents(), " ") != "db web" {
		t.Errorf("it found %v: %v", x.Agents(), err)
	}
}

func TestLoad_keepsVersionsApart(t *testing.T) {
	t.Parallel()
	one := write(t, map[string]string{"web.json": versioned("web", "1.9.0", ""), "web-beta.json": versioned("web", "1.10.0-rc1", "")})
	two := write(t, map[string]string{"web.json": versioned("web", "1.10.0", ""), "again.json": "\n" + versioned("web", "1.9.0", "")})
	x, err := ddl.Load(one, two)
	if err != nil {
		t.Fatal(err)
	}
	if got := x.Newest("web").Version; got != "1.10.0" {
		t.Errorf("the newest is %s", got)
	}
	if d := x.Version("web", "1.9.0"); d == nil || d.File != filepath.Join(one, "web.json") {
		t.Errorf("1.9.0 is %+v", d)
	}
	if x.Version("web", "2.0.0") != nil || x.Newest("db") != nil {
		t.Error("it knows what is not there")
	}
}

func TestLoad_refusesWithTheNameOfTheFile(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		files map[string]string
		want  string // DIR stands for the folder
	}{
		"no DDL":        {map[string]string{"readme.md": ""}, "DIR holds no DDL; name"},
		"a broken one":  {map[string]string{"web.json": "{", "db.json": versioned("db", "1.0.0", "")}, "DIR/web.json:1:1: the file ends"},
		"a nested one":  {map[string]string{"web/web.json": "{}", "web/more.json": "{"}, "DIR/web/web.json: metadata: it is missing"},
		"contradiction": {map[string]string{"a.json": versioned("web", "1", "a"), "b.json": versioned("web", "1", "b")}, "DIR/b.json: agent web 1 is described differently in DIR/a.json; leave"},
		"a huge one":    {map[string]string{"web.json": strings.Repeat(" ", ddl.MaxSize+1)}, "DIR/web.json: it is no file of at most"},
	} {
		dir := write(t, row.files)
		_, err := ddl.Load(dir)
		if want := strings.ReplaceAll(row.want, "DIR", dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
	if _, err := ddl.Load(filepath.Join(t.TempDir(), "nosuch")); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("a folder that is not there: %v", err)
	}
	both := write(t, map[string]string{"a.json": "{", "b.json": "["})
	if _, err := ddl.Load(both); err == nil || !strings.Contains(err.Error(), "a.json") || !strings.Contains(err.Error(), "b.json") {
		t.Errorf("two broken files: %v", err)
	}
}

func TestIndex_nilKnowsNothing(t *testing.T) {
	t.Parallel()
	var x *ddl.Index
	if x.Newest("web") != nil || x.Version("web", "1") != nil || len(x.Agents())+len(x.Warnings()) != 0 {
		t.Error("it knows something")
	}
}

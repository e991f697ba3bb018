package playbooks_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/playbot/playbot/playbooks"
)

// learning is a vocabulary that refuses more once it has learnt.
type learning struct {
	starting

	learnt *atomic.Bool
}

func (v learning) Task(typ string, p *playbooks.Properties) error {
	if v.learnt.Load() && p.Text("old", "") != "" {
		p.Problem("old", "nobody does this any more")
		return p.Err()
	}
	return v.starting.Task(typ, p)
}

func TestRecheck_takesAwayWhatTheVocabularyRefusesNow(t *testing.T) {
	t.Parallel()
	var learnt atomic.Bool
	s := openShelf(t, map[string]string{
		"good.yaml": starter("good", "1"), "gone.yaml": strings.Replace(starter("gone", "1"), "any: {}", "any: {old: yes}", 1),
	})
	lib, err := playbooks.OpenLibrary(s.dir, learning{learnt: &learnt})
	if err != nil || len(lib.List()) != 2 {
		t.Fatalf("%v, %v", err, lib.Broken())
	}
	gone, err := lib.Get("gone")
	if err != nil {
		t.Fatal(err)
	}
	learnt.Store(true)
	if ch, err := lib.Reload(); err != nil || len(ch.Gone)+len(ch.Broken) > 0 {
		t.Errorf("a reload found %+v, %v where no file has changed", ch, err)
	}
	ch, err := lib.Recheck()
	if err != nil || strings.Join(ch.Gone, " ") != "gone" || len(ch.Loaded) > 0 || len(ch.Broken) != 1 {
		t.Errorf("got %+v, %v; want gone to be gone", ch, err)
	}
	if _, err := lib.Get("gone"); err == nil || !strings.Contains(err.Error(), "nobody does this any more") {
		t.Errorf("get says %v", err)
	}
	if b, ok := lib.ByDigest(gone.Digest); !ok || b != gone {
		t.Error("runs of the version that was loaded no longer find it")
	}
	if _, err := lib.Get("good"); err != nil {
		t.Error(err)
	}
	learnt.Store(false)
	if ch, err := lib.Recheck(); err != nil || strings.Join(ch.Loaded, " ") != "gone" || len(ch.Broken) > 0 {
		t.Errorf("got %+v, %v; want gone to be back", ch, err)
	}
}

// TestRecheck_keepsTheLastGoodVersionOfABadEdit looks again at a folder in which a file was edited badly.
func TestRecheck_keepsTheLastGoodVersionOfABadEdit(t *testing.T) {
	t.Parallel()
	s := openShelf(t, map[string]string{"good.yaml": starter("good", "1")})
	s.write("good.yaml", "tasks: [")
	for range 2 {
		ch, err := s.lib.Recheck()
		if err != nil || len(ch.Gone) > 0 || len(ch.Broken) != 1 || ch.Broken[0].Name != "good" {
			t.Errorf("got %+v, %v; want good to be kept", ch, err)
		}
	}
	if _, err := s.lib.Get("good"); err != nil {
		t.Error(err)
	}
}

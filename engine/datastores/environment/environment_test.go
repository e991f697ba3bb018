package environment_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/datastores/environment"
	"github.com/playbot/playbot/engine/enginetest/datastoretest"
)

func TestStore_passesTheSuite(t *testing.T) {
	t.Parallel()
	datastoretest.Run(t, datastoretest.Case{
		Type: environment.Type(), TextOnly: true,
		Properties: func(*testing.T) map[string]any { return map[string]any{"prefix": "PLAYBOT_TEST_"} },
	})
}

func TestStore_readsTheProcessAndNeverChangesIt(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_TIER", "bravo")
	s := datastoretest.Open(t, environment.Type(), map[string]any{"prefix": "PLAYBOT_TEST_"})
	if v, err := s.Get(t.Context(), "TIER"); v != "bravo" || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	if err := errors.Join(s.Put(t.Context(), "TIER", "alfa"), s.Put(t.Context(), "NEW", "x")); err != nil {
		t.Fatal(err)
	}
	if v, _ := s.Get(t.Context(), "TIER"); v != "alfa" {
		t.Errorf("the run that wrote it reads %v", v)
	}
	if err := s.Delete(t.Context(), "TIER"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), "TIER")
	if !errors.Is(err, engine.ErrNoKey) || !strings.Contains(err.Error(), "PLAYBOT_TEST_TIER") {
		t.Errorf("after it was deleted: %v, want the full name", err)
	}
	if _, set := os.LookupEnv("PLAYBOT_TEST_NEW"); set || os.Getenv("PLAYBOT_TEST_TIER") != "bravo" {
		t.Error("the environment of the process has changed")
	}
	other := datastoretest.Open(t, environment.Type(), map[string]any{"prefix": "PLAYBOT_TEST_"})
	if v, err := other.Get(t.Context(), "TIER"); v != "bravo" {
		t.Errorf("another run reads %v, %v", v, err)
	}
}

func TestStore_withoutPrefixReadsTheNameAsItIs(t *testing.T) {
	t.Setenv("PLAYBOT_TEST_PLAIN", "5")
	s := datastoretest.Open(t, environment.Type(), nil)
	if v, err := s.Get(t.Context(), "PLAYBOT_TEST_PLAIN"); v != "5" || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
}

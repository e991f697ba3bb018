package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/ddl"
	"github.com/playbot/playbot/engine/choria/fleetsim"
	"github.com/playbot/playbot/engine/choria/registry"
)

func TestRun_asksForEachDDLAgainAfterAnHourWhateverElseIsAskedFor(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr"), "nrpe": text(t, "nrpe")}, nil, func(b bed) {
		b.version("appmgr")
		b.settle()
		time.Sleep(time.Hour / 2)
		b.version("nrpe")
		b.settle()
		time.Sleep(time.Hour/2 + time.Minute)
		b.settle()
		if b.asked() != 3 {
			b.Errorf("the registry was asked %d times, want a second time for the first agent", b.asked())
		}
		time.Sleep(time.Hour / 2)
		b.settle()
		if b.asked() != 4 {
			b.Errorf("the registry was asked %d times, want a second time for both", b.asked())
		}
	})
}

func TestNewest_isFetchedInTheBackgroundWhenItIsAskedFor(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr")}, nil, func(b bed) {
		b.settle()
		if b.asked() != 0 {
			b.Errorf("the registry was asked %d times before anybody wanted to know", b.asked())
		}
		if got := b.version("appmgr"); got != "" {
			b.Errorf("knows %s at once", got)
		}
		b.settle()
		if got := b.version("appmgr"); got != "2.3.0" || !b.changed() {
			b.Errorf("knows %q, want 2.3.0, and to be told", got)
		}
		if b.version("appmgr"); b.changed() || b.asked() != 1 {
			b.Errorf("the registry was asked %d times, want once, and told once", b.asked())
		}
		if described, refused := b.registry.Sources(); fmt.Sprint(described, refused) != "[appmgr] map[]" {
			b.Errorf("sources are %v, %v", described, refused)
		}
	})
}

func TestNewest_aFolderWins(t *testing.T) {
	t.Parallel()
	folders, err := ddl.Load(filepath.Join("..", "ddl", "testdata", "agents"))
	if err != nil {
		t.Fatal(err)
	}
	other := text(t, "appmgr", `"2.3.0"`, `"9.9.9"`)
	serve(t, map[string]string{"appmgr": other}, func(o *registry.Options) { o.Folders = folders }, func(b bed) {
		b.version("appmgr")
		b.settle()
		if got := b.version("appmgr"); got != "2.3.0" || b.asked() != 0 {
			b.Errorf("knows %s, and asked %d times; want 2.3.0 of the folder and no question", got, b.asked())
		}
	})
}

func TestOpen_knowsAfterAStartWhatItKnewBefore(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr"), "nrpe": text(t, "nrpe")}, nil, func(b bed) {
		b.version("appmgr")
		b.version("nrpe")
		b.settle()
		if err := os.WriteFile(filepath.Join(b.cache, "nrpe.json"), []byte("{"), 0o600); err != nil {
			b.Fatal(err)
		}
		var log bytes.Buffer
		again := open(b.T, registry.Options{Cache: b.cache, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if d := again.Newest("appmgr"); d == nil || d.Version != "2.3.0" {
			b.Errorf("after a start %v is known, want 2.3.0", d)
		}
		if again.Newest("nrpe") != nil || !strings.Contains(log.String(), "nrpe.json:1:1") {
			b.Errorf("a file that is damaged is used, or not told of: %s", log.String())
		}
	})
}

// TestRun_refusesWhatIsNoGoodDDL asks again, an hour after a good DDL, and gets a bad one: the good one
// stays, and the log says what is wrong.
func TestRun_refusesWhatIsNoGoodDDL(t *testing.T) {
	t.Parallel()
	good := text(t, "appmgr")
	for name, row := range map[string]struct{ text, want string }{
		"another agent's":    {text(t, "nrpe"), "it is the DDL of nrpe, not of appmgr"},
		"no JSON":            {"metadata :name => 'appmgr'", "registry:appmgr:1:1: this is not JSON"},
		"nothing":            {"", "the answer holds no DDL"},
		"no actions":         {`{"metadata": {"name": "appmgr", "version": "3"}}`, "actions: there is none"},
		"very long":          {good + strings.Repeat(" ", 300<<10), "it has more than 262144 bytes"},
		"waits for ever":     {text(t, "appmgr", `"timeout": 60`, `"timeout": 86000`), "is more than the 1h0m0s"},
		"wrong in many ways": {strings.ReplaceAll(good, `"string"`, `"sting"`), "more)"},
		"much too large":     {good + strings.Repeat(" ", 2<<20), "gives no answer that counts: it has more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			serve(t, map[string]string{"appmgr": good}, nil, func(b bed) {
				b.version("appmgr")
				b.settle()
				b.changed()
				b.fleet.SetRegistry(map[string]string{"appmgr": row.text})
				time.Sleep(time.Hour + 10*time.Second)
				if got := b.version("appmgr"); got != "2.3.0" || b.changed() || b.asked() < 2 {
					b.Errorf("knows %q after %d questions, want 2.3.0 still", got, b.asked())
				}
				if !strings.Contains(b.log.String(), row.want) || b.log.b.Len() > 2000 {
					b.Errorf("the log, of %d bytes, lacks %q: %.2000s", b.log.b.Len(), row.want, b.log)
				}
				kept, err := os.ReadFile(filepath.Join(b.cache, "appmgr.json"))
				if err != nil || string(kept) != good {
					b.Errorf("the cache holds %.50s, %v", kept, err)
				}
			})
		})
	}
}

func TestRun_anAnswerThatDoesNotCountKeepsNoOtherAgentFromItsDDL(t *testing.T) {
	t.Parallel()
	huge := text(t, "appmgr") + strings.Repeat(" ", 2<<20)
	serve(t, map[string]string{"appmgr": huge, "nrpe": text(t, "nrpe")}, nil, func(b bed) {
		b.version("appmgr")
		b.version("nrpe")
		time.Sleep(time.Minute)
		if got := b.version("nrpe"); got == "" {
			b.Errorf("nrpe is not described: %s", b.log)
		}
	})
}

func TestRun_noNodeIsGivenUpEarlierThanWithoutADDL(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr", `"timeout": 60`, `"timeout": 1`)}, nil, func(b bed) {
		b.version("appmgr")
		b.settle()
		if got := b.registry.Newest("appmgr").Timeout; got < 18*time.Second {
			b.Errorf("nodes have %v to answer", got)
		}
	})
}

func TestRun_anAgentThatTheRegistryDoesNotKnowStaysUndescribed(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{}, nil, func(b bed) {
		b.version("appmgr")
		b.settle()
		if got := b.version("appmgr"); got != "" || b.changed() || b.asked() != 1 {
			b.Errorf("knows %q after %d questions", got, b.asked())
		}
		if _, refused := b.registry.Sources(); refused["appmgr"] != `it says "Could not load DDL"` {
			b.Errorf("says %q", refused)
		}
		b.fleet.SetRegistry(map[string]string{"appmgr": text(t, "appmgr")})
		time.Sleep(time.Hour + time.Second)
		if got := b.version("appmgr"); got != "2.3.0" || !b.changed() {
			b.Errorf("an hour later it knows %q, want 2.3.0", got)
		}
	})
}

func TestRun_takesANewVersionWithinTheHour(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr")}, nil, func(b bed) {
		b.version("appmgr")
		b.settle()
		b.changed()
		time.Sleep(time.Hour + time.Second)
		if b.changed() || b.asked() != 2 {
			b.Errorf("told of a change that is none, after %d questions", b.asked())
		}
		b.fleet.SetRegistry(map[string]string{"appmgr": text(t, "appmgr", `"2.3.0"`, `"2.4.0"`)})
		time.Sleep(time.Hour)
		if got := b.version("appmgr"); got != "2.4.0" || !b.changed() {
			b.Errorf("knows %q, want 2.4.0, and to be told", got)
		}
	})
}

// TestRun_neverFillsIn holds the registry to adding nothing to what we sign.
func TestRun_neverFillsIn(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal([]byte(text(t, "appmgr")), &doc); err != nil {
		t.Fatal(err)
	}
	for _, action := range doc["actions"].([]any) {
		for _, in := range action.(map[string]any)["input"].(map[string]any) {
			input := in.(map[string]any)
			input["optional"], input["validation"] = false, ""
			input["default"] = map[string]any{"string": "evil", "boolean": true, "number": 1, "float": 0.5, "integer": 1, "array": []any{"evil"}, "hash": map[string]any{"evil": 1}}[strings.ToLower(input["type"].(string))]
		}
	}
	evil, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, map[string]string{"appmgr": string(evil)}, nil, func(b bed) {
		b.version("appmgr")
		b.settle()
		upgrade := b.registry.Newest("appmgr").Actions["upgrade"]
		if len(upgrade.InputNames()) == 0 {
			b.Fatal("the action has no inputs, so this test says nothing")
		}
		if sent, flaws := upgrade.Bind(map[string]any{}); len(sent) > 0 || len(flaws) > 0 {
			b.Errorf("of nothing it makes %v, %v; want nothing, and no complaint", sent, flaws)
		}
	})
}

func TestRun_whenNobodyAnswersItAsksAgainEverLessOften(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr"), "nrpe": text(t, "nrpe")}, nil, func(b bed) {
		b.fleet.Fault(fleetsim.Fault{Node: fleetsim.RegistryNode, Kind: fleetsim.Silent})
		b.version("appmgr")
		b.version("nrpe")
		time.Sleep(24 * time.Hour)
		// 1, 2, 4, 8, 16, 32 minutes and then every hour: about 30 rounds, each of one question.
		if got := b.asked(); got < 20 || got > 35 {
			b.Errorf("asked %d times in a day", got)
		}
		if !strings.Contains(b.log.String(), "no server answers for the service choria_registry") {
			b.Errorf("the log says %s", b.log)
		}
		b.fleet.ClearFaults()
		time.Sleep(time.Hour + time.Minute)
		if b.version("appmgr") == "" || b.version("nrpe") == "" {
			b.Error("nothing is known when the registry is back")
		}
	})
}

func TestNewest_asksForNoMoreAgentsThanItKeeps(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{}, nil, func(b bed) {
		for i := range 1000 {
			b.version(fmt.Sprintf("agent%d", i))
		}
		for _, name := range []string{"", "../etc/passwd", "a b", "*"} {
			b.version(name)
		}
		b.settle()
		if b.asked() > 200 {
			b.Errorf("asked for %d agents", b.asked())
		}
	})
}

func TestOpen_withoutASourceAsksNobody(t *testing.T) {
	t.Parallel()
	serve(t, map[string]string{"appmgr": text(t, "appmgr")}, func(o *registry.Options) { o.Source = nil }, func(b bed) {
		b.version("appmgr")
		time.Sleep(3 * time.Hour)
		if b.asked() != 0 || b.version("appmgr") != "" {
			b.Errorf("asked %d times", b.asked())
		}
	})
}

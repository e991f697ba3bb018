package commands_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

// hundred is what 100 nodes answered: web017 and web033 failed alike, web071 otherwise, web042 kept silent.
func hundred(t *testing.T, quiet bool) *engine.AttemptEnded {
	t.Helper()
	o := &engine.AttemptEnded{}
	var data []any
	for i := 1; i <= 100; i++ {
		n := fmt.Sprintf("web%03d.example.net", i)
		reply := map[string]any{"sender": n, "statuscode": 0, "statusmsg": "OK", "data": map[string]any{"version": "2.1.0", "started": 1767225600 + i}}
		switch i {
		case 17, 33:
			o.Result.FailedNodes = append(o.Result.FailedNodes, n)
			o.Notes = append(o.Notes, fmt.Sprintf("%s: failed: unit app.service of %s: main process %d exited at 2026-01-01T03:0%d:07Z, job 0b7c9f1%d", n, n, 4000+i, i%10, i%10))
			continue
		case 71:
			o.Result.FailedNodes = append(o.Result.FailedNodes, n)
			o.Notes = append(o.Notes, n+": failed: no space left on device")
			continue
		case 42:
			o.Result.SilentNodes = append(o.Result.SilentNodes, n)
			o.Notes = append(o.Notes, n+": no answer")
			continue
		case 5, 6:
			reply["data"].(map[string]any)["version"] = "2.0.9"
		}
		data = append(data, reply)
		o.Result.OKNodes = append(o.Result.OKNodes, n)
		if !quiet {
			o.Notes = append(o.Notes, n+": version=…")
		}
	}
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &o.Result.Data); err != nil {
		t.Fatal(err)
	}
	return o
}

func told(list []commands.Answer) string {
	var out []string
	for _, s := range list {
		text := fmt.Sprintf("%d %s", len(s.Nodes), s.Text)
		if s.Alike {
			text += " (alike)"
		}
		out = append(out, strings.TrimSpace(text))
	}
	return strings.Join(out, "|")
}

func TestAnswers_groupEqualReasonsWithOtherNumbersAndNameTheMinority(t *testing.T) {
	t.Parallel()
	a := commands.AnswersOf(hundred(t, false))
	if got, want := strings.Join(a.Odd(), ", "), "3 failed, 1 silent, 2 differ"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	want := "2 unit app.service of web017.example.net: main process 4017 exited at 2026-01-01T03:07:07Z, job 0b7c9f17 (alike)|1 no space left on device"
	if got := told(a.Failed); got != want {
		t.Errorf("failed: got %q, want %q", got, want)
	}
	for name, row := range map[string]struct{ got, want string }{
		"silent": {told(a.Silent), "1"}, "differ": {told(a.Differ), "2 version=2.0.9"}, "same": {told(a.Same), "94 version=2.1.0"},
		"varies": {strings.Join(a.Varies, " "), "started"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", name, row.got, row.want)
		}
	}
}

func TestAnswers_ofATaskThatKeepsQuietAboutGoodOnesAreNotCompared(t *testing.T) {
	t.Parallel()
	a := commands.AnswersOf(hundred(t, true))
	if got := strings.Join(a.Odd(), ", "); got != "3 failed, 1 silent" || told(a.Same) != "96" {
		t.Errorf("got %q, and the same said %q", got, told(a.Same))
	}
}

func TestAnswers_tellApart(t *testing.T) {
	t.Parallel()
	ok := engine.Result{OKNodes: []string{"a", "b", "c", "d"}}
	bad := engine.Result{FailedNodes: []string{"db01", "db02"}}
	for name, row := range map[string]struct {
		result engine.Result
		notes  string
		odd    string
		want   string // failed, differ, same
	}{
		"a bare ok":               {ok, "a: ok|b: ok|c: ok|d: ok", "", "//4"},
		"what all say":            {ok, "a: up|b: up|c: up|d: up", "", "//4 up"},
		"what one says otherwise": {ok, "b: up|a: down|c: up|d: up", "1 differs", "/1 down/3 up"},
		"names in reasons":        {bad, "db01: failed: db01 has no master|db02: failed: db02 has no master", "2 failed", "2 db01 has no master (alike)//"},
		"other reasons":           {bad, "db01: failed: no route to lb1|db02: failed: no route to fe1", "2 failed", "1 no route to lb1|1 no route to fe1//"},
		"values of a condition":   {bad, "db01: does not satisfy lag<5: lag=7|db02: does not satisfy lag<5: lag=9", "2 failed", "2 does not satisfy lag<5: lag=7 (alike)//"},
		"what nobody knows":       {bad, "", "2 failed", "2//"},
		"a missing field":         {withReplies(`{"v":"1"}`, `{"v":"1"}`, `{}`), "a: v=1|b: v=1|c: ok", "1 differs", "/1 v=(missing)/2 v=1"},
		"a field too much":        {withReplies(`{"v":1767225600}`, `{"v":1767225600}`, `{"v":1767225600,"w":[1]}`), "a: v=1", "1 differs", "/1 w=[1]/2 v=1767225600"},
	} {
		a := commands.AnswersOf(&engine.AttemptEnded{Result: row.result, Notes: strings.Split(row.notes, "|")})
		if got := told(a.Failed) + "/" + told(a.Differ) + "/" + told(a.Same); got != row.want || strings.Join(a.Odd(), ", ") != row.odd {
			t.Errorf("%s: got %q and %q, want %q and %q", name, got, a.Odd(), row.want, row.odd)
		}
	}
}

// withReplies are the nodes a, b, … that are ok and replied this.
func withReplies(data ...string) engine.Result {
	var r engine.Result
	var list []any
	for i, d := range data {
		n := string(rune('a' + i))
		var fields map[string]any
		_ = json.Unmarshal([]byte(d), &fields)
		r.OKNodes, list = append(r.OKNodes, n), append(list, map[string]any{"sender": n, "data": fields})
	}
	r.Data = list
	return r
}

func TestAnswers_haveEveryNodeOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := &engine.AttemptEnded{}
		var all []string
		for i := range rapid.IntRange(0, 40).Draw(t, "nodes") {
			n := fmt.Sprintf("n%d", i)
			all = append(all, n)
			r := &o.Result
			list := rapid.SampledFrom([]*[]string{&r.OKNodes, &r.FailedNodes, &r.SilentNodes}).Draw(t, "list")
			*list = append(*list, n)
			if text := rapid.SampledFrom([]string{"", "ok", "x=1", "x=2 y=0xff", "failed: no", "no answer"}).Draw(t, "note"); text != "" {
				o.Notes = append(o.Notes, n+": "+text)
			}
		}
		a := commands.AnswersOf(o)
		var have []string
		for _, s := range slices.Concat(a.Failed, a.Silent, a.Differ, a.Same) {
			have = append(have, s.Nodes...)
		}
		slices.Sort(all)
		if slices.Sort(have); !slices.Equal(have, all) || a.All != len(all) {
			t.Fatalf("got %v, want %v", have, all)
		}
	})
}

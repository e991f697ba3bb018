package commands

import (
	"strings"
	"testing"
)

func TestSentence_showsWhatCanBeTypedAsCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]Span{
		"there is no playbook \"x\"; `list` shows what there is": {outside("there is no playbook \"x\"; "), code("list"), outside(" shows what there is")},
		"`deny r-x.1` refuses the gate, `cancel r-x` the run":    {code("deny r-x.1"), outside(" refuses the gate, "), code("cancel r-x"), outside(" the run")},
		"give text without ` $ ; | quotes; text without ` $ ; |": {outside("give text without ` $ ; | quotes; text without ` $ ; |")},
		"there is no run \"*b* `<!channel>` `\"; `history`":      {outside("there is no run \"*b* `<!channel>` `\"; "), code("history")},
		"one ` alone": {outside("one ` alone")},
		"``":          {outside("``")},
		"":            {outside("")},
	} {
		got := sentence(text)
		same := len(got) == len(want)
		for i := 0; same && i < len(want); i++ {
			same = got[i].Kind == want[i].Kind && got[i].Text == want[i].Text
		}
		if !same {
			t.Errorf("%q: got %+v, want %+v", text, got, want)
		}
		if shown := line(got); shown != text {
			t.Errorf("%q reads %q in a terminal", text, shown)
		}
	}
}

func FuzzSentence(f *testing.F) {
	for _, text := range []string{"a `b` c", "``", "`a``b`", "`\u202ea`"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var shown strings.Builder
		for _, s := range sentence(text) {
			if s.Kind != Code && s.Kind != Outside {
				t.Fatalf("%q has a span of kind %s, which is not shown letter by letter", text, s.Kind)
			}
			shown.WriteString(s.Text)
		}
		if got, want := strings.ReplaceAll(shown.String(), "`", ""), strings.ReplaceAll(Clean(text), "`", ""); got != want {
			t.Fatalf("%q is shown as %q", text, got)
		}
	})
}

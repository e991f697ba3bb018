package commands_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/playbot/playbot/commands"
	"github.com/playbot/playbot/engine"
)

var update = flag.Bool("update", false, "rewrite the conversations in testdata")

// TestTalk plays the conversations in testdata/*.txtar on a real engine and a real file, in virtual
// time. The part "talk" is both the script and what is expected: lines at the margin are what
// people do, indented lines what they are answered. Other parts are playbooks of this conversation; "own_approval" lets people
// approve what they asked for.
//
//	ana: LINE                    ana says it; "ana again:" with the same request key, "ana in r-000001:" in its thread
//	ana at a terminal: LINE      says it there; "ana has NAME=VALUE: LINE" with a secret apart from the line
//	ana clicks LABEL             presses a button of the latest answer that had one
//	ana clicks LABEL of r-000001 presses a button that the run's thread shows, or showed last
//	ana presses ACTION with TEXT presses a button that nobody drew
//	ana fills NAME=VALUE | …     sends the latest form, with these beside what it began with; "ana fills again" sends it once more
//	ana looks up FIELD: TEXT     opens a menu of the latest form and types
//	* 2h pass                    and other things that happen; see [talk.happens]
//
// Runs are r-000001 and so on in the order in which they were requested; r-{1:4} is the first of
// them, cut to four characters. Ten seconds pass after each line; a task takes one.
func TestTalk(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "talk" })
			if i < 0 {
				t.Fatal("there is no part named talk")
			}
			want := string(archive.Files[i].Data)
			got := play(t, archive.Files, want)
			if *update {
				archive.Files[i].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s: want (-), got (+)\n%s", file, diff)
			}
		})
	}
}

// play returns a script with what was answered in place of what is expected.
func play(t *testing.T, files []txtar.File, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "books"), os.DirFS("testdata/playbooks")); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t, dir, files)
		for line := range strings.Lines(script) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "    ") {
				continue
			}
			out.WriteString(line + "\n")
			if line != "" && !strings.HasPrefix(line, "#") {
				out.WriteString(k.hide(k.line(line)))
			}
		}
		k.check()
	})
	return out.String()
}

var (
	hasLine    = regexp.MustCompile(`^([a-z]+)(?: at a terminal| has ([^:]+)): ?(.*)$`)
	saysLine   = regexp.MustCompile(`^([a-z]+)( again)?(?: in (r-\S+))?: ?(.*)$`)
	fillsLine  = regexp.MustCompile(`^([a-z]+) fills(?: (.*))?$`)
	looksLine  = regexp.MustCompile(`^([a-z]+) looks up ([^:]+):? ?(.*)$`)
	clicksLine = regexp.MustCompile(`^([a-z]+) clicks (.+?)(?: of (r-\S+))?$`)
	pressLine  = regexp.MustCompile(`^([a-z]+) presses (\w+) with ?(.*)$`)
)

// line carries a line of the script out and returns what is answered.
func (k *talk) line(line string) string {
	k.t.Helper()
	line = k.show(line)
	defer k.settle()
	if what, ok := strings.CutPrefix(line, "* "); ok {
		k.happens(what)
		return ""
	}
	if m := pressLine.FindStringSubmatch(line); m != nil {
		return k.press(actor(m[1]), commands.Action(m[2]), m[3])
	}
	if m := clicksLine.FindStringSubmatch(line); m != nil {
		b := k.button(m[2], m[3])
		return k.press(actor(m[1]), b.Action, b.Value)
	}
	if m := fillsLine.FindStringSubmatch(line); m != nil {
		return k.fill(actor(m[1]), m[2])
	}
	if m := looksLine.FindStringSubmatch(line); m != nil {
		return k.lookUp(actor(m[1]), m[2], m[3])
	}
	if m := hasLine.FindStringSubmatch(line); m != nil {
		return k.atTerminal(actor(m[1]), m[2], m[3])
	}
	m := saysLine.FindStringSubmatch(line)
	if m == nil {
		k.t.Fatalf("the script has a line that means nothing: %s", line)
	}
	if m[2] == "" {
		k.lines++
	}
	q := commands.Request{Key: fmt.Sprintf("line/%d", k.lines), Actor: actor(m[1]), Origin: engine.OriginTyped, Text: m[4]}
	if m[3] != "" {
		q.RunHint = k.run(m[3])
	}
	k.anew = true
	return k.answer(k.commands.Say(k.t.Context(), q))
}

// atTerminal says a line at a terminal, with secrets that stand apart from it: name=value, name=value.
func (k *talk) atTerminal(who engine.Actor, secrets, text string) string {
	k.lines++
	q := commands.Request{Key: fmt.Sprintf("line/%d", k.lines), Actor: who, Origin: engine.OriginTerminal, Text: text}
	for one := range strings.SplitSeq(secrets, ", ") {
		if name, value, ok := strings.Cut(one, "="); ok {
			if q.Secrets == nil {
				q.Secrets = map[string]string{}
			}
			q.Secrets[name] = value
		}
	}
	return k.answer(k.commands.Say(k.t.Context(), q))
}

// happens carries out what nobody says.
func (k *talk) happens(what string) {
	k.t.Helper()
	words := strings.Fields(what)
	subject, rest := words[0], strings.Join(words[1:], " ")
	switch rest {
	case "pass":
		d, err := commands.ParseSpan(subject)
		if err != nil {
			k.t.Fatal(err)
		}
		time.Sleep(d)
	case "fails":
		k.house.Script.FailFirst(subject, 99)
	case "hangs":
		gate := make(chan struct{})
		k.hold[subject] = gate
		k.house.Script.On(subject, func(ctx context.Context, _ int, _ *engine.Call) (engine.Result, error) {
			select {
			case <-gate:
				return engine.Result{Message: "done"}, nil
			case <-ctx.Done():
				return engine.Result{}, context.Cause(ctx)
			}
		})
	case "goes on":
		close(k.hold[subject])
		k.house.Script.On(subject, takes)
	case "is killed and starts again":
		k.house.Stop()
		k.house.Restart()
		k.open()
	case "is replaced":
		i := slices.IndexFunc(k.files, func(f txtar.File) bool { return f.Name == "later/"+subject })
		k.write(subject, k.files[i].Data)
		if _, err := k.library.Reload(); err != nil {
			k.t.Fatal(err)
		}
	default:
		k.t.Fatalf("the script has an event that nothing does: %s", what)
	}
}

func (k *talk) button(label, run string) commands.Button {
	k.t.Helper()
	from := k.drawn
	if run != "" {
		from = k.posted[k.run(run)]
	}
	i := slices.IndexFunc(from, func(b commands.Button) bool { return strings.HasPrefix(b.Label, label) })
	if i < 0 {
		k.t.Fatalf("there is no button %q among %v", label, from)
	}
	return from[i]
}

func (k *talk) press(who engine.Actor, action commands.Action, value string) string {
	k.lines++
	k.anew = true
	return k.answer(k.commands.Press(k.t.Context(), commands.Press{
		Key: fmt.Sprintf("click/%d", k.lines), Actor: who, Action: action, Value: value,
	}))
}

// answer draws a reply, and holds it against what every reply promises.
func (k *talk) answer(r commands.Reply) string {
	k.t.Helper()
	if len(r.Blocks) == 0 {
		k.t.Errorf("an empty reply: %+v", r)
	}
	if r.Code != "" && !pointsOn(r) {
		k.t.Errorf("a refusal that does not say what to do: %s", r.Text())
	}
	head := "to everybody"
	if r.Private {
		head = "privately"
	}
	if r.Code != "" {
		head += ", " + string(r.Code)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "    (%s)\n", head)
	for line := range strings.Lines(r.Text()) {
		b.WriteString("    " + strings.TrimRight(line, " \n") + "\n")
	}
	for _, block := range r.Blocks {
		row, ok := block.(commands.Buttons)
		if !ok {
			continue
		}
		k.drawn = row.Items
		b.WriteString("   ")
		for _, one := range row.Items {
			b.WriteString(" [" + one.Label + "]")
		}
		b.WriteString("\n")
	}
	return b.String() + k.form(r.Form)
}

// pointsOn reports whether a refusal says what to do next: something to type, or a remedy behind
// what is wrong.
func pointsOn(r commands.Reply) bool {
	typed := func(s commands.Span) bool { return s.Kind == commands.Code }
	for _, block := range r.Blocks {
		switch b := block.(type) {
		case commands.Text:
			if slices.ContainsFunc(b.Spans, typed) {
				return true
			}
		case commands.Context:
			if slices.ContainsFunc(b.Spans, typed) {
				return true
			}
		case commands.Fields, commands.List, commands.Preformatted, commands.Buttons:
		}
	}
	return strings.Contains(r.Text(), "; ")
}

func (k *talk) run(short string) engine.RunID {
	k.t.Helper()
	i := slices.IndexFunc(k.runs, func(id engine.RunID) bool { return id.Short() == short })
	if i < 0 {
		k.t.Fatalf("there is no run %s", short)
	}
	return k.runs[i]
}

// hide puts numbers in place of run ids, which differ each time; show does the reverse.
func (k *talk) hide(text string) string {
	for i, id := range k.runs {
		text = strings.ReplaceAll(text, string(id), fmt.Sprintf("%026d", i+1))
		text = strings.ReplaceAll(text, id.Short(), fmt.Sprintf("r-%06d", i+1))
	}
	return text
}

var cut = regexp.MustCompile(`r-\{(\d+):(\d+)\}`)

func (k *talk) show(text string) string {
	text = cut.ReplaceAllStringFunc(text, func(s string) string {
		m := cut.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1])
		length, _ := strconv.Atoi(m[2])
		return k.runs[n-1].Short()[:len("r-")+length]
	})
	for i, id := range k.runs {
		text = strings.ReplaceAll(text, fmt.Sprintf("%026d", i+1), string(id))
		text = strings.ReplaceAll(text, fmt.Sprintf("r-%06d", i+1), id.Short())
	}
	return text
}

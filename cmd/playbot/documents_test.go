package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// root is the checkout, seen from this package.
var root = filepath.Join("..", "..")

// TestDocuments_doWhatTheySay runs every console block of the README and the guide, in a folder that
// holds the files which their YAML blocks name in a first comment. Commands of make run in the
// checkout.
//
// In the output that a block shows, "…" stands for any lines, run ids and times for any others, and
// a last line "^C" presses it.
func TestDocuments_doWhatTheySay(t *testing.T) {
	t.Parallel()
	guides, err := filepath.Glob(filepath.Join(root, "docs", "guide", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range append(guides, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")) {
		blocks := fences(t, path)
		for _, b := range blocks {
			ran += strings.Count(b.text, "$ ")
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, b := range blocks {
				b.play(t, dir)
			}
		})
	}
	if ran < 6 {
		t.Errorf("only %d commands were found; the documents are not read right", ran)
	}
}

// fence is a block of a Markdown file.
type fence struct {
	path       string
	line       int
	kind, text string
}

func fences(t *testing.T, path string) []fence {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []fence
	var open *fence
	for i, line := range strings.Split(string(data), "\n") {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			open = &fence{path: path, line: i + 1, kind: strings.TrimPrefix(line, "```")}
		case open != nil && line == "```":
			out, open = append(out, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block is never closed", path, open.line)
	}
	return out
}

func (f fence) play(t *testing.T, dir string) {
	t.Helper()
	switch f.kind {
	case "yaml":
		first, _, _ := strings.Cut(f.text, "\n")
		name, named := strings.CutPrefix(first, "# ")
		if !named {
			t.Errorf("%s:%d: a YAML block begins with a comment that names its file", f.path, f.line)
			return
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
	case "console":
		for _, session := range strings.Split(f.text, "$ ")[1:] {
			command, want, _ := strings.Cut(session, "\n")
			f.run(t, dir, command, strings.Split(strings.TrimRight(want, "\n"), "\n"))
		}
	}
}

// run runs a command and holds its output against what the document shows.
func (f fence) run(t *testing.T, dir, command string, want []string) {
	t.Helper()
	words := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = dir
	if words[0] == "make" {
		cmd.Dir = root
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	interrupt := want[len(want)-1] == "^C"
	if interrupt {
		want = want[:len(want)-1]
	}
	m := &matcher{want: want}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		m.take(lines.Text())
		if interrupt && m.done() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) // as a terminal does: to everybody in the group
			interrupt = false
			want = nil
		}
	}
	if err := cmd.Wait(); err != nil && want != nil {
		t.Errorf("%s:%d: `%s`: %v\n%s", f.path, f.line, command, err, errs.String())
	}
	if !m.done() {
		t.Errorf("%s:%d: `%s` does not show\n  %s\nafter what came before; it printed\n%s", f.path, f.line, command, m.want[m.next], strings.Join(m.seen, "\n"))
	}
}

// matcher finds the lines of a document in an output.
type matcher struct {
	want []string
	next int
	seen []string
}

func (m *matcher) done() bool {
	rest := m.want[min(m.next, len(m.want)):]
	return len(rest) == 0 || len(rest) == 1 && (rest[0] == "…" || rest[0] == "")
}

// take takes a line of the output. Behind a match the next line must match too, unless "…" stands between.
func (m *matcher) take(line string) {
	m.seen = append(m.seen, line)
	if m.done() {
		return
	}
	gap := m.next == 0 || m.want[m.next] == "…"
	at := m.next
	if m.want[at] == "…" {
		at++
	}
	switch {
	case blur(m.want[at]) == blur(line):
		m.next = at + 1
	case !gap:
		m.want = append(m.want[:m.next:m.next], append([]string{m.want[m.next] + "   (and not: " + line + ")"}, m.want[m.next+1:]...)...)
	}
}

// blur takes away what is different every time.
func blur(line string) string {
	for _, p := range []string{`\br-[0-9a-z]{6}\b`, `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`, `\b\d+(\.\d+)?(ms|s|m)\b`} {
		line = regexp.MustCompile(p).ReplaceAllString(line, "#")
	}
	return strings.TrimRight(line, " ")
}

// TestDocuments_linkToWhatIsThere follows the links between files of the checkout.
func TestDocuments_linkToWhatIsThere(t *testing.T) {
	t.Parallel()
	followed := 0
	for _, pattern := range []string{"*.md", "docs/adr/*.md", "docs/guide/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(data), -1) {
				if strings.Contains(link[1], "://") {
					continue
				}
				followed++
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), link[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", path, link[1])
				}
			}
		}
	}
	if followed < 20 {
		t.Errorf("only %d links were found; the documents are not read right", followed)
	}
}

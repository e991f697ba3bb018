//go:build integration

package typestest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// head are the types that everything is held against. Slack's own View takes any object as a block.
const head = `import type { KnownBlock, HomeView, ModalView, Option } from '@slack/types';
type Strict<V> = Omit<V, 'blocks'> & { blocks: KnownBlock[] };
type Message = KnownBlock[];
type View = Strict<HomeView> | Strict<ModalView>;
type Options = { options: Option[] } | { option_groups: { label: { type: 'plain_text'; text: string; emoji?: boolean }; options: Option[] }[] };
`

// least is how many shapes the tests send at least: with fewer they were not kept.
const least = 100

// TestTypes_ofEverythingThatTheBotSends has the TypeScript compiler judge every payload of the bot's tests and
// of its golden files.
func TestTypes_ofEverythingThatTheBotSends(t *testing.T) {
	t.Parallel()
	kept := t.TempDir()
	play(t, kept, "../", "../../cmd/internal/booktest")
	var src strings.Builder
	src.WriteString(head)
	n := 0
	for _, path := range glob(t, filepath.Join(kept, "*.json")) {
		kind, _, _ := strings.Cut(filepath.Base(path), "-")
		declare(t, &src, map[string]string{"message": "Message", "view": "View", "options": "Options"}[kind], path, read(t, path))
		n++
	}
	if n < least {
		t.Fatalf("the tests have sent %d shapes, want %d at least", n, least)
	}
	for _, path := range glob(t, "../testdata/*.json") {
		var golden struct{ Blocks json.RawMessage }
		if err := json.Unmarshal(read(t, path), &golden); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if string(golden.Blocks) != "null" { // a message that is text alone
			declare(t, &src, "Message", path, golden.Blocks)
			n++
		}
	}
	dir := install(t)
	if out, err := compile(t, dir, src.String()); err != nil {
		t.Errorf("tsc: %v\n%s", err, out)
	}
	t.Logf("%d payloads", n)
}

// TestTypes_refuseWhatIsWrong shows that the judge judges.
func TestTypes_refuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := install(t)
	for name, row := range map[string]struct{ kind, json string }{
		"an unknown block":       {"Message", `[{"type":"sektion","text":{"type":"plain_text","text":"x"}}]`},
		"a missing text":         {"Message", `[{"type":"header"}]`},
		"markup in a header":     {"Message", `[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`},
		"a style that is none":   {"Message", `[{"type":"actions","elements":[{"type":"button","style":"loud","text":{"type":"plain_text","text":"x"}}]}]`},
		"an unknown block there": {"View", `{"type":"home","blocks":[{"type":"sektion"}]}`},
		"a modal without title":  {"View", `{"type":"modal","blocks":[]}`},
		"a key that is none":     {"Message", `[{"type":"divider","color":"red"}]`},
	} {
		var src strings.Builder
		src.WriteString(head)
		declare(t, &src, row.kind, name, []byte(row.json))
		if out, err := compile(t, dir, src.String()); err == nil {
			t.Errorf("%s was taken: %s", name, out)
		}
	}
}

// play runs the tests of some packages, which keep what they send.
func play(t *testing.T, kept string, packages ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-count=1"}, packages...)...)
	cmd.Env = append(os.Environ(), "PLAYBOT_PAYLOADS="+kept)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the tests whose payloads are looked at fail: %v\n%s", err, out)
	}
}

// declare has the compiler judge a payload.
func declare(t *testing.T, src *strings.Builder, kind, name string, payload []byte) {
	t.Helper()
	if kind == "" {
		t.Fatalf("%s is of no kind", name)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fmt.Fprintf(src, "// %s\nexport const p%d: %s = %s;\n", name, src.Len(), kind, compact.String())
}

func compile(t *testing.T, dir, src string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(dir, "payloads.ts") // beside the types
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "node_modules", ".bin", "tsc"),
		"--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022", "--types", "", file)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// install installs exactly what package-lock.json names, in a folder of its own.
func install(t *testing.T) string {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Fatal("this test asks the types of @slack/types and needs npm, which is not on the PATH: install Node 20 or newer, or leave out -tags integration")
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		if err := os.WriteFile(filepath.Join(dir, name), read(t, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), npm, "ci")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v; it needs the npm registry or a warm cache\n%s", err, out)
	}
	return dir
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

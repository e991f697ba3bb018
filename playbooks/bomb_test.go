package playbooks_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// bombs are files that cost far more to read than to write.
func bombs() map[string]string {
	const tasks = head + "tasks:\n"
	laughs := "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
	for i := 1; i < 12; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	merges := "m0: &m0 {k0: v}\n"
	for i := 1; i < 2000; i++ {
		merges += fmt.Sprintf("m%d: &m%d {<<: *m%d, k%d: v}\n", i, i, i-1, i)
	}
	return map[string]string{
		"aliases that multiply":       head + "macros:\n  " + strings.ReplaceAll(strings.TrimSpace(laughs), "\n", "\n  ") + "\n",
		"one long text, many aliases": head + "macros:\n  a: &a " + strings.Repeat("x", 100_000) + "\n  b: [" + strings.Repeat("*a, ", 30_000) + "a]\n",
		"merges of merges":            head + "macros:\n  " + strings.ReplaceAll(strings.TrimSpace(merges), "\n", "\n  ") + "\n",
		"depth in brackets":           head + "macros: " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "\n",
		"depth in braces":             head + "macros: " + strings.Repeat("{a: ", 50_000) + strings.Repeat("}", 50_000) + "\n",
		"depth in blocks":             head + "macros:\n  " + strings.Repeat("- ", 100_000) + "a\n",
		"10 MB of text":               head + "macros: " + strings.Repeat("x", 10<<20) + "\n",
		"10 MB of lines":              tasks + strings.Repeat("  - any: {a: b}\n", 10<<20/16),
		"10,000 tasks":                tasks + strings.Repeat("  - any: {a: b}\n", 10_000),
		"10,000 tasks of one anchor":  head + "macros:\n  t: &t {any: {a: b}}\ntasks:\n" + strings.Repeat("- *t\n", 10_000),
		"a key twice, many times":     head + "macros:\n" + strings.Repeat("  a: b\n", 30_000),
		"a problem in each line":      tasks + strings.Repeat("  - nay: {a: '{{ inputs.x }}'}\n", 8_000),
		"templates in one text":       tasks + "  - any: {a: '" + strings.Repeat("{{ inputs.x }}", 15_000) + "'}\n",
		"braces that never close":     tasks + "  - any: {a: '" + strings.Repeat("{{ ", 60_000) + "'}\n",
		"an expression in brackets":   tasks + "  - any: {when: '" + strings.Repeat("(", 100_000) + "'}\n",
		"quotes that never close":     strings.Repeat("- \"\n", 60_000),
		"many documents":              strings.Repeat("---\na: b\n", 25_000),
		"many anchors":                head + "macros:\n" + strings.Repeat("  - &a b\n", 25_000),
	}
}

func refuse(tb testing.TB, source string) *playbooks.Problems {
	tb.Helper()
	_, err := playbooks.Parse("bomb.yaml", []byte(source), anything{})
	problems, ok := errors.AsType[*playbooks.Problems](err)
	if !ok {
		tb.Fatalf("got %v, want problems", err)
	}
	return problems
}

func TestBombs_are_refused_in_a_few_lines(t *testing.T) {
	t.Parallel()
	for name, source := range bombs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text := refuse(t, source).Render(); len(text) > 32<<10 {
				t.Errorf("the refusal has %d bytes", len(text))
			}
		})
	}
}

// BenchmarkBombs reports what it takes to refuse each bomb. Wanted are at most 100 ms and 64 MB.
func BenchmarkBombs(b *testing.B) {
	for name, source := range bombs() {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			for b.Loop() {
				_ = refuse(b, source).Render()
			}
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms/refusal")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "MB/refusal")
		})
	}
}

package lint_test

import (
	"testing"

	"github.com/playbot/playbot/playbooks"
	"github.com/playbot/playbot/playbooks/lint"
)

// BenchmarkCheck lints a playbook of real size; parsing it is not counted.
func BenchmarkCheck(b *testing.B) {
	source := []byte(read(b, "../examples/web_upgrade.yaml"))
	book, err := playbooks.Parse("web_upgrade.yaml", source, anything{})
	if err != nil {
		b.Fatal(err)
	}
	linter := lint.New(lint.Options{Policy: rules(b), Types: olds{}})
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if got := linter.Check(book); len(got) != 0 {
			b.Fatalf("got %v, want none", got)
		}
	}
}

package bot

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.nofailfile", "true") // what it finds is printed, and becomes a test
	goleak.VerifyTestMain(m)
}

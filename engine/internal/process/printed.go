package process

import (
	"context"
	"os"
)

// maxPrinted bounds what [Printed] takes, in bytes.
const maxPrinted = 1 << 20

// Printed is what a program prints on its standard output; see [engine.Program]. It runs in the system's folder
// for temporary files, as the scripts of node sets do.
func Printed(ctx context.Context, argv []string) ([]byte, error) {
	return Command{Argv: argv, Dir: os.TempDir(), Env: Environment(nil)}.Capture(ctx, maxPrinted)
}

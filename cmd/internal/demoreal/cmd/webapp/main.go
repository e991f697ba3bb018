// Command webapp is the application that `make demo-real` deploys; see package webapp.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/playbot/playbot/cmd/internal/demoreal/webapp"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: webapp NODE ADDRESS FOLDER")
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, webapp.Serve(context.Background(), os.Args[1], os.Args[2], os.Args[3]))
	os.Exit(1)
}

package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary a playbot when it is called so: scripts and tests run the real
// program in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"playbot": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

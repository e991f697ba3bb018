package main

import (
	"context"
	"fmt"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// restored voids what a file that was brought back from a backup says is approved.
func restored(ctx context.Context, s streams, st *store.Store) error {
	n, err := engine.Restored(ctx, st, "the history was restored from a backup at "+time.Now().UTC().Format("2006-01-02 15:04:05 UTC"))
	if err != nil {
		return err
	}
	switch n {
	case 0:
		fmt.Fprintln(s.out, "No approval was open.")
	case 1:
		fmt.Fprintln(s.out, "1 approval is void; its gate asks again.")
	default:
		fmt.Fprintf(s.out, "%d approvals are void; their gates ask again.\n", n)
	}
	return nil
}

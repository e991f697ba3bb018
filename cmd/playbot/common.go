package main

import "log/slog"

// quietLogger logs only when asked to: dev and demo talk to people.
func quietLogger(s streams, verbose bool) *slog.Logger {
	if verbose {
		return newLogger(s.err, slog.LevelDebug)
	}
	return slog.New(slog.DiscardHandler)
}

// demoReds is how often the load is red after an upgrade in dev and demo: the third check is green.
const demoReds = 2

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/playbot/playbot/cmd/internal/doctor"
	"github.com/playbot/playbot/playbooks/lint"
)

// doctorFlags are what doctor was told.
type doctorFlags struct {
	config  string
	json    bool
	timeout time.Duration
}

func newDoctor(s streams) *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use: "doctor", Short: "Look whether this installation can work, and say how to mend what cannot",
		Long: "doctor looks at everything that `playbot serve` needs: the configuration, folders and files, the policy, Slack, the\n" +
			"Choria network and PuppetDB. It says of each thing that is wrong how to mend it, and changes nothing: it may be run\n" +
			"beside a bot that works. Run it as the user that playbot runs as.\n\n" +
			"Exit code: 0 nothing is broken (there may be warnings), 1 something is, 2 usage.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return examine(c.Context(), s, f) },
	}
	c.Flags().StringVar(&f.config, "config", "playbot.yaml", "the configuration file")
	c.Flags().BoolVar(&f.json, "json", false, "write one JSON document instead of text")
	c.Flags().DurationVar(&f.timeout, "timeout", doctor.DefaultLimit, "how long each check may take; all run side by side")
	return c
}

func examine(ctx context.Context, s streams, f doctorFlags) error {
	if f.timeout <= 0 {
		return &usageError{"--timeout is a time such as 30s, and more than nothing"}
	}
	found := doctor.Examine(ctx, doctor.Options{Config: f.config, Limit: f.timeout})
	if f.json {
		if err := writeDiagnosis(s.out, f.config, found); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	} else {
		showDiagnosis(s.out, found)
	}
	if found.Count(doctor.Broken) > 0 {
		return errSilent
	}
	return nil
}

// mark is what stands before a finding.
func mark(s doctor.Status) string {
	return map[doctor.Status]string{doctor.OK: "✓", doctor.Skipped: "–", doctor.Warning: "!", doctor.Broken: "✗"}[s]
}

// showDiagnosis writes a line for each finding, and below it what to do.
func showDiagnosis(w io.Writer, found doctor.Report) {
	wide := 0
	for _, f := range found {
		wide = max(wide, utf8.RuneCountInString(f.Check))
	}
	last := ""
	for _, f := range found {
		name := f.Check
		if name == last {
			name = ""
		}
		last = f.Check
		fmt.Fprintf(w, "%s %-*s  %s\n", mark(f.Status), wide, name, lint.Mask(f.What))
		if f.Remedy != "" {
			fmt.Fprintf(w, "%s→ %s\n", strings.Repeat(" ", wide+4), lint.Mask(f.Remedy))
		}
	}
	broken, warnings := found.Count(doctor.Broken), found.Count(doctor.Warning)
	switch {
	case broken > 0:
		fmt.Fprintf(w, "\nBroken: %d. Warnings: %d.\n", broken, warnings)
	case warnings > 0:
		fmt.Fprintf(w, "\nNothing is broken. Warnings: %d.\n", warnings)
	default:
		fmt.Fprintln(w, "\nEverything is as it should be.")
	}
}

// The JSON document of doctor. docs/guide/operate.md promises it: keys and words are added and never changed.
type (
	jsonDiagnosis struct {
		Config   string        `json:"config"`
		Findings []jsonFinding `json:"findings"`
		Summary  jsonHealth    `json:"summary"`
	}
	jsonFinding struct {
		Check  string        `json:"check"`
		Status doctor.Status `json:"status"` // ok, skipped, warning or broken
		What   string        `json:"what"`
		Remedy string        `json:"remedy,omitempty"`
	}
	jsonHealth struct {
		OK       int `json:"ok"`
		Skipped  int `json:"skipped"`
		Warnings int `json:"warnings"`
		Broken   int `json:"broken"`
	}
)

func writeDiagnosis(w io.Writer, config string, found doctor.Report) error {
	doc := jsonDiagnosis{Config: config, Findings: []jsonFinding{}, Summary: jsonHealth{
		OK: found.Count(doctor.OK), Skipped: found.Count(doctor.Skipped), Warnings: found.Count(doctor.Warning), Broken: found.Count(doctor.Broken),
	}}
	for _, f := range found {
		doc.Findings = append(doc.Findings, jsonFinding{Check: f.Check, Status: f.Status, What: lint.Mask(f.What), Remedy: lint.Mask(f.Remedy)})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

// Package terraform is the node set type `terraform`: nodes that an output of a Terraform state lists.
package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/internal/hostname"
	"github.com/playbot/playbot/engine/internal/process"
	"github.com/playbot/playbot/playbooks"
)

const (
	defaultTimeout = 30 * time.Second
	maxOutput      = 4 << 20 // bytes of JSON
)

// outputName is an identifier of Terraform's language
// (https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers).
var outputName = regexp.MustCompile(`^[\pL_][\pL\pN_-]*$`)

// Type is the node set type. Relative paths are relative to dir.
func Type(dir string) engine.NodeSourceType {
	return engine.NodeSourceType{
		Name: "terraform", Summary: "nodes that an output of a Terraform state lists", Program: true, Keys: keys(),
		Decode: func(p *playbooks.Properties) (engine.NodeSource, error) { return decode(p, dir) },
	}
}

func keys() []playbooks.Key {
	return []playbooks.Key{
		{
			Name: "statefile", Kind: playbooks.KindText, Required: true,
			Doc: "The path of a state file on playbot's machine; a relative one starts at `data_dir`. Remote states are not read.",
		},
		{Name: "output", Kind: playbooks.KindText, Required: true, Doc: "The name of the output: a list, tuple or set of host names."},
		{Name: "terraform", Kind: playbooks.KindText, Default: "terraform", Doc: "The program: a path, or a name that is looked up in playbot's `PATH`."},
		{Name: "timeout", Kind: playbooks.KindDuration, Default: "30", Doc: "How long Terraform may take; a bare number is seconds."},
	}
}

type source struct {
	program, state, output string
	timeout                time.Duration
}

func decode(p *playbooks.Properties, dir string) (engine.NodeSource, error) {
	s := &source{
		state: locate(dir, p.RequireText("statefile")), output: p.RequireText("output"),
		program: p.Text("terraform", "terraform"), timeout: p.Duration("timeout", defaultTimeout),
	}
	if strings.ContainsRune(s.program, filepath.Separator) {
		s.program = locate(dir, s.program)
	}
	if s.output != "" && !outputName.MatchString(s.output) {
		p.Remedy("output", "write a name such as web_servers", "%q is not the name of an output", s.output)
	}
	if s.program == "" && !p.Deferred("terraform") {
		p.Remedy("terraform", "leave it out", "terraform is empty")
	}
	return s, p.Err()
}

func locate(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// Discover implements [engine.NodeSource].
func (s *source) Discover(ctx context.Context, _ *engine.Call) ([]string, error) {
	state, err := s.readable()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout,
		engine.Errorf(engine.CodeTimeout, "terraform did not end within %s", s.timeout))
	defer cancel()
	out, err := process.Command{
		Argv: []string{s.program, "output", "-state=" + state, "-json", "-no-color", s.output}, Dir: os.TempDir(), Env: process.Environment(nil),
	}.Capture(ctx, maxOutput)
	exit, failed := errors.AsType[*process.ExitError](err)
	switch {
	case failed:
		return nil, engine.Errorf(engine.CodeFailed, "read output %s of %s: %s: %s", s.output, s.state, exit.How, complaint(exit))
	case err != nil:
		return nil, fmt.Errorf("read output %s of %s: %w", s.output, s.state, err)
	}
	return s.names(out)
}

// readable returns the whole path of a state that can be read.
func (s *source) readable() (string, error) {
	path, err := filepath.Abs(s.state)
	if err != nil {
		return "", fmt.Errorf("the Terraform state %s: %w", s.state, err)
	}
	switch info, err := os.Stat(path); { // first: to open a pipe waits for its other end
	case err != nil:
		return "", engine.Errorf(engine.CodeInvalid, "the Terraform state cannot be read: %v", err)
	case !info.Mode().IsRegular():
		return "", engine.Errorf(engine.CodeInvalid, "the Terraform state %s is not a file", s.state)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", engine.Errorf(engine.CodeInvalid, "the Terraform state cannot be read: %v", err)
	}
	_ = f.Close()
	return path, nil
}

// complaint finds the sentence in what Terraform says, which it frames and explains at length.
func complaint(exit *process.ExitError) string {
	for line := range strings.Lines(exit.Stderr) {
		if _, text, ok := strings.Cut(line, "Error: "); ok {
			return strings.TrimSpace(text)
		}
	}
	return strings.TrimPrefix(exit.Last, ": ")
}

// names reads what Terraform prints: the value, or before version 0.12 a mapping with type and value.
func (s *source) names(out []byte) ([]string, error) {
	value := out
	var old struct {
		Type  json.RawMessage `json:"type"`
		Value json.RawMessage `json:"value"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(out), []byte("{")) {
		if err := json.Unmarshal(out, &old); err == nil && old.Type != nil && old.Value != nil {
			value = old.Value
		}
	}
	var nodes []string
	if err := json.Unmarshal(value, &nodes); err != nil || bytes.Equal(bytes.TrimSpace(value), []byte("null")) {
		return nil, engine.Errorf(engine.CodeInvalid, "output %s of %s is not a list of host names", s.output, s.state)
	}
	for _, n := range nodes {
		if !hostname.Valid(n) {
			return nil, engine.Errorf(engine.CodeInvalid, "output %s of %s holds %.100q, which is no host name", s.output, s.state, n)
		}
	}
	return nodes, nil
}

package ddl

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// MaxSize is how long a DDL may be, in bytes. The longest that Choria ships has 30 KB.
const MaxSize = 1 << 20

// maxTimeout bounds what a DDL may ask for, in seconds: a day.
const maxTimeout = 24 * 60 * 60

// document is what a DDL holds, as far as it is used.
type document struct {
	Metadata *metadata   `json:"metadata"`
	Actions  []rawAction `json:"actions"`
}

type metadata struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Timeout     int    `json:"timeout"`
}

type rawAction struct {
	Action      string               `json:"action"`
	Description string               `json:"description"`
	Input       map[string]rawInput  `json:"input"`
	Output      map[string]rawOutput `json:"output"`
	Aggregate   []rawAggregate       `json:"aggregate"`
}

type rawInput struct {
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Default     any      `json:"default"`
	Optional    bool     `json:"optional"`
	Validation  string   `json:"validation"`
	MaxLength   int      `json:"maxlength"`
	List        []string `json:"list"`
}

type rawOutput struct {
	Description string `json:"description"`
	DisplayAs   string `json:"display_as"`
}

type rawAggregate struct {
	Function string `json:"function"`
	Args     []any  `json:"args"`
}

// Parse reads a DDL. The error lists everything that is wrong, a line each, with file and place.
func Parse(file string, data []byte) (*DDL, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%s: it has %d bytes; a DDL has at most %d", file, len(data), MaxSize)
	}
	var doc document
	dec := json.NewDecoder(bytes.NewReader(data))
	err := dec.Decode(&doc)
	if err == nil {
		if _, after := dec.Token(); !errors.Is(after, io.EOF) {
			err = fmt.Errorf("%s: something follows the end of the JSON; a DDL is one object", at(data, dec.InputOffset()))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, unreadable(data, err))
	}
	p := parser{file: file}
	d := p.ddl(doc)
	if len(p.wrong) > 0 {
		return nil, errors.New(strings.Join(p.wrong, "\n"))
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	d.digest = sha256.Sum256(compact.Bytes())
	return d, nil
}

// unreadable says where JSON ends to be a DDL: line:column.
func unreadable(data []byte, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s: this is not JSON: %w; is it the .json file of the agent, not its .ddl?", at(data, syntax.Offset), err)
	}
	if typ, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := typ.Field
		if where == "" {
			where = "the DDL"
		}
		return fmt.Errorf("%s: %s cannot be a JSON %s; compare with a DDL that works", at(data, typ.Offset), where, typ.Value)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: the file ends too early; is it complete?", at(data, int64(len(data))))
	}
	return err
}

// at is line:column of an offset.
func at(data []byte, offset int64) string {
	before := data[:min(max(offset, 0), int64(len(data)))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return fmt.Sprintf("%d:%d", line, max(column, 1))
}

// parser collects what is wrong.
type parser struct {
	file            string
	wrong, warnings []string
}

func (p *parser) fault(place, format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf("%s: %s: %s", p.file, place, fmt.Sprintf(format, args...)))
}

func (p *parser) warn(place, format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf("%s: %s: %s", p.file, place, fmt.Sprintf(format, args...)))
}

var (
	agentName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`)
)

func (p *parser) ddl(doc document) *DDL {
	if doc.Metadata == nil {
		p.fault("metadata", "it is missing; this is no DDL of an agent")
		return nil
	}
	m := doc.Metadata
	d := &DDL{Agent: m.Name, Version: m.Version, Description: m.Description, File: p.file, Actions: make(map[string]*Action)}
	if !agentName.MatchString(m.Name) {
		p.fault("metadata.name", "%s is no name of an agent; write small letters, digits, _ and -", quote(m.Name))
	}
	if m.Version == "" {
		p.fault("metadata.version", "it is missing; write the version of the agent, such as 1.2.0")
	}
	switch {
	case m.Timeout < 0 || m.Timeout > maxTimeout:
		p.fault("metadata.timeout", "%d seconds is no time-out; write 1 to %d", m.Timeout, maxTimeout)
	case m.Timeout == 0:
		d.Timeout = defaultTimeout
	default:
		d.Timeout = time.Duration(m.Timeout) * time.Second
	}
	if len(doc.Actions) == 0 {
		p.fault("actions", "there is none; an agent has at least one action")
	}
	for i, raw := range doc.Actions {
		place := fmt.Sprintf("actions[%d].action", i)
		if !plainName.MatchString(raw.Action) {
			p.fault(place, "%s is no name of an action; write letters, digits, _ and -", quote(raw.Action))
			continue
		}
		if d.Actions[raw.Action] != nil {
			p.fault(place, "there is an action %s already; leave one of them out", raw.Action)
			continue
		}
		d.Actions[raw.Action] = p.action(m.Name, raw)
	}
	d.Warnings = p.warnings
	return d
}

func (p *parser) action(agent string, raw rawAction) *Action {
	a := &Action{
		Agent: agent, Name: raw.Action, Description: raw.Description,
		Inputs: make(map[string]*Input), Outputs: make(map[string]Output),
	}
	for _, name := range slices.Sorted(maps.Keys(raw.Input)) {
		place := "actions." + raw.Action + ".input." + name
		if !plainName.MatchString(name) {
			p.fault("actions."+raw.Action+".input", "%s is no name of an input; write letters, digits, _ and -", quote(name))
			continue
		}
		a.Inputs[name] = p.input(place, name, raw.Input[name])
	}
	for name, out := range raw.Output {
		a.Outputs[name] = Output(out)
	}
	for i, agg := range raw.Aggregate {
		p.aggregate(a, fmt.Sprintf("actions.%s.aggregate[%d]", raw.Action, i), agg)
	}
	return a
}

func (p *parser) input(place, name string, raw rawInput) *Input {
	in := &Input{
		Name: name, Description: raw.Description, Optional: raw.Optional, MaxLength: raw.MaxLength, Choices: raw.List,
	}
	switch t := strings.ToLower(raw.Type); {
	case t == "":
		in.Type = Any
	case t == "int":
		in.Type = Integer
	case slices.Contains(types(), t):
		in.Type = Type(t)
	default:
		remedy := "known: " + strings.Join(types(), ", ")
		if near := playbooks.Nearest(t, types()); near != "" {
			remedy = fmt.Sprintf("did you mean %q?", near)
		}
		p.fault(place+".type", "%s is no type; %s", quote(raw.Type), remedy)
		return in
	}
	if in.MaxLength < 0 {
		p.fault(place+".maxlength", "%d is no length; write a number of at least 1", in.MaxLength)
	}
	if in.Type == List && len(in.Choices) == 0 {
		p.fault(place+".list", "it is missing; list the texts that may be chosen")
	}
	if in.Type == String && raw.Validation != "" {
		var err error
		if in.validation, err = newValidation(raw.Validation); err != nil {
			p.warn(place+".validation", "%v; the nodes alone check this input", err)
		}
	}
	if raw.Default != nil {
		value, err := in.convert(raw.Default)
		if err != nil {
			p.warn(place+".default", "%v; it is not sent, nodes take their own", err)
			in.Optional = true // to the nodes it is given
		}
		in.Default = value
	}
	return in
}

// quote is a text of a file or a person in a message; one that is long is not repeated.
func quote(s string) string {
	if len(s) > 40 {
		return fmt.Sprintf("a text of %d bytes", len(s))
	}
	return fmt.Sprintf("%q", s)
}

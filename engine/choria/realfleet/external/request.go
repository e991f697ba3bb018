package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Request is one call of an action, or the question whether an agent is to be active.
type Request struct {
	Agent      string          `json:"agent"`
	Action     string          `json:"action"`
	ID         string          `json:"requestid"`
	Sender     string          `json:"senderid"` // the machine of the caller
	Caller     string          `json:"callerid"` // who calls, such as choria=deploy.mcollective
	Collective string          `json:"collective"`
	TTL        int             `json:"ttl"`     // seconds
	MsgTime    int64           `json:"msgtime"` // Unix seconds
	Data       json.RawMessage `json:"data"`    // the inputs

	Settings Settings        `json:"-"`
	Facts    json.RawMessage `json:"-"` // of the server; empty when it has none
}

// Time is when the caller sent the request.
func (r *Request) Time() time.Time { return time.Unix(r.MsgTime, 0) }

// Decode reads the inputs into a pointer to a struct. The server has checked them against the
// agent's description; what still does not fit is an [*Error] with [CodeInvalidData].
func (r *Request) Decode(v any) error {
	if len(r.Data) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Data, v); err != nil {
		return &Error{Code: CodeInvalidData, Message: fmt.Sprintf("inputs of %s.%s: %v", r.Agent, r.Action, err)}
	}
	return nil
}

// Settings are the lines `name = value` of the file plugin.d/<agent>.cfg beside the configuration
// file of the server, without .cfg too. There need not be one.
type Settings map[string]string

// Need returns the value of a name, or an error that says where it is to be written.
func (s Settings) Need(name string) (string, error) {
	if v := s[name]; v != "" {
		return v, nil
	}
	return "", fmt.Errorf("external agent: the setting %s is missing; add `%s = ...` to %s", name, name, s[settingsFile])
}

// settingsFile is the name under which Settings remember the file that they come from. No line of
// a file can have it.
const settingsFile = ""

// env is the environment of a request.
type env struct {
	protocol, requestFile, reply, config, facts string
}

func environment(getenv func(string) string) (env, error) {
	e := env{
		protocol: getenv("CHORIA_EXTERNAL_PROTOCOL"), requestFile: getenv("CHORIA_EXTERNAL_REQUEST"), reply: getenv("CHORIA_EXTERNAL_REPLY"),
		config: getenv("CHORIA_EXTERNAL_CONFIG"), facts: getenv("CHORIA_EXTERNAL_FACTS"),
	}
	if e.requestFile == "" || e.reply == "" {
		return env{}, errors.New("external agent: this executable is started by a Choria server, which sets CHORIA_EXTERNAL_REQUEST and CHORIA_EXTERNAL_REPLY")
	}
	if e.protocol != protocolActivation && e.protocol != protocolRequest {
		return env{}, fmt.Errorf("external agent: the protocol %q is unknown; known are %s and %s", e.protocol, protocolRequest, protocolActivation)
	}
	return e, nil
}

func (e env) request() (*Request, error) {
	data, err := os.ReadFile(e.requestFile)
	if err != nil {
		return nil, fmt.Errorf("external agent: read the request: %w", err)
	}
	r := &Request{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("external agent: read the request: %w", err)
	}
	if r.Settings, err = readSettings(e.config); err != nil {
		return nil, err
	}
	if e.facts == "" {
		return r, nil
	}
	if r.Facts, err = os.ReadFile(e.facts); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("external agent: read the facts: %w", err)
	}
	return r, nil
}

// readSettings reads the first of path and path.cfg that there is: servers name the first, Puppet
// writes the second.
func readSettings(path string) (Settings, error) {
	if path == "" {
		return Settings{settingsFile: "plugin.d/<agent>.cfg"}, nil
	}
	for _, file := range []string{path, path + ".cfg"} {
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("external agent: read the settings: %w", err)
		}
		return parseSettings(file, data)
	}
	return Settings{settingsFile: path + ".cfg"}, nil
}

func parseSettings(file string, data []byte) (Settings, error) {
	s := Settings{settingsFile: file}
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, found := strings.Cut(text, "=")
		name = strings.TrimSpace(name)
		if !found || name == "" {
			return nil, fmt.Errorf("external agent: %s:%d: %q is not of the form name = value", file, i+1, text)
		}
		s[name] = strings.TrimSpace(value)
	}
	return s, nil
}

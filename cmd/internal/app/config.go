package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/playbot/playbot/engine/policy"
)

// Config is the configuration file. Relative paths are relative to the file's folder.
type Config struct {
	Label     string       `yaml:"label"`     // shown on every card; default "playbot"
	DataDir   string       `yaml:"data_dir"`  // where the store and file data stores live; required
	Playbooks string       `yaml:"playbooks"` // folder of playbooks; required
	Slack     SlackConfig  `yaml:"slack"`
	NATS      NATSConfig   `yaml:"nats"`
	PuppetDB  PuppetConfig `yaml:"puppetdb"`
	Policy    PolicyConfig `yaml:"policy"`
}

// SlackConfig says how to reach Slack.
type SlackConfig struct {
	BotToken   SecretRef `yaml:"bot_token"` // xoxb-…
	AppToken   SecretRef `yaml:"app_token"` // xapp-…, with connections:write
	APIURL     string    `yaml:"api_url"`   // default: Slack's own
	OpsChannel string    `yaml:"ops_channel"`
}

// NATSConfig says how to reach the Choria network.
type NATSConfig struct {
	Servers    []string      `yaml:"servers"`    // empty: no network; tasks that need one say so
	Collective string        `yaml:"collective"` // default mcollective
	Identity   string        `yaml:"identity"`   // the name in the certificate
	CA         string        `yaml:"ca"`
	Cert       string        `yaml:"cert"`
	Key        string        `yaml:"key"`
	Insecure   bool          `yaml:"insecure"`         // no TLS, no signatures: only for a simulated fleet
	Window     time.Duration `yaml:"discovery_window"` // default 300ms of silence ends a discovery
	Timeout    time.Duration `yaml:"timeout"`          // of one request; default 20s
}

// PuppetConfig says how to reach PuppetDB.
type PuppetConfig struct {
	URL  string `yaml:"url"`
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// PolicyConfig says who may do what; see the guide.
type PolicyConfig struct {
	OwnApproval     bool                  `yaml:"own_approval"`
	ApprovalExpires time.Duration         `yaml:"approval_expires"`
	Gates           []string              `yaml:"gates"`
	ReadOnly        []string              `yaml:"read_only"`
	Roles           map[string]RoleConfig `yaml:"roles"`
}

// RoleConfig gives people verbs on playbooks.
type RoleConfig struct {
	Members   []string      `yaml:"members"`
	May       []policy.Verb `yaml:"may"`
	Playbooks []string      `yaml:"playbooks"`
}

// SecretRef names a secret and never contains it: "env:NAME" or "file:PATH".
type SecretRef string

// Load reads and checks a configuration file.
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c := Config{}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: %s; compare with docs/guide/operate.md", path, plainYAML(err))
	}
	c.resolve(filepath.Dir(path))
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// plainYAML takes our Go type names out of the library's messages.
func plainYAML(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l, _, _ = strings.Cut(strings.TrimSpace(l), " in type app.")
		lines[i] = strings.Replace(l, "field ", "unknown key ", 1)
		lines[i] = strings.TrimSuffix(lines[i], " not found")
	}
	return strings.Join(lines, "; ")
}

// resolve makes paths absolute and fills in defaults.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.DataDir, &c.Playbooks, &c.NATS.CA, &c.NATS.Cert, &c.NATS.Key, &c.PuppetDB.CA, &c.PuppetDB.Cert, &c.PuppetDB.Key} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if c.Label == "" {
		c.Label = "playbot"
	}
	if c.NATS.Collective == "" {
		c.NATS.Collective = "mcollective"
	}
}

// Validate reports everything that is wrong, at once.
func (c *Config) Validate() error {
	var problems []error
	need := func(value, key, why string) {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is missing: %s", key, why))
		}
	}
	need(c.DataDir, "data_dir", "name the folder for the history and the data stores")
	need(c.Playbooks, "playbooks", "name the folder that holds the playbooks")
	if len(c.NATS.Servers) > 0 && !c.NATS.Insecure {
		need(c.NATS.CA, "nats.ca", "name the CA file, or set nats.insecure: true for a simulated fleet")
		need(c.NATS.Cert, "nats.cert", "name the client certificate")
		need(c.NATS.Key, "nats.key", "name the private key")
	}
	if _, err := c.Rules(); err != nil {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Rules is the policy of the configuration.
func (c *Config) Rules() (*policy.Policy, error) {
	rules := policy.Rules{
		OwnApproval: c.Policy.OwnApproval, Expires: c.Policy.ApprovalExpires,
		Gates: c.Policy.Gates, ReadOnly: c.Policy.ReadOnly,
	}
	for _, name := range sortedKeys(c.Policy.Roles) {
		r := c.Policy.Roles[name]
		rules.Roles = append(rules.Roles, policy.Role{Name: name, Members: r.Members, May: r.May, Playbooks: r.Playbooks})
	}
	return policy.New(rules)
}

// StorePath is the file that keeps the history.
func (c *Config) StorePath() string { return filepath.Join(c.DataDir, "playbot.db") }

// Read returns the secret. A file that others can read is refused.
func (s SecretRef) Read(key string) (string, error) {
	kind, name, ok := strings.Cut(string(s), ":")
	switch {
	case s == "":
		return "", fmt.Errorf("%s is missing; write env:NAME or file:PATH", key)
	case ok && kind == "env":
		if v := os.Getenv(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("%s: the environment variable %s is empty; set it before starting playbot", key, name)
	case ok && kind == "file":
		return readSecretFile(key, name)
	default:
		return "", fmt.Errorf("%s must be env:NAME or file:PATH, so that the configuration holds no secret", key)
	}
}

func readSecretFile(key, name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s: %s can be read by others (mode %v); run chmod 600 %s", key, name, info.Mode().Perm(), name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return strings.TrimSpace(string(data)), nil
}

package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Config is the configuration file. Relative paths are relative to the file's folder.
type Config struct {
	Label     string       `yaml:"label"`     // shown on every card; default "playbot"
	DataDir   string       `yaml:"data_dir"`  // where the store and file data stores live; required
	Playbooks string       `yaml:"playbooks"` // folder of playbooks; required
	Slack     SlackConfig  `yaml:"slack"`
	NATS      NATSConfig   `yaml:"nats"`
	Choria    ChoriaConfig `yaml:"choria"`
	PuppetDB  PuppetConfig `yaml:"puppetdb"`
	Policy    PolicyConfig `yaml:"policy"`

	file string // that it was read from; empty when it was not
}

// SlackConfig says how to reach Slack.
type SlackConfig struct {
	BotToken   SecretRef `yaml:"bot_token"` // xoxb-…
	AppToken   SecretRef `yaml:"app_token"` // xapp-…, with connections:write
	APIURL     string    `yaml:"api_url"`   // default: Slack's own
	OpsChannel string    `yaml:"ops_channel"`

	StaleAfter time.Duration `yaml:"stale_after"` // commands that come later are not run; default 5 min
}

// ChoriaConfig says what is known of the agents.
type ChoriaConfig struct {
	DDLs     []string `yaml:"ddls"`     // folders of agents' descriptions in JSON; see package ddl
	Registry bool     `yaml:"registry"` // fetch the others from the network's registry; see package registry
}

// PuppetConfig says how to reach PuppetDB.
type PuppetConfig struct {
	URL  string `yaml:"url"`
	CA   string `yaml:"ca"`
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// SecretRef names a secret and never contains it: "env:NAME" or "file:PATH".
type SecretRef string

// Load reads and checks a configuration file.
func Load(path string) (Config, error) {
	c, err := Read(path)
	if err != nil {
		return Config{}, err
	}
	if err := c.check(); err != nil {
		return Config{}, errors.Join(fmt.Errorf("%s: %w", path, err), c.Policy.wrong()) // which names the file with each place
	}
	return c, c.Policy.wrong()
}

// Read reads a configuration file and does not look whether what it says can work; see [Config.Validate].
func Read(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w; name it with --config FILE, docs/guide/operate.md says what it holds", err)
	}
	c := Config{file: path}
	err = c.decode(data)
	c.Policy.inFile(path, data)
	if err != nil {
		return Config{}, errors.Join(fmt.Errorf("%s: %s; compare with docs/guide/operate.md", path, plainYAML(err)), c.Policy.wrong())
	}
	c.resolve(filepath.Dir(path))
	return c, nil
}

// decode reads the one YAML document of a configuration. Nothing of it is passed over.
func (c *Config) decode(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // Validate says what an empty file lacks
		}
		return err
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document in the file; a configuration has no line of ---")
	}
	return nil
}

// plainYAML says the library's messages in words of people, without our Go types.
func plainYAML(err error) string {
	plain := strings.NewReplacer(
		"cannot unmarshal ", "cannot read ", "!!seq", "a list", "!!map", "a mapping", "!!null", "nothing",
		"!!str ", "", "!!int ", "", "!!float ", "", "!!bool ", "",
		"into time.Duration", "as a time, such as 30s or 5m", "into []string", "as a list", "into string", "as text",
		"into bool", "as true or false", "into app.", "as keys with values of ",
	)
	text := strings.TrimPrefix(err.Error(), "yaml: unmarshal errors:\n")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		l, _, _ = strings.Cut(strings.TrimSpace(l), " in type app.")
		lines[i] = strings.Replace(l, "field ", "unknown key ", 1)
		lines[i] = plain.Replace(strings.TrimSuffix(lines[i], " not found"))
	}
	return strings.Join(lines, "; ")
}

// resolve makes paths absolute and fills in defaults.
func (c *Config) resolve(base string) {
	paths := append(c.NATS.paths(), &c.DataDir, &c.Playbooks, &c.PuppetDB.CA, &c.PuppetDB.Cert, &c.PuppetDB.Key)
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	for i, dir := range c.Choria.DDLs {
		if dir != "" && !filepath.IsAbs(dir) {
			c.Choria.DDLs[i] = filepath.Join(base, dir)
		}
	}
	for _, s := range []*SecretRef{&c.Slack.BotToken, &c.Slack.AppToken} {
		if name, isFile := strings.CutPrefix(string(*s), "file:"); isFile && name != "" && !filepath.IsAbs(name) {
			*s = SecretRef("file:" + filepath.Join(base, name))
		}
	}
	if c.Label == "" {
		c.Label = "playbot"
	}
	if c.NATS.Collective == "" {
		c.NATS.Collective = c.NATS.usualCollective()
	}
}

// Validate reports everything that is wrong, at once.
func (c *Config) Validate() error { return errors.Join(c.check(), c.Policy.wrong()) }

// check is everything that is wrong but the places of a policy.
func (c *Config) check() error {
	var problems []error
	need := func(value, key, why string) {
		if value == "" {
			problems = append(problems, fmt.Errorf("%s is missing: %s", key, why))
		}
	}
	need(c.DataDir, "data_dir", "name the folder for the history and the data stores")
	need(c.Playbooks, "playbooks", "name the folder that holds the playbooks")
	problems = append(problems, c.Slack.BotToken.check("slack.bot_token"), c.Slack.AppToken.check("slack.app_token"), c.Slack.check(), c.NATS.check())
	if slices.Contains(c.Choria.DDLs, "") {
		problems = append(problems, errors.New("choria.ddls: a folder has no name; write choria.ddls: [FOLDER]"))
	}
	if c.Choria.Registry && !c.NATS.Used() {
		problems = append(problems, errors.New("choria.registry is a service of the network; name its brokers in nats.servers, or leave it out"))
	}
	problems = append(problems, c.PuppetDB.check())
	if c.Policy.wrong() == nil {
		_, err := c.Rules()
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// shortestStale leaves the ack of a command, and clocks that differ, their time.
const shortestStale = 10 * time.Second

func (s *SlackConfig) check() error {
	if s.StaleAfter != 0 && s.StaleAfter < shortestStale {
		return fmt.Errorf("slack.stale_after is %s; clocks differ by more, so give %s at least, as in stale_after: 5m", s.StaleAfter, shortestStale)
	}
	return nil
}

func (p *PuppetConfig) check() error {
	if p.URL == "" {
		return nil
	}
	var err error
	if given := p.CA + p.Cert + p.Key; given != "" && (p.CA == "" || p.Cert == "" || p.Key == "") {
		err = errors.New("puppetdb.ca, cert and key are needed together; set all of them, or none")
	}
	return errors.Join(err, checkURL("puppetdb.url", p.URL, "https", "http"))
}

// checkURL wants an address with one of the schemes; the first one is the advice.
func checkURL(key, text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err == nil && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" {
		return nil
	}
	return fmt.Errorf("%s: %q is no address; write it as %s://HOST:PORT", key, text, schemes[0])
}

// StorePath is the file that keeps the history.
func (c *Config) StorePath() string { return filepath.Join(c.DataDir, "playbot.db") }

// check says whether a reference, where there is one, is written right.
func (s SecretRef) check(key string) error {
	kind, name, _ := strings.Cut(string(s), ":")
	if s == "" || name != "" && (kind == "env" || kind == "file") {
		return nil
	}
	return fmt.Errorf("%s must be env:NAME or file:PATH, so that the configuration holds no secret", key)
}

// Read returns the secret. A file that others can read is refused.
func (s SecretRef) Read(key string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("%s is missing; write env:NAME or file:PATH", key)
	}
	if err := s.check(key); err != nil {
		return "", err
	}
	kind, name, _ := strings.Cut(string(s), ":")
	if kind == "file" {
		return readSecretFile(key, name)
	}
	if v := os.Getenv(name); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("%s: the environment variable %s is empty; set it before starting playbot", key, name)
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

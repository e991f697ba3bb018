package app_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/playbot/playbot/cmd/internal/app"
)

func TestConfig_hasTheCollectiveThatServersHave(t *testing.T) {
	t.Parallel()
	for nats, want := range map[string]string{
		"{}":                             "mcollective",
		"{token: a.jwt, seed: a.seed}":   "choria",
		"{token: a.jwt, collective: de}": "de",
	} {
		file := filepath.Join(t.TempDir(), "playbot.yaml")
		if err := os.WriteFile(file, []byte("data_dir: d\nplaybooks: p\nnats: "+nats+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := app.Load(file)
		if err != nil || c.NATS.Collective != want {
			t.Errorf("%s: got %q, %v; want %q", nats, c.NATS.Collective, err, want)
		}
	}
}

func TestConfig_keysAreWhereTheFileIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "playbot.yaml")
	const text = `data_dir: d
playbooks: p
nats:
  servers: [tls://127.0.0.1:4222]
  token: a.jwt
  seed: a.seed
  ca: ca.pem
  signer: {url: "https://aaa.example.net/sign", token: b.jwt, ca: /etc/aaa.pem}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := app.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.NATS.Token: filepath.Join(dir, "a.jwt"), c.NATS.Seed: filepath.Join(dir, "a.seed"), c.NATS.CA: filepath.Join(dir, "ca.pem"),
		c.NATS.Signer.Token: filepath.Join(dir, "b.jwt"), c.NATS.Signer.CA: "/etc/aaa.pem",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

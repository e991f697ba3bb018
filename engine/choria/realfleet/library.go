package realfleet

import (
	"os"
	"testing"

	gochoria "github.com/choria-io/go-choria/choria"
)

// Library is go-choria's own client side, ready to use. It has the same keys as our client.
func (f *Fleet) Library(tb testing.TB) *gochoria.Framework {
	tb.Helper()
	own := f.Options()
	keys := map[string]string{"plugin.security.provider": "file"}
	switch f.site.mode {
	case File:
		keys["plugin.security.file.ca"], keys["plugin.security.file.certificate"], keys["plugin.security.file.key"] = own.CA, own.Cert, own.Key
	case JWT:
		keys = map[string]string{
			"plugin.security.provider": "choria", "plugin.security.choria.ca": own.CA,
			"plugin.security.choria.token_file": own.Token, "plugin.security.choria.seed_file": own.Seed,
		}
	case Insecure:
	}
	dir := f.site.folder("library")
	if err := os.Mkdir(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	cfg, err := f.site.configure(dir, own.Identity, keys, map[string]string{"plugin.choria.middleware_hosts": f.URL})
	if err != nil {
		tb.Fatal(err)
	}
	cfg.InitiatedByServer = false
	fw, err := gochoria.NewWithConfig(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return fw
}

package choria

import "path/filepath"

// withPuppet finds the files of the `file` security where a puppet agent keeps them.
func (o Options) withPuppet() Options {
	if o.PuppetSSL == "" {
		return o
	}
	name := o.Identity + ".pem"
	o.CA = filepath.Join(o.PuppetSSL, "certs", "ca.pem")
	o.Cert = filepath.Join(o.PuppetSSL, "certs", name)
	o.Key = filepath.Join(o.PuppetSSL, "private_keys", name)
	return o
}

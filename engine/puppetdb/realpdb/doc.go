// Package realpdb runs a real PuppetDB and its PostgreSQL, on loopback and in a folder of their own, for
// tests and demonstrations. It is the judge of package pdbsim, and needs what Debian's packages install:
//
//	apt-get install -y --no-install-recommends puppetdb postgresql
//
// [Start] takes 15 to 60 seconds, for Debian's PuppetDB compiles itself at every start, and some 450 MB.
// Start one for all tests of a package, as early as possible:
//
//	db, err := realpdb.Start(ctx, realpdb.Options{})
//	defer db.Stop()
//	err = db.Load(ctx, []pdbsim.Node{{Certname: "web1", Facts: map[string]any{"tier": "alfa"}}})
//	client, err := puppetdb.New(puppetdb.Options{URL: db.URL})
//
// As root both run as the users of their packages; PostgreSQL refuses to be root. Everybody else runs
// them as themselves.
package realpdb

package playbooks

import (
	"embed"
	"io/fs"
)

//go:embed examples/*.yaml
var examples embed.FS

// Examples are the playbooks that come with the program: files named *.yaml.
func Examples() (fs.FS, error) { return fs.Sub(examples, "examples") }

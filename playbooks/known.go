package playbooks

import "slices"

// Known lists the keys that were read so far, sorted, each once: what Decode understands.
func (p *Properties) Known() []string {
	out := slices.Clone(p.read)
	slices.Sort(out)
	return slices.Compact(out)
}

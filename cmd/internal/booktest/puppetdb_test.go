package booktest

import "testing"

const knownBook = `
nodes:
  web: {type: mcollective, discovery_method: choria, agents: [kafka], classes: [roles::web], facts: ["tier=bravo", "os.family!=redhat", "cpus>=4"], identities: [/^web/]}
tasks:
  - mcollective: {description: restart, nodes: "{{ nodes.web }}", action: kafka.restart}
`

// PuppetDB knows nodes that are silent; a node that names no agents has those that are asked for.
func TestCase_findsNodesThroughPuppetDB(t *testing.T) {
	t.Parallel()
	result := play(t, map[string]string{"known": knownBook}, `
playbook: known
nodes:
  web[1-2]: {classes: [roles::web], facts: {tier: bravo, os: {family: debian}, cpus: 8}}
  web3: {classes: [roles::web], facts: {tier: bravo, os: {family: debian}, cpus: 8}, silent: true, agents: {kafka: 1.0.0}}
  web4: {classes: [roles::web], facts: {tier: bravo, os: {family: debian}, cpus: 8}, agents: {postgres: 1.0.0}}
  web5: {classes: [roles::web], facts: {tier: bravo, os: {family: redhat}, cpus: 8}}
  web6: {classes: [roles::web], facts: {tier: bravo, os: {family: debian}, cpus: 2}}
  web7: {classes: [roles::db], facts: {tier: bravo, os: {family: debian}, cpus: 8}}
  db1: {classes: [roles::web], facts: {tier: bravo, os: {family: debian}, cpus: 8}}
replies: [kafka.restart]
cases:
  - name: x
    expect: {outcome: failed, nodes: {web: "web[1-3]"}, steps: [{restart: {status: failed, ok: "web[1-2]", silent: web3}}]}
`)
	for _, f := range result.Failures {
		t.Error(f)
	}
}

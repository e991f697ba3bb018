// Package enginetest holds what tests of the engine and of its task types, node sources and data
// stores share: [Check], which holds the promises of the design against the events of a run, the
// contract suites, and a harness that runs playbooks on a real file with scripted task types.
package enginetest

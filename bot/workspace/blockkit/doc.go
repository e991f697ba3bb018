// Package blockkit checks messages and views against the rules that Slack documents for Block Kit,
// and against the ones that it enforces without documenting them. What it refuses, Slack refuses,
// under the same error name. It knows the blocks that playbot and its tests use; a block that it
// does not know is refused, so that nothing is sent unchecked.
package blockkit

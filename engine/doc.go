// Package engine runs playbooks.
//
// A run is the fold of its events: [Run.Apply] turns a sequence of [Event] values into the
// present state, [decide] turns that state and the time into the next action together with a
// named reason, and the runner carries the action out. Every intent is committed before its
// effect and every outcome after it, so that a process which dies at any point leaves a log from
// which the next process either continues by itself or asks a person.
//
// Package engine knows no Slack, no bbolt and no Choria. It states the contracts that those
// satisfy: [Log], [TaskType], [NodeSourceType], [DataStoreType], [Locker] and [Fleet].
package engine

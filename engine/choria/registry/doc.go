// Package registry knows the descriptions of agents, the DDLs, also of agents that no folder describes: it fetches
// them from Choria's registry service in the background, and keeps them in a cache on disk.
//
// A DDL of a folder always wins. One from the registry comes from somebody whom nobody here answers for, so it is
// held to more: it must be of the agent that was asked for, its time-out is bounded, and its defaults are never
// sent. One that is refused changes nothing.
package registry

// Package store keeps events in one bbolt file.
//
// One goroutine writes: it drains a queue of appends into one transaction, so that many callers
// share a commit and a lone caller waits for nobody. Reads copy a page of events and close their
// transaction before anybody looks at them, because a read transaction that stays open makes the
// file grow with every commit.
//
// Buckets: meta (format), event (position -> record), stream (stream and sequence -> position),
// head (stream -> last sequence), key (request key -> run and time), keyage (time and key),
// run (id -> summary), open (unfinished runs), byplaybook, byuser, bystatus, short (indexes ending in the
// run id, which sorts by time), cursor.
//
// Every value begins with a version byte and a CRC-32C, since bbolt checks only its own meta pages.
package store

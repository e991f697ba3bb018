// Package store keeps events in one bbolt file.
//
// One caller writes at a time: whoever appends while nobody does commits what everybody has queued, so
// that many callers share a commit and a lone caller waits for nobody. Reads copy a page of events and
// close their transaction before anybody looks at them, because a read transaction that stays open makes
// the file grow with every commit.
//
// A commit costs by the pages that it writes, more than by their content. So what one append brings is
// one record, and all that it changes of its stream is another.
//
// Buckets: meta (format), event (position -> the events of one append, of which it is the last), head
// (stream -> last sequence, latest appends and, for a run, its summary), stream (stream and position ->
// the appends that its head does not list), index (what runs are found by, ending in the run id, which
// sorts by time), key (request key -> run), keyage (time and key), cursor.
//
// Every value begins with a version byte and a CRC-32C, since bbolt checks only its own meta pages.
package store

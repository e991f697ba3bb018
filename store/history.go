package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

const (
	defaultLimit = 20
	maxLimit     = 1000
	maxMatches   = 10
)

// Find lists runs, newest first. A filter is served by its index; several by the index of the
// first and a look at each summary.
func (s *Store) Find(ctx context.Context, q engine.HistoryQuery) ([]engine.Summary, error) {
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	q.Limit = min(q.Limit, maxLimit)
	bucket, prefix := plan(q)
	var out []engine.Summary
	before := q.Before
	for len(out) < q.Limit {
		page, more, err := s.findPage(bucket, prefix, before)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		for _, sum := range page {
			before = sum.Run
			if sum.Requested.Before(q.Since) {
				return out, nil // older ones follow
			}
			if matches(sum, q) && len(out) < q.Limit {
				out = append(out, sum)
			}
		}
		if !more {
			return out, nil
		}
	}
	return out, nil
}

// plan chooses the index that serves a query.
func plan(q engine.HistoryQuery) (bucket, prefix []byte) {
	switch {
	case q.Status != "":
		return bucketIndex, []byte(indexKey(byStatus, string(q.Status), ""))
	case q.Playbook != "":
		return bucketIndex, []byte(indexKey(byPlaybook, q.Playbook, ""))
	case q.User != "":
		return bucketIndex, []byte(indexKey(byUser, q.User, ""))
	}
	return bucketHead, []byte(engine.RunID("").Stream())
}

func matches(s engine.Summary, q engine.HistoryQuery) bool {
	return (q.Playbook == "" || s.Playbook.Name == q.Playbook) &&
		(q.User == "" || s.Actor.User == q.User) &&
		(q.Status == "" || s.Status == q.Status)
}

// findPage reads the summaries of one page of an index, newest first.
func (s *Store) findPage(bucket, prefix []byte, before engine.RunID) (page []engine.Summary, more bool, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		for k := lastBefore(c, prefix, before); bytes.HasPrefix(k, prefix) && k != nil; k, _ = c.Prev() {
			if len(page) == pageSize {
				more = true
				return nil
			}
			sum, err := readSummary(tx, engine.RunID(k[len(prefix):]))
			if err != nil {
				return err
			}
			switch {
			case sum.Run != "":
				page = append(page, sum)
			case !bytes.Equal(bucket, bucketHead): // there, it is an annotation to a run that was never requested
				return damaged(bucket, k, "its run is missing")
			}
		}
		return nil
	})
	return page, more, err
}

// lastBefore moves a cursor to the newest key below a prefix, or the newest that is older than a run.
func lastBefore(c *bolt.Cursor, prefix []byte, before engine.RunID) []byte {
	end := append(append([]byte(nil), prefix...), before...)
	if before == "" {
		end = append(end, 0xff)
	}
	if k, _ := c.Seek(end); k == nil {
		last, _ := c.Last()
		return last
	}
	k, _ := c.Prev()
	return k
}

// Summary returns one run.
func (s *Store) Summary(_ context.Context, id engine.RunID) (engine.Summary, error) {
	var sum engine.Summary
	err := s.view(func(tx *bolt.Tx) error {
		var err error
		sum, err = readSummary(tx, id)
		return err
	})
	if err == nil && sum.Run == "" {
		err = engine.Errorf(engine.CodeNotFound, "there is no run %s", id.Short())
	}
	return sum, err
}

// readSummary returns the zero summary when there is no such run.
func readSummary(tx *bolt.Tx, id engine.RunID) (engine.Summary, error) {
	h, err := readHead(tx, id.Stream())
	return h.summary, err
}

// minPrefix is how many characters of a run's id people must type.
const minPrefix = 4

// Lookup resolves what people type for a run: its id, the short form with or without "r-", or a
// beginning of either of at least four characters. It returns at most ten, newest first.
func (s *Store) Lookup(_ context.Context, typed string) ([]engine.RunID, error) {
	short := strings.TrimPrefix(strings.ToLower(typed), "r-")
	if len(short) < minPrefix {
		return nil, engine.Errorf(engine.CodeInvalid, "%q is too short for a run; give at least %d characters, as in r-7k3f", typed, minPrefix)
	}
	found := map[engine.RunID]bool{}
	err := s.view(func(tx *bolt.Tx) error {
		prefix := []byte(byShort + "\x00" + short)
		c := tx.Bucket(bucketIndex).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			found[engine.RunID(k[bytes.LastIndexByte(k, 0)+1:])] = true
		}
		long := []byte(engine.RunID(strings.ToUpper(typed)).Stream())
		c = tx.Bucket(bucketHead).Cursor()
		for k, v := c.Seek(long); bytes.HasPrefix(k, long) && len(found) <= maxMatches; k, v = c.Next() {
			h, err := decodeHead(k, v)
			if err != nil {
				return err
			}
			if h.summary.Run != "" {
				found[h.summary.Run] = true
			}
		}
		return nil
	})
	return newestFirst(found), err
}

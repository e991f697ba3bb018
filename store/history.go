package store

import (
	"bytes"
	"context"
	"encoding/json"
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
		return bucketByStatus, append([]byte(q.Status), 0)
	case q.Playbook != "":
		return bucketByPlaybook, append([]byte(q.Playbook), 0)
	case q.User != "":
		return bucketByUser, append([]byte(q.User), 0)
	}
	return bucketRun, nil
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
			if sum.Run == "" {
				return &DamagedError{Bucket: string(bucket), Key: append([]byte(nil), k...), Reason: "its run is missing"}
			}
			page = append(page, sum)
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

func readSummary(tx *bolt.Tx, id engine.RunID) (engine.Summary, error) {
	var sum engine.Summary
	key := []byte(id)
	v := tx.Bucket(bucketRun).Get(key)
	if v == nil {
		return sum, nil
	}
	payload, err := unseal(string(bucketRun), key, v)
	if err != nil {
		return sum, err
	}
	return sum, json.Unmarshal(payload, &sum)
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
		c := tx.Bucket(bucketShort).Cursor()
		for k, _ := c.Seek([]byte(short)); bytes.HasPrefix(k, []byte(short)); k, _ = c.Next() {
			_, id, _ := bytes.Cut(k, []byte{0})
			found[engine.RunID(id)] = true
		}
		long := []byte(strings.ToUpper(typed))
		c = tx.Bucket(bucketRun).Cursor()
		for k, _ := c.Seek(long); bytes.HasPrefix(k, long) && len(found) <= maxMatches; k, _ = c.Next() {
			found[engine.RunID(k)] = true
		}
		return nil
	})
	return newestFirst(found), err
}

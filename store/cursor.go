package store

import (
	"context"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/playbot/playbot/engine"
)

// Cursor returns how far a reader of the log has come; 0 when it has not begun.
func (s *Store) Cursor(_ context.Context, name string) (engine.Pos, error) {
	var pos engine.Pos
	err := s.view(func(tx *bolt.Tx) error {
		key := []byte(name)
		v := tx.Bucket(bucketCursor).Get(key)
		if v == nil {
			return nil
		}
		payload, err := unseal(string(bucketCursor), key, v)
		pos = engine.Pos(number(payload))
		return err
	})
	return pos, err
}

// SaveCursor records how far a reader has come, sharing a commit with what is being appended.
func (s *Store) SaveCursor(ctx context.Context, name string, pos engine.Pos) error {
	key := []byte(name)
	q := &appendRequest{ctx: ctx, stream: "cursor", change: func(tx *bolt.Tx) error {
		return tx.Bucket(bucketCursor).Put(key, seal(key, bytes8(uint64(pos))))
	}}
	return s.submit(q)
}

func newestFirst(set map[engine.RunID]bool) []engine.RunID {
	ids := make([]engine.RunID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids[:min(len(ids), maxMatches)]
}

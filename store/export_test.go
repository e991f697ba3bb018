package store

// PagesWritten is how many pages the store has written since it was opened.
func (s *Store) PagesWritten() int64 {
	stats := s.db.Stats()
	return stats.TxStats.GetWrite()
}

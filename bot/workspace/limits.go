package workspace

import "time"

// Posts: one a second in each channel with short bursts, and several hundred a minute in the
// workspace; neither the burst nor the ceiling is published. docs.slack.dev/apis/web-api/rate-limits.
const (
	postBurst      = 5
	postsPerMinute = 300
)

// bucket counts calls of a minute, or posts of a channel.
type bucket struct {
	tokens float64
	at     time.Time
}

// limited says how long a caller has to wait; tiers are calls a minute. Only a strict workspace limits.
func (s *Server) limited(name string, m apiMethod, params map[string]any) time.Duration {
	if !s.opts.Strict {
		return 0
	}
	if name == "chat.postMessage" {
		key, _ := params["channel"].(string)
		if ch := s.channel(key); ch != nil {
			key = ch.ID
		}
		if wait := s.take(name+" "+key, 1, postBurst); wait > 0 {
			return wait
		}
		return s.take(name, postsPerMinute/60.0, postsPerMinute)
	}
	if m.tier == 0 {
		return 0
	}
	return s.take(name, float64(m.tier)/60, float64(m.tier))
}

// take takes a token out of a bucket, or says when there will be one.
func (s *Server) take(key string, rate, burst float64) time.Duration {
	now := time.Now()
	b := s.buckets[key]
	if b == nil {
		b = &bucket{tokens: burst, at: now}
		s.buckets[key] = b
	}
	b.tokens = min(burst, b.tokens+now.Sub(b.at).Seconds()*rate)
	b.at = now
	if b.tokens < 1 {
		return max(time.Duration((1-b.tokens)/rate*float64(time.Second)), 1)
	}
	b.tokens--
	return 0
}

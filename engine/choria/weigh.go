package choria

import "strings"

// Sizes of decoded values in memory, in bytes, as Go 1.26 lays them out on 64 bits; rounded up.
const (
	weightWord  = 16 // an interface, or the head of a string
	weightFloat = 8
	weightList  = 24
	weightMap   = 48
	weightGroup = 8 * (1 + 2*weightWord) // a map holds groups of eight keys and values
)

// weigh estimates the memory that a decoded value takes, in bytes, beside the interface that holds it.
func weigh(v any) int {
	switch v := v.(type) {
	case string:
		return weightWord + len(v)
	case float64:
		return weightFloat
	case []any:
		n := weightList + 2*weightWord*len(v) // a list that grew has room for as many again
		for _, item := range v {
			n += weigh(item)
		}
		return n
	case map[string]any:
		n := weightMap
		if len(v) > 0 {
			n += (len(v)/4 + 1) * weightGroup
		}
		for key, item := range v {
			n += len(key) + weigh(item)
		}
		return n
	}
	return 0
}

// keep adds a reply to the result. When there is no room its data is left out, and the status is
// kept with the beginning of its text.
func (k *call) keep(r Reply) {
	const fixed = 96 // a Reply, and the growth of the list
	size := fixed + len(r.Sender) + len(r.StatusMsg) + weigh(r.Data)
	if k.kept+size > keptBytes {
		r.Data, r.Trimmed = nil, true
		if len(r.StatusMsg) > trimmedText {
			r.StatusMsg = strings.ToValidUTF8(strings.Clone(r.StatusMsg[:trimmedText]), "") + "…"
		}
		k.result.Trimmed++
		size = fixed + len(r.Sender) + len(r.StatusMsg)
	}
	k.kept += size
	k.result.Replies = append(k.result.Replies, r)
}

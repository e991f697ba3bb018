package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest identifies the rules, in hexadecimal: two policies that may decide differently have different ones.
func (p *Policy) Digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", p.rules)) // not as JSON, which has no infinity; maps are written in order
	return hex.EncodeToString(sum[:])
}

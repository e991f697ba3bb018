package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// recordVersion is the first byte of every value.
const recordVersion = 1

// headerSize is the version byte and the CRC-32C.
const headerSize = 5

// DamagedError says that a value in the file is not what was written.
type DamagedError struct {
	Bucket string // empty when a page cannot be read at all
	Key    []byte
	Reason string
}

// Error implements error.
func (e *DamagedError) Error() string {
	if e.Bucket == "" {
		return fmt.Sprintf("the store is damaged: %s; restore a backup, or export what is readable", e.Reason)
	}
	return fmt.Sprintf("the store is damaged: bucket %s, key %x: %s; restore a backup, or export what is readable", e.Bucket, e.Key, e.Reason)
}

func damaged(bucket, key []byte, format string, args ...any) error {
	return &DamagedError{Bucket: string(bucket), Key: append([]byte(nil), key...), Reason: fmt.Sprintf(format, args...)}
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// seal puts version and checksum before a payload. The key is covered too, so that a value cannot
// be mistaken for another's.
func seal(key, payload []byte) []byte {
	out := make([]byte, headerSize, headerSize+len(payload))
	out[0] = recordVersion
	out = append(out, payload...)
	binary.BigEndian.PutUint32(out[1:], checksum(key, payload))
	return out
}

func checksum(key, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli(), key)
	sum = crc32.Update(sum, castagnoli(), []byte{recordVersion})
	return crc32.Update(sum, castagnoli(), payload)
}

// unseal returns the payload of a value, or a *DamagedError. The payload points into the value.
func unseal(bucket string, key, value []byte) ([]byte, error) {
	damaged := func(reason string) error {
		return &DamagedError{Bucket: bucket, Key: append([]byte(nil), key...), Reason: reason}
	}
	if len(value) < headerSize {
		return nil, damaged("the value is too short")
	}
	if value[0] != recordVersion {
		return nil, damaged(fmt.Sprintf("record version %d is not known", value[0]))
	}
	payload := value[headerSize:]
	if binary.BigEndian.Uint32(value[1:]) != checksum(key, payload) {
		return nil, damaged("the checksum does not match")
	}
	return payload, nil
}

// bytes8 is a number as a key: big-endian, so that keys sort as numbers do.
func bytes8(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func number(b []byte) uint64 {
	if len(b) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

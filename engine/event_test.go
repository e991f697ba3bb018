package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestCodec_roundTripsEveryKind(t *testing.T) {
	t.Parallel()
	for kind, decode := range payloadDecoders() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			zero, err := decode([]byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			if zero.Kind() != kind {
				t.Errorf("the payload under %q calls itself %q", kind, zero.Kind())
			}
			data, err := EncodePayload(zero)
			if err != nil {
				t.Fatal(err)
			}
			again, err := DecodePayload(kind, data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(zero, again); diff != "" {
				t.Errorf("round trip (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCodec_keepsKindsOfNewerPrograms(t *testing.T) {
	t.Parallel()
	p, err := DecodePayload("from_the_future", []byte(`{"x":1}`))
	if err != nil {
		t.Fatal(err)
	}
	data, err := EncodePayload(p)
	if err != nil {
		t.Fatal(err)
	}
	if p.Kind() != "from_the_future" || string(data) != `{"x":1}` {
		t.Errorf("got kind %q data %s", p.Kind(), data)
	}
}

func FuzzDecodePayload_readsWhatItWrites(f *testing.F) {
	for kind := range payloadDecoders() {
		f.Add(kind, []byte(`{"path":"tasks.1","attempt":1,"inputs":{"a":[1,null,"x"]},"result":{"data":{"a":1e3}}}`))
	}
	f.Add("from_the_future", []byte(`{"x":1}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		first, err := DecodePayload(kind, data)
		if err != nil {
			return
		}
		written, err := EncodePayload(first)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := DecodePayload(kind, written)
		if diff := cmp.Diff(first, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v (-first +again):\n%s", err, diff)
		}
	})
}

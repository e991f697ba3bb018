package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Adopt checks what an authority has made of our request and returns the secure request to send: it must be the
// request that was asked for. The authority may change its caller, and nothing else. In version 2 it cannot know
// our token, which is added.
func Adopt(v Version, sealed, request []byte, token string) ([]byte, error) {
	if v == V2 {
		return adopt2(sealed, request, token)
	}
	var s secure
	if err := layer(sealed, &s, &s.Protocol, protoSecureRequest); err != nil {
		return nil, err
	}
	var got, want inner
	if err := errors.Join(layer([]byte(s.Message), &got, &got.Protocol, protoRequest), json.Unmarshal(request, &want)); err != nil {
		return nil, err
	}
	got.Envelope.CallerID = want.Envelope.CallerID
	if !reflect.DeepEqual(got, want) {
		return nil, errOther
	}
	return sealed, nil
}

var errOther = errors.New("it signed another request than it was asked to")

func adopt2(sealed, request []byte, token string) ([]byte, error) {
	var s secureRequest2
	if err := layer(sealed, &s, &s.Protocol, protoSecureRequest2); err != nil {
		return nil, err
	}
	if s.Signer == "" {
		return nil, errors.New("it does not say who it is: its answer has no token of a signer")
	}
	var got, want request2
	if err := errors.Join(layer(s.Request, &got, &got.Protocol, protoRequest2), json.Unmarshal(request, &want)); err != nil {
		return nil, err
	}
	got.Caller = want.Caller
	if !same2(got, want) {
		return nil, errOther
	}
	s.Caller = token
	out, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return out, nil
}

func same2(a, b request2) bool {
	message := bytes.Equal(a.Message, b.Message)
	a.Message, b.Message = nil, nil
	return message && reflect.DeepEqual(a, b)
}

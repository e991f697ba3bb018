package bot

import (
	"errors"
	"net/url"
	"testing"
)

func TestRespond_keepsItsAddressOutOfTheLog(t *testing.T) {
	t.Parallel()
	err := &postponement{err: &url.Error{Op: "Post", URL: "https://hooks.test/secret", Err: errors.New("refused")}}
	if got := withoutURL(err).Error(); got != "refused" {
		t.Errorf("got %q", got)
	}
}

package realfleet_test

import (
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

func TestCertificates(t *testing.T) {
	t.Parallel()
	realfleettest.Suite(t, kit, realfleet.File)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	realfleettest.Suite(t, kit, realfleet.JWT)
}

func TestAAA_signsWithACertificate(t *testing.T) {
	t.Parallel()
	realfleettest.AAA(t, realfleet.File)
}

func TestAAA_signsWithAToken(t *testing.T) {
	t.Parallel()
	realfleettest.AAA(t, realfleet.JWT)
}

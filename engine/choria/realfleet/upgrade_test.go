package realfleet_test

import (
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

func TestUpgrade_withCertificates(t *testing.T) {
	t.Parallel()
	realfleettest.Upgrade(t, kit, realfleet.File)
}

func TestUpgrade_withTokens(t *testing.T) {
	t.Parallel()
	realfleettest.Upgrade(t, kit, realfleet.JWT)
}

func TestLibrary_withCertificates(t *testing.T) {
	t.Parallel()
	realfleettest.Library(t, kit, realfleet.File)
}

func TestLibrary_withTokens(t *testing.T) {
	t.Parallel()
	realfleettest.Library(t, kit, realfleet.JWT)
}

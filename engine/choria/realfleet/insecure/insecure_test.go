package insecure_test

import (
	"os"
	"testing"

	"github.com/choria-io/go-choria/protocol"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// kit is what the external agents of all tests are made of.
var kit realfleet.Kit

func TestMain(m *testing.M) {
	protocol.Secure = "false"
	os.Exit(realfleettest.Main(m, &kit))
}

func TestUpgrade_insecurely(t *testing.T) {
	t.Parallel()
	realfleettest.Upgrade(t, kit, realfleet.Insecure)
}

func TestLibrary_insecurely(t *testing.T) {
	t.Parallel()
	realfleettest.Library(t, kit, realfleet.Insecure)
}

package insecure_test

import (
	"testing"

	"github.com/choria-io/go-choria/protocol"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// kit is what the external agents of all tests are made of.
var kit realfleet.Kit

func TestMain(m *testing.M) {
	protocol.Secure = "false"
	realfleettest.Main(m, &kit)
}

func TestInsecure(t *testing.T) {
	t.Parallel()
	realfleettest.Suite(t, kit, realfleet.Insecure)
}

package realfleet_test

import (
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// kit is what the external agents of all tests are made of.
var kit realfleet.Kit

func TestMain(m *testing.M) { realfleettest.Main(m, &kit) }

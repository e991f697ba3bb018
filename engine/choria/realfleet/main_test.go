package realfleet_test

import (
	"os"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
	"github.com/playbot/playbot/engine/choria/realfleet/realfleettest"
)

// kit is what the external agents of all tests are made of.
var kit realfleet.Kit

func TestMain(m *testing.M) { os.Exit(realfleettest.Main(m, &kit)) }

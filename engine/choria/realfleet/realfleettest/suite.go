package realfleettest

import (
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Suite is everything that holds in every mode.
func Suite(t *testing.T, kit realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, realfleet.Kit, realfleet.Mode){
		"library": Library, "wire": Wire, "shapes": Shapes, "discover": Discover, "agents": Agents, "refuse": Refuse, "ordinary": Ordinary, "upgrade": Upgrade,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, kit, mode)
		})
	}
}

package enginetest_test

import (
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
	"github.com/playbot/playbot/store/storetest"
)

func TestMemoryLog_keepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Log(t, func(*testing.T) (engine.Log, func() engine.Log) {
		log := enginetest.NewMemoryLog()
		return log, func() engine.Log { return log }
	})
}

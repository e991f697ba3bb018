// Command webagent is every agent of the web servers and load balancers of `make demo-real`; see package
// agents. Choria's servers start it.
package main

import (
	"os"

	"github.com/playbot/playbot/cmd/internal/demoreal/agents"
	"github.com/playbot/playbot/engine/choria/realfleet/external"
)

func main() { os.Exit(external.Main(agents.All()...)) }

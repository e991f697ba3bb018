// Command webagents is the agents puppet, haproxy, appmgr and nrpe of a test fleet. A Choria server
// starts it.
package main

import (
	"os"

	"github.com/playbot/playbot/engine/choria/realfleet/external"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

func main() { os.Exit(external.Main(webagents.List()...)) }

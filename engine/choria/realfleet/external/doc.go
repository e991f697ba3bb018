// Package external is the agent's side of Choria's external agent protocol: a Choria server starts
// an executable for each request, names the files of request and reply in the environment, and
// sends back what it finds in the reply. It needs the standard library alone.
//
// One executable may serve several agents; the request says which of them is meant:
//
//	func main() {
//		os.Exit(external.Main(external.Agent{
//			Name: "appmgr",
//			Actions: map[string]external.Action{"status": status},
//		}))
//	}
//
// The server finds an agent as <libdir>/mcollective/agent/<name>.json, its description with
// metadata.provider "external", beside an executable <name>. It checks inputs against the
// description before it starts the executable, and fills in the outputs' defaults afterwards.
package external

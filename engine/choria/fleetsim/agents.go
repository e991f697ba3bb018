package fleetsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// Status codes of replies; see the wire.
const (
	codeOK            = 0
	codeAborted       = 1
	codeUnknownAction = 2
	codeMissingData   = 3
	codeInvalidData   = 4
)

// outcome is what an agent says.
type outcome struct {
	code int
	msg  string
	data map[string]any
}

func ok(data map[string]any) outcome { return outcome{msg: "OK", data: data} }

func aborted(format string, args ...any) outcome {
	return outcome{code: codeAborted, msg: fmt.Sprintf(format, args...)}
}

func missing(key string) outcome { return outcome{code: codeMissingData, msg: "missing input " + key} }

// act lets an agent of a node act. The caller holds the lock.
func (f *Fleet) act(n *nodeState, call wire.Call, data map[string]any) wire.Answer {
	o := outcome{code: codeUnknownAction, msg: fmt.Sprintf("Unknown action %s for agent %s", call.Action, call.Agent)}
	switch call.Agent {
	case "rpcutil":
		o = rpcutil(n, call.Action, data, o)
	case "puppet":
		o = f.puppet(n, call.Action, data, o)
	case "haproxy":
		o = haproxy(n, call.Action, data, o)
	case "appmgr":
		o = appmgr(n, call.Action, data, o)
	case "nrpe":
		o = f.nrpe(n, call.Action, data, o)
	case "service":
		o = service(n, call.Action, data, o)
	case "package":
		o = pkg(n, call.Action, data, o)
	}
	raw, err := json.Marshal(o.data)
	if err != nil || o.data == nil {
		raw = json.RawMessage("{}")
	}
	return wire.Answer{Action: call.Action, StatusCode: o.code, StatusMsg: o.msg, Data: raw}
}

func rpcutil(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	switch action {
	case "ping":
		return ok(map[string]any{"pong": time.Now().Unix()})
	case "inventory":
		return ok(map[string]any{
			"agents": slices.Sorted(maps.Keys(n.Agents)), "facts": n.Facts, "classes": n.Classes, "version": "fleetsim",
			"main_collective": "mcollective", "collectives": []string{"mcollective"}, "data_plugins": []string{},
			"machines": []any{}, "upgradable": false,
		})
	case "agent_inventory":
		var list []map[string]any
		for _, name := range slices.Sorted(maps.Keys(n.Agents)) {
			list = append(list, map[string]any{
				"agent": name, "name": name, "version": n.Agents[name], "timeout": 20,
				"description": "simulated", "author": "fleetsim", "license": "Apache-2.0", "url": "https://example.net",
			})
		}
		return ok(map[string]any{"agents": list})
	case "get_fact":
		name, _ := data["fact"].(string) // the real agent asks for nothing: no name is a fact that nobody has
		return ok(map[string]any{"fact": name, "value": n.fact(name)})
	}
	return unknown
}

func (f *Fleet) puppet(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	switch action {
	case "disable":
		if n.puppetOff {
			return aborted("Could not disable Puppet: Already disabled")
		}
		n.puppetOff = true
		n.puppetReason, _ = data["message"].(string)
		return ok(map[string]any{"status": "Successfully locked Puppet: " + n.puppetReason, "enabled": false})
	case "enable":
		if !n.puppetOff {
			return aborted("Could not enable Puppet: Already enabled")
		}
		n.puppetOff, n.puppetReason = false, ""
		return ok(map[string]any{"status": "enabled", "enabled": true})
	case "status":
		return ok(map[string]any{
			"applying": n.running(), "enabled": !n.puppetOff, "idling": !n.running(), "daemon_present": true,
			"disable_message": n.puppetReason, "lastrun": n.lastRun.Unix(), "since_lastrun": int(time.Since(n.lastRun).Seconds()),
		})
	case "runonce":
		if n.puppetOff {
			return aborted("Puppet is disabled: %s", n.puppetReason)
		}
		if n.running() {
			return aborted("Puppet is currently applying a catalog")
		}
		n.runUntil = time.Now().Add(f.opts.RunTime)
		n.lastRun = n.runUntil
		return ok(map[string]any{"summary": "started a run", "initiated_at": time.Now().Unix()})
	}
	return unknown
}

func haproxy(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	backend, _ := data["backend"].(string)
	switch action {
	case "enable", "disable":
		servers := names(data["servers"])
		if one, isOne := data["server"].(string); isOne {
			servers = append(servers, one)
		}
		if backend == "" {
			return missing("backend")
		}
		if len(servers) == 0 {
			return missing("servers")
		}
		for _, s := range servers {
			if action == "disable" {
				n.drained[backend+"/"+s] = true
			} else {
				delete(n.drained, backend+"/"+s)
			}
		}
		return ok(map[string]any{"backend": backend, "status": action + "d", "count": len(servers)})
	case "status":
		return ok(map[string]any{"drained": append([]string{}, slices.Sorted(maps.Keys(n.drained))...)}) // never null
	}
	return unknown
}

func names(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, item := range items {
		if s, isText := item.(string); isText {
			out = append(out, s)
		}
	}
	return out
}

func appmgr(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	switch action {
	case "upgrade":
		revision, _ := data["revision"].(string)
		if revision == "" {
			return missing("revision")
		}
		before := n.revision
		n.revision, n.upgraded, n.checks = revision, true, 0
		n.packages["app"] = revision
		return ok(map[string]any{"revision": revision, "previous": before})
	case "status":
		return ok(map[string]any{"revision": n.revision, "status": "running"})
	}
	return unknown
}

// nrpe fails the reply for anything but OK, as the real agent does.
func (f *Fleet) nrpe(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	switch action {
	case "runcommand":
		command, _ := data["command"].(string)
		switch command {
		case "":
			return missing("command")
		case "check_load":
			if n.upgraded {
				n.checks++
			}
			return f.checkLoad(n)
		case "check_app":
			return ok(checkApp(n))
		}
		return outcome{code: codeInvalidData, msg: "no such command: " + command}
	case "runallcommands":
		load := f.checkLoad(n) // looking at everything does not count as the one check that is waited for
		return ok(map[string]any{"commands": map[string]any{
			"check_load": load.data, "check_app": checkApp(n),
		}})
	}
	return unknown
}

func checkApp(n *nodeState) map[string]any {
	return map[string]any{"exitcode": 0, "output": "APP OK - " + n.revision, "perfdata": "", "command": "check_app"}
}

func (f *Fleet) checkLoad(n *nodeState) outcome {
	if n.upgraded && (f.opts.RedChecks < 0 || n.checks <= f.opts.RedChecks) {
		data := map[string]any{"exitcode": 2, "output": "CRITICAL - load average: 9.81", "perfdata": "load1=9.81", "command": "check_load"}
		return outcome{code: codeAborted, msg: "CRITICAL", data: data}
	}
	return ok(map[string]any{"exitcode": 0, "output": "OK - load average: 0.42", "perfdata": "load1=0.42", "command": "check_load"})
}

func service(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	if !slices.Contains([]string{"start", "restart", "stop", "status"}, action) {
		return unknown
	}
	name, _ := data["service"].(string)
	if name == "" {
		return missing("service")
	}
	switch action {
	case "start", "restart":
		n.services[name] = "running"
	case "stop":
		n.services[name] = "stopped"
	}
	status := n.services[name]
	if status == "" {
		status = "unknown"
	}
	return ok(map[string]any{"service": name, "status": status})
}

func pkg(n *nodeState, action string, data map[string]any, unknown outcome) outcome {
	if !slices.Contains([]string{"install", "update", "status"}, action) {
		return unknown
	}
	name, _ := data["package"].(string)
	if name == "" {
		return missing("package")
	}
	if action != "status" {
		version, _ := data["version"].(string)
		if version == "" {
			version = "latest"
		}
		n.packages[name] = version
	}
	version := n.packages[name]
	if version == "" {
		version = "absent"
	}
	return ok(map[string]any{"package": name, "ensure": version})
}

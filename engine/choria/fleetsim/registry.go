package fleetsim

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/playbot/playbot/engine/choria/filter"
	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// registryAgent is the name of Choria's service, and RegistryNode that of the server that offers it here. Faults
// of the action choria_registry.ddl make it misbehave.
const (
	registryAgent = "choria_registry"
	RegistryNode  = "registry.example.net"
)

// serveRegistry offers the registry as a server of the fleet.
func (f *Fleet) serveRegistry() error {
	node, err := newNodeState(Node{Name: RegistryNode, Agents: map[string]string{registryAgent: "0.30.2"}})
	if err != nil {
		return err
	}
	decode := f.decoder()
	_, err = f.conn.QueueSubscribe(wire.ServiceSubject(f.opts.Collective, registryAgent), registryAgent, func(m *nats.Msg) {
		req, err := decode(m.Data)
		var matcher *filter.Matcher
		if err == nil {
			matcher, err = filter.New(req.Filter)
		}
		if err != nil || req.Expired(time.Now()) || !matcher.Matches(node.server) {
			f.logger.Warn("request refused", "service", registryAgent, "error", err)
			return
		}
		f.describe(node, req)
	})
	if err != nil {
		return fmt.Errorf("subscribe the simulated registry: %w", err)
	}
	return nil
}

// SetRegistry replaces the texts of the registry; nil takes it away.
func (f *Fleet) SetRegistry(texts map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opts.Registry = texts
}

// describe answers one request for a description.
func (f *Fleet) describe(node *nodeState, req wire.Request) {
	var call wire.Call
	var in struct {
		Name   string `json:"name"`
		Type   string `json:"plugin_type"`
		Format string `json:"format"`
	}
	if json.Unmarshal([]byte(req.Payload), &call) != nil || json.Unmarshal(call.Data, &in) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opts.Registry == nil {
		return
	}
	f.calls = append(f.calls, Call{
		Node: node.Name, Agent: call.Agent, Action: call.Action, Data: map[string]any{"name": in.Name, "plugin_type": in.Type, "format": in.Format},
		RequestID: req.ID, Caller: req.Caller, Time: time.Now(),
	})
	answer := wire.Answer{Action: call.Action, StatusMsg: "OK"}
	text, known := f.opts.Registry[in.Name]
	switch {
	case call.Action != "ddl":
		answer.StatusCode, answer.StatusMsg = codeUnknownAction, "Unknown action "+call.Action+" for agent "+registryAgent
	case in.Type != "agent" || in.Format != "json":
		answer.StatusCode, answer.StatusMsg = codeAborted, "Unsupported plugin type "+in.Type
	case !known:
		answer.StatusCode, answer.StatusMsg = codeAborted, "Could not load DDL"
	}
	answer.Data, _ = json.Marshal(map[string]string{"name": in.Name, "plugin_type": "agent", "version": "", "ddl": text})
	f.reply(node, registryAgent+"."+call.Action, req, answer, f.take(node.Name, registryAgent+"."+call.Action))
}

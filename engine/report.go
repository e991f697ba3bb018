package engine

import (
	"strings"
	"time"
)

// Report is what a run did, for people and programs: version 1 of the 2017 report with one record
// per attempt, tolerated failures told apart, approvals and linked runs. It holds no secrets,
// because events hold none.
type Report struct {
	Report    ReportHead            `json:"report" yaml:"report"`
	Playbook  PlaybookRef           `json:"playbook" yaml:"playbook"`
	Actor     string                `json:"actor" yaml:"actor"`
	Origin    Origin                `json:"origin" yaml:"origin"`
	Parent    string                `json:"parent,omitempty" yaml:"parent,omitempty"`
	Inputs    map[string]any        `json:"inputs,omitempty" yaml:"inputs,omitempty"`
	Nodes     map[string][]string   `json:"nodes,omitempty" yaml:"nodes,omitempty"`
	Approvals []ReportApproval      `json:"approvals,omitempty" yaml:"approvals,omitempty"`
	Steering  []ReportSteer         `json:"steering,omitempty" yaml:"steering,omitempty"`
	Tasks     []ReportTask          `json:"tasks" yaml:"tasks"`
	Metrics   map[string]TypeMetric `json:"metrics" yaml:"metrics"`
}

// ReportHead is the outcome.
type ReportHead struct {
	Version int       `json:"version" yaml:"version"`
	Run     RunID     `json:"run" yaml:"run"`
	Status  RunStatus `json:"status" yaml:"status"`
	Success bool      `json:"success" yaml:"success"`
	Message string    `json:"message,omitempty" yaml:"message,omitempty"`
	Start   time.Time `json:"start_time" yaml:"start_time"`
	End     time.Time `json:"end_time,omitzero" yaml:"end_time,omitempty"`
}

// ReportApproval is one gate.
type ReportApproval struct {
	Task    string `json:"task" yaml:"task"`
	Outcome string `json:"outcome" yaml:"outcome"`
	Digest  string `json:"digest" yaml:"digest"`
}

// ReportSteer is what somebody said about how the run goes on.
type ReportSteer struct {
	Time   time.Time `json:"time" yaml:"time"`
	Actor  string    `json:"actor" yaml:"actor"`
	Said   string    `json:"said" yaml:"said"` // the kind of the event: run_paused, wave_sent_on
	Reason string    `json:"reason,omitempty" yaml:"reason,omitempty"`
}

// ReportTask is one attempt of a task, or a task that had none.
type ReportTask struct {
	Path        Path       `json:"path" yaml:"path"`
	Set         string     `json:"set" yaml:"set"`
	Type        string     `json:"type" yaml:"type"`
	Description string     `json:"description" yaml:"description"`
	Status      TaskStatus `json:"status" yaml:"status"`
	Attempt     int        `json:"attempt,omitempty" yaml:"attempt,omitempty"`
	Ran         bool       `json:"ran" yaml:"ran"`
	Success     bool       `json:"success" yaml:"success"`
	Start       time.Time  `json:"start_time" yaml:"start_time"`
	End         time.Time  `json:"end_time,omitzero" yaml:"end_time,omitempty"`
	RunTime     float64    `json:"run_time" yaml:"run_time"` // seconds
	Message     string     `json:"msg" yaml:"msg"`
	Result      *Result    `json:"result,omitempty" yaml:"result,omitempty"`
}

// TypeMetric counts the attempts of one task type.
type TypeMetric struct {
	Count     int     `json:"count" yaml:"count"`
	Pass      int     `json:"pass" yaml:"pass"`
	Fail      int     `json:"fail" yaml:"fail"`
	TotalTime float64 `json:"total_time" yaml:"total_time"` // seconds
}

// Report describes the run as far as it got.
func (r *Run) Report() Report {
	out := Report{
		Report: ReportHead{
			Version: 1, Run: r.ID, Status: r.Status, Success: r.Status == RunSuccess, Message: r.Message, Start: r.At, End: r.Ended,
		},
		Playbook: r.Requested.Playbook, Actor: r.Requested.Actor.Label(), Origin: r.Requested.Origin,
		Inputs: r.Requested.Inputs, Metrics: make(map[string]TypeMetric),
	}
	if r.Requested.Parent != nil {
		out.Parent = string(r.Requested.Parent.Run)
	}
	if r.Prepared != nil {
		out.Nodes = r.Prepared.Nodes
	}
	for _, a := range r.Approvals {
		out.Approvals = append(out.Approvals, ReportApproval{Task: string(a.Path), Outcome: a.Outcome(), Digest: a.Digest})
	}
	for _, s := range r.Steers {
		who, why := s.By()
		out.Steering = append(out.Steering, ReportSteer{Time: s.At, Actor: who.Label(), Said: s.Fact.Kind(), Reason: why})
	}
	for _, p := range r.Order {
		out.Tasks = append(out.Tasks, r.Steps[p].report(out.Metrics)...)
	}
	return out
}

func (s *Step) report(metrics map[string]TypeMetric) []ReportTask {
	set, _, _ := strings.Cut(string(s.Path), ".")
	base := ReportTask{
		Path: s.Path, Set: set, Type: s.Type, Description: s.Description, Status: s.Status,
		Start: s.Began, End: s.Ended, Message: s.Message,
	}
	if len(s.Attempts) == 0 {
		return []ReportTask{base}
	}
	var out []ReportTask
	for i := range s.Attempts {
		a := &s.Attempts[i]
		t := base
		t.Attempt, t.Ran, t.Start, t.End = a.Attempt, true, a.At, a.EndedAt
		if o := a.Outcome; o != nil {
			t.Success, t.RunTime, t.Message, t.Result = o.OK, o.Runtime.Seconds(), o.Result.Message, &o.Result
			m := metrics[s.Type]
			m.Count++
			m.TotalTime += t.RunTime
			if o.OK {
				m.Pass++
			} else {
				m.Fail++
			}
			metrics[s.Type] = m
		}
		out = append(out, t)
	}
	return out
}

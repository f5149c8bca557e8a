// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"
)

// InstanceTable holds the prices of instance types at a date.
//
//	as_of: 2026-11-01            # required: the day the prices were valid, the age of every price is counted from it
//	instances:
//	  m5.large:
//	    us-east-1: {on_demand: 0.096, spot: 0.035}
//	    "*": {on_demand: 0.107}  # any other region
//
// Prices are dollars per hour of the whole node, its GPUs included. Spot may be left out: then a spot node isn't priced
// by the table.
type InstanceTable struct {
	AsOf      time.Time
	instances map[string]map[string]instancePrice
}

type instancePrice struct {
	onDemand, spot       float64
	hasOnDemand, hasSpot bool
}

// ParseInstanceTable reads a table. Bad entries are returned as problems and left out; the error says that the table as a
// whole is of no use: not YAML, without a date, or without one good entry.
func ParseInstanceTable(file string, r io.Reader) (*InstanceTable, []Problem, error) {
	var doc struct {
		AsOf      yaml.Node                       `yaml:"as_of"`
		Instances map[string]map[string]yaml.Node `yaml:"instances"`
	}
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	asOf, err := time.Parse(time.DateOnly, doc.AsOf.Value)
	if err != nil {
		return nil, nil, fmt.Errorf("%s:%d: as_of: %q: must be a date, for instance 2026-11-01", file, doc.AsOf.Line, doc.AsOf.Value)
	}
	t := &InstanceTable{AsOf: asOf, instances: map[string]map[string]instancePrice{}}
	var problems []Problem
	for name, regions := range doc.Instances {
		for region, node := range regions {
			p, probs := parseInstance(file, name+"."+region, &node)
			problems = append(problems, probs...)
			if !p.hasOnDemand && !p.hasSpot {
				continue
			}
			if t.instances[name] == nil {
				t.instances[name] = map[string]instancePrice{}
			}
			t.instances[name][region] = p
		}
	}
	if len(t.instances) == 0 {
		return nil, problems, errors.Join(fmt.Errorf("%s: no entry of the instance table can be used (%d are bad)", file, len(problems)))
	}
	return t, problems, nil
}

func parseInstance(file, path string, node *yaml.Node) (instancePrice, []Problem) {
	var p instancePrice
	var problems []Problem
	if node.Kind != yaml.MappingNode {
		return p, []Problem{{file, node.Line, path, node.Value, "must be {on_demand: PRICE, spot: PRICE}"}}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		var v float64
		err := val.Decode(&v)
		if err != nil {
			err = errors.New("not a number")
		} else {
			err = CheckPrice(v)
		}
		switch {
		case key.Value != "on_demand" && key.Value != "spot":
			err = errors.New("unknown key: there are on_demand and spot")
		case err == nil && key.Value == "spot":
			p.spot, p.hasSpot = v, true
		case err == nil:
			p.onDemand, p.hasOnDemand = v, true
		}
		if err != nil {
			problems = append(problems, Problem{file, val.Line, path + "." + key.Value, val.Value, err.Error()})
		}
	}
	return p, problems
}

// price returns the hourly price of a whole node of the type in the region, or in any region ("*").
func (t *InstanceTable) price(instanceType, region string, spot bool) (float64, bool) {
	if t == nil {
		return 0, false
	}
	for _, r := range []string{region, "*"} {
		p, ok := t.instances[instanceType][r]
		switch {
		case ok && spot && p.hasSpot:
			return p.spot, true
		case ok && !spot && p.hasOnDemand:
			return p.onDemand, true
		}
	}
	return 0, false
}

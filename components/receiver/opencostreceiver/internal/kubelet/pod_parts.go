// SPDX-License-Identifier: Apache-2.0

package kubelet

import "github.com/go-faster/jx"

func (d *PodDecoder) spec(p *Pod) error {
	return d.object(func(key []byte) error {
		switch string(key) {
		case "containers":
			return d.array(func() error { return d.container(p, Regular) })
		case "initContainers":
			return d.array(func() error { return d.container(p, Init) })
		case "volumes":
			return d.array(func() error { return d.volume(p) })
		}
		return d.jx.Skip()
	})
}

func (d *PodDecoder) container(p *Pod, kind ContainerKind) error {
	// The name may come after the rest: keep that in a spare container until it is known.
	var spare Container
	var requests, limits []Quantity
	var policy string
	err := d.object(func(key []byte) error {
		switch string(key) {
		case "name":
			if err := d.string(&spare.Name); err != nil {
				return err
			}
			c, err := p.named(spare.Name)
			if err == nil {
				c.Requests, c.Limits = append(c.Requests[:0], requests...), append(c.Limits[:0], limits...)
			}
			return err
		case "restartPolicy":
			return d.string(&policy)
		case "resources":
			reqs, lims := &requests, &limits
			if spare.Name != "" {
				c, err := p.named(spare.Name)
				if err != nil {
					return err
				}
				reqs, lims = &c.Requests, &c.Limits
			}
			return d.object(func(key []byte) error {
				switch string(key) {
				case "requests":
					return d.quantities(reqs)
				case "limits":
					return d.quantities(lims)
				}
				return d.jx.Skip()
			})
		}
		return d.jx.Skip()
	})
	if err != nil || spare.Name == "" {
		return err
	}
	c, err := p.named(spare.Name)
	if err != nil {
		return err
	}
	c.Kind = kind
	if kind == Init && policy == "Always" {
		c.Kind = Sidecar
	}
	return nil
}

func (d *PodDecoder) quantities(to *[]Quantity) error {
	return d.object(func(key []byte) error {
		name := d.in.string(key)
		// Kubernetes writes a string, but takes a number too.
		var b []byte
		var err error
		if d.jx.Next() == jx.Number {
			b, err = d.jx.Num()
		} else {
			b, err = d.jx.StrBytes()
		}
		if err != nil {
			return err
		}
		v, err := d.in.quantity(b)
		if err == nil {
			*to = append(*to, Quantity{name, v})
		}
		return err
	})
}

func (d *PodDecoder) volume(p *Pod) error {
	var name, claim string
	ephemeral := false
	err := d.object(func(key []byte) error {
		switch string(key) {
		case "name":
			return d.string(&name)
		case "persistentVolumeClaim":
			return d.object(func(key []byte) error {
				if string(key) == "claimName" {
					return d.string(&claim)
				}
				return d.jx.Skip()
			})
		case "ephemeral":
			ephemeral = true
		}
		return d.jx.Skip()
	})
	switch {
	case claim != "":
		p.Claims = append(p.Claims, claim)
	case ephemeral && name != "":
		p.Claims = append(p.Claims, d.in.string([]byte(p.Name+"-"+name))) // the name that Kubernetes gives such a claim
	}
	return err
}

func (d *PodDecoder) status(p *Pod) error {
	return d.object(func(key []byte) error {
		switch string(key) {
		case "phase":
			return d.string(&p.Phase)
		case "containerStatuses", "initContainerStatuses":
			return d.array(func() error { return d.containerStatus(p) })
		}
		return d.jx.Skip()
	})
}

func (d *PodDecoder) containerStatus(p *Pod) error {
	var name string
	var state, last Container
	err := d.object(func(key []byte) error {
		switch string(key) {
		case "name":
			return d.string(&name)
		case "state":
			return d.state(&state)
		case "lastState":
			return d.state(&last)
		}
		return d.jx.Skip()
	})
	if err != nil || name == "" {
		return err
	}
	c, err := p.named(name)
	if err != nil {
		return err
	}
	c.Running, c.Started, c.Finished, c.Earlier = state.Running, state.Started, state.Finished, last.Started
	if c.Started.IsZero() { // waiting: what counts is the run before
		c.Started, c.Finished = last.Started, last.Finished
	}
	return nil
}

func (d *PodDecoder) state(c *Container) error {
	return d.object(func(key []byte) error {
		switch string(key) {
		case "running", "terminated":
			c.Running = string(key) == "running"
			return d.object(func(key []byte) error {
				switch string(key) {
				case "startedAt":
					return d.time(&c.Started)
				case "finishedAt":
					return d.time(&c.Finished)
				}
				return d.jx.Skip()
			})
		}
		return d.jx.Skip()
	})
}

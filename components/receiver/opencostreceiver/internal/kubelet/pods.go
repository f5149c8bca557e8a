// SPDX-License-Identifier: Apache-2.0

package kubelet

import (
	"fmt"
	"time"

	"github.com/go-faster/jx"
)

// MaxPods and MaxContainers bound what one document may hold: the kubelet's own limit is 110 pods, large installations
// go to 500.
const (
	MaxPods       = 4096
	MaxContainers = 256 // of one pod
)

// PodDecoder reads the kubelet's list of pods.
type PodDecoder struct {
	in   interner
	jx   jx.Decoder
	pods []Pod
}

// NewPodDecoder returns a decoder to be used again and again.
func NewPodDecoder() *PodDecoder { return &PodDecoder{in: newInterner()} }

// Decode reads a v1.PodList. The result is valid until the next call.
func (d *PodDecoder) Decode(body []byte) ([]Pod, error) {
	d.jx.ResetBytes(body)
	d.pods = d.pods[:0]
	err := d.object(func(key []byte) error {
		if string(key) != "items" {
			return d.jx.Skip()
		}
		return d.array(func() error {
			if len(d.pods) == MaxPods {
				return fmt.Errorf("more than %d pods", MaxPods)
			}
			if len(d.pods) < cap(d.pods) {
				d.pods = d.pods[:len(d.pods)+1]
			} else {
				d.pods = append(d.pods, Pod{})
			}
			return d.pod(&d.pods[len(d.pods)-1])
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list of pods: %w", err)
	}
	return d.pods, nil
}

// object calls f for every key of an object; null has none.
func (d *PodDecoder) object(f func(key []byte) error) error {
	if d.jx.Next() == jx.Null {
		return d.jx.Null()
	}
	it, err := d.jx.ObjIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(it.Key()); err != nil {
			return err
		}
	}
	return it.Err()
}

func (d *PodDecoder) array(f func() error) error {
	if d.jx.Next() == jx.Null {
		return d.jx.Null()
	}
	it, err := d.jx.ArrIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return it.Err()
}

func (d *PodDecoder) string(to *string) error {
	b, err := d.jx.StrBytes()
	if err == nil {
		*to = d.in.string(b)
	}
	return err
}

func (d *PodDecoder) time(to *time.Time) error {
	if d.jx.Next() == jx.Null {
		return d.jx.Null()
	}
	b, err := d.jx.StrBytes()
	if err != nil {
		return err
	}
	return to.UnmarshalText(b)
}

func (d *PodDecoder) pod(p *Pod) error {
	*p = Pod{Claims: p.Claims[:0], Containers: p.Containers[:0]}
	return d.object(func(key []byte) error {
		switch string(key) {
		case "metadata":
			return d.metadata(p)
		case "spec":
			return d.spec(p)
		case "status":
			return d.status(p)
		}
		return d.jx.Skip()
	})
}

func (d *PodDecoder) metadata(p *Pod) error {
	return d.object(func(key []byte) error {
		switch string(key) {
		case "name":
			return d.string(&p.Name)
		case "namespace":
			return d.string(&p.Namespace)
		case "uid":
			return d.string(&p.UID)
		case "labels":
			return d.object(func(key []byte) error {
				if string(key) == "pod-template-hash" {
					return d.string(&p.TemplateHash)
				}
				return d.jx.Skip()
			})
		case "ownerReferences":
			return d.array(func() error { return d.owner(p) })
		}
		return d.jx.Skip()
	})
}

func (d *PodDecoder) owner(p *Pod) error {
	var kind, name string
	var controller bool
	err := d.object(func(key []byte) (err error) {
		switch string(key) {
		case "kind":
			return d.string(&kind)
		case "name":
			return d.string(&name)
		case "controller":
			controller, err = d.jx.Bool()
			return err
		}
		return d.jx.Skip()
	})
	if controller {
		p.OwnerKind, p.OwnerName = kind, name
	}
	return err
}

// named returns the container of the pod, added if it isn't there: status may come before spec.
func (p *Pod) named(name string) (*Container, error) {
	for i := range p.Containers {
		if p.Containers[i].Name == name {
			return &p.Containers[i], nil
		}
	}
	n := len(p.Containers)
	if n == MaxContainers {
		return nil, fmt.Errorf("pod %s/%s has more than %d containers", p.Namespace, p.Name, MaxContainers)
	}
	if n < cap(p.Containers) {
		p.Containers = p.Containers[:n+1]
	} else {
		p.Containers = append(p.Containers, Container{})
	}
	c := &p.Containers[n]
	*c = Container{Name: name, Requests: c.Requests[:0], Limits: c.Limits[:0]}
	return c, nil
}

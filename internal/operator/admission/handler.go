// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"context"

	admissionv1 "k8s.io/api/admission/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// Paths of the webhooks.
const (
	RegionPath  = "/validate-region"
	ClusterPath = "/validate-clusterdeployment"
)

// Register adds the webhooks to a server. The reader is asked at each request: it should be a cache. platform is the operator's namespace.
func Register(server webhook.Server, scheme *runtime.Scheme, reader client.Reader, platform string) {
	h := handlers{reader, admission.NewDecoder(scheme), platform, &regions.Cache{}}
	server.Register(RegionPath, &admission.Webhook{Handler: admission.HandlerFunc(h.region)})
	server.Register(ClusterPath, &admission.Webhook{Handler: admission.HandlerFunc(h.cluster)})
}

type handlers struct {
	reader   client.Reader
	decoder  admission.Decoder
	platform string
	world    *regions.Cache
}

func (h handlers) region(ctx context.Context, request admission.Request) admission.Response {
	var wanted v1beta1.Region
	if err := h.decoder.DecodeRaw(request.Object, &wanted); err != nil {
		return unchecked(err)
	}
	old, err := decodeOld(h.decoder, request, &v1beta1.Region{})
	if err != nil {
		return unchecked(err)
	}
	items, err := h.regions(ctx)
	if err != nil {
		return unchecked(err)
	}
	return answer(nil, Region(items, old, wanted))
}

func (h handlers) cluster(ctx context.Context, request admission.Request) admission.Response {
	var wanted kcm.ClusterDeployment
	if err := h.decoder.DecodeRaw(request.Object, &wanted); err != nil {
		return unchecked(err)
	}
	old, err := decodeOld(h.decoder, request, &kcm.ClusterDeployment{})
	if err != nil {
		return unchecked(err)
	}
	items, err := h.regions(ctx)
	if err != nil {
		return unchecked(err)
	}
	set, err := h.world.Load(ctx, h.reader)
	if err != nil {
		return unchecked(err)
	}
	var assigned v1beta1.RegionAssignment
	if err := h.reader.Get(ctx, client.ObjectKey{Namespace: request.Namespace, Name: request.Name}, &assigned); client.IgnoreNotFound(err) != nil {
		return unchecked(err)
	}
	return answer(Cluster(set, items, h.platform, old, &wanted, assigned.Spec))
}

func (h handlers) regions(ctx context.Context) ([]v1beta1.Region, error) {
	var list v1beta1.RegionList
	err := h.reader.List(ctx, &list)
	return list.Items, err
}

// decodeOld returns the object before, nil of a new one.
func decodeOld[T runtime.Object](d admission.Decoder, request admission.Request, into T) (T, error) {
	var none T
	if request.Operation != admissionv1.Update {
		return none, nil
	}
	return into, d.DecodeRaw(request.OldObject, into)
}

func answer(warnings []string, err error) admission.Response {
	if err != nil {
		return admission.Denied(err.Error()).WithWarnings(warnings...)
	}
	return admission.Allowed("").WithWarnings(warnings...)
}

// unchecked lets through what couldn't be looked at, and says so.
func unchecked(err error) admission.Response {
	return admission.Allowed("").WithWarnings("KOF could not check this, and let it through: " + err.Error())
}

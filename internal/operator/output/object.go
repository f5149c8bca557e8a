// SPDX-License-Identifier: Apache-2.0

// Package output builds the objects that the operator writes. It only computes: the same input gives the same bytes.
package output

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/names"
)

const prefix = "kof.k0rdent.mirantis.com/"

// Labels of outputs.
const (
	LabelManagedBy = "app.kubernetes.io/managed-by"
	ManagedBy      = "kof-operator"
	LabelOwner     = prefix + "owner"     // names.Label of the ClusterDeployment or Region that the output belongs to
	LabelPart      = prefix + "part"      // what the output is
	LabelRegion    = prefix + "region"    // of a login: the region that takes it
	LabelOwnerKind = prefix + "ownerkind" // "cluster" or "region"
)

// Parts.
const (
	PartLogin       = "login"
	PartValues      = "values"
	PartBundle      = "bundle"
	PartStorage     = "storage-values"
	PartUsers       = "users"
	PartServerGroup = "server-group"
	PartDatasource  = "datasource"
	PartDirectory   = "directory"
	PartPromxy      = "promxy"
	PartRules       = "rules"
)

// Owner is whose outputs are built.
type Owner struct{ Kind, Namespace, Name string }

// Kinds of owners.
const (
	OwnerCluster = "cluster"
	OwnerRegion  = "region"
)

// Labels that find an owner's outputs again.
func (o Owner) Labels() map[string]string {
	return map[string]string{LabelManagedBy: ManagedBy, LabelOwnerKind: o.Kind, LabelOwner: names.Label(o.Namespace, o.Name)}
}

// object returns an object of an owner, in the owner's namespace.
func (o Owner) object(apiVersion, kind, name, part string, content map[string]any) *unstructured.Unstructured {
	u := object(apiVersion, kind, o.Namespace, name, content)
	l := o.Labels()
	l[LabelPart] = part
	u.SetLabels(l)
	return u
}

func object(apiVersion, kind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetName(name)
	if namespace != "" {
		u.SetNamespace(namespace)
	}
	return u
}

// data encodes a Secret's data.
func data(texts map[string]string) map[string]any {
	out := make(map[string]any, len(texts))
	for k, v := range texts {
		out[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	return out
}

func toYAML(v any) string {
	out, err := yaml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("what is built of maps, lists and texts can be written: %v", err))
	}
	return string(out)
}

// manifests joins objects to one text of YAML documents, each written as JSON: thousands of them are made at a time.
func manifests(objects []*unstructured.Unstructured) string {
	var out strings.Builder
	for _, o := range objects {
		text, err := json.Marshal(o.Object)
		if err != nil {
			panic(fmt.Sprintf("what is built of maps, lists and texts can be written: %v", err))
		}
		out.WriteString("---\n")
		out.Write(text)
		out.WriteString("\n")
	}
	return out.String()
}

// BundleType is the type of Secrets that Sveltos takes objects from.
const BundleType = "addons.projectsveltos.io/cluster-profile"

func (o Owner) bundle(name, part string, objects []*unstructured.Unstructured) *unstructured.Unstructured {
	return o.object("v1", "Secret", name, part, map[string]any{
		"type": BundleType, "data": data(map[string]string{"objects.yaml": manifests(objects)}),
	})
}

// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// PromxyServerGroupSpec is one group of servers that Promxy queries. The operator writes one per region; others may be written by hand.
type PromxyServerGroupSpec struct {
	// ClusterName becomes the label promxyCluster of everything that comes from the group.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClusterName string `json:"clusterName"`
	// Targets are hosts with ports that hold the same data.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=261
	// +kubebuilder:validation:items:Pattern=`^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$`
	// +listType=set
	Targets []string `json:"targets"`
	// PathPrefix of the query API.
	// +optional
	// +kubebuilder:validation:Pattern=`^/[^?#\s]*$`
	// +kubebuilder:validation:MaxLength=1024
	PathPrefix string `json:"pathPrefix,omitempty"`
	// Scheme of the targets.
	// +optional
	// +kubebuilder:validation:Enum=http;https
	// +kubebuilder:default=https
	Scheme string `json:"scheme,omitempty"`
	// HTTPClient is how the targets are spoken to.
	// +optional
	HTTPClient *HTTPClient `json:"httpClient,omitempty"`
	// RequireAnswer fails a query when this group doesn't answer. Otherwise the other groups' data is returned, with a warning.
	// +optional
	RequireAnswer bool `json:"requireAnswer,omitempty"`
}

// HTTPClient is the client side of HTTP.
//
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.tls.insecureSkipVerify) || !self.tls.insecureSkipVerify || !has(self.tls.caSecret)",message="tls.insecureSkipVerify and tls.caSecret exclude each other"
type HTTPClient struct {
	// DialTimeout of a connection.
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s') && duration(self) <= duration('1m')",message="allowed: above 0s, at most 1m"
	DialTimeout *metav1.Duration `json:"dialTimeout,omitempty"`
	// +optional
	TLS *TLS `json:"tls,omitempty"`
	// BasicAuth is read from a Secret of this namespace.
	// +optional
	BasicAuth *BasicAuth `json:"basicAuth,omitempty"`
}

// TLS is the client side of TLS.
type TLS struct {
	// InsecureSkipVerify takes any certificate: for development only.
	// +optional
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
	// ServerName in place of the target's host.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ServerName string `json:"serverName,omitempty"`
	// CASecret holds the authority's certificate.
	// +optional
	CASecret *SecretKey `json:"caSecret,omitempty"`
}

// BasicAuth names where user name and password are.
type BasicAuth struct {
	// SecretName of a Secret in this namespace.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	SecretName string `json:"secretName"`
	// +optional
	// +kubebuilder:default=username
	// +kubebuilder:validation:MaxLength=253
	UsernameKey string `json:"usernameKey,omitempty"`
	// +optional
	// +kubebuilder:default=password
	// +kubebuilder:validation:MaxLength=253
	PasswordKey string `json:"passwordKey,omitempty"`
}

// SecretKey is a key of a Secret in this namespace.
type SecretKey struct {
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// +optional
	// +kubebuilder:default=ca.crt
	// +kubebuilder:validation:MaxLength=253
	Key string `json:"key,omitempty"`
}

// PromxyServerGroupStatus is what the operator says of a group.
type PromxyServerGroupStatus struct {
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// PromxyServerGroup is a group of servers that Promxy queries.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=kof
// +kubebuilder:printcolumn:name="Cluster",type=string,JSONPath=`.spec.clusterName`
// +kubebuilder:printcolumn:name="Targets",type=string,JSONPath=`.spec.targets`
// +kubebuilder:printcolumn:name="Published",type=string,JSONPath=`.status.conditions[?(@.type=="Published")].status`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Published")].message`
type PromxyServerGroup struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PromxyServerGroupSpec   `json:"spec"`
	Status PromxyServerGroupStatus `json:"status,omitempty"`
}

// PromxyServerGroupList is a list of groups.
//
// +kubebuilder:object:root=true
type PromxyServerGroupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PromxyServerGroup `json:"items"`
}

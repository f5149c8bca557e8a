// SPDX-License-Identifier: Apache-2.0

package kcm

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestPlace(t *testing.T) {
	for template, tt := range map[string]struct{ config, cloud, location string }{
		"aws-standalone-cp-1-0-14": {`{"region":"eu-west-1"}`, "aws", "eu-west-1"},
		"gcp-hosted-cp-1":          {`{"region":"europe-west4"}`, "gcp", "europe-west4"},
		"azure-aks-1-0-1":          {`{"location":"westeurope","region":"x"}`, "azure", "westeurope"},
		"openstack-standalone-cp":  {`{"identityRef":{"region":"RegionOne"}}`, "openstack", "RegionOne"},
		"vsphere-standalone-cp":    {`{"vsphere":{"datacenter":"DC1"}}`, "vsphere", "DC1"},
		"adopted-cluster-1":        {`{"region":"eu-west-1"}`, "adopted", ""},
		"remote-cluster-1":         {`{}`, "remote", ""},
		"aws-a":                    {``, "aws", ""},
		"aws-b":                    {`null`, "aws", ""},
		"aws-c":                    {`{"region":["other type"],"identityRef":"x","vsphere":1,"clusterAnnotations":[1]}`, "aws", ""},
	} {
		cd := &ClusterDeployment{Spec: Spec{Template: template, Config: runtime.RawExtension{Raw: []byte(tt.config)}}}
		config, err := cd.Config()
		require.NoError(t, err, template)
		cloud, location := cd.Place(config)
		require.Equal(t, [2]string{tt.cloud, tt.location}, [2]string{cloud, location}, template)
	}
	cd := &ClusterDeployment{Spec: Spec{Config: runtime.RawExtension{Raw: []byte(`[]`)}}}
	_, err := cd.Config()
	require.ErrorContains(t, err, "spec.config")
	cd.Spec.Config.Raw = []byte(`{"clusterAnnotations":{"` + AnnotationZone + `":"eu","example.com/other":"x"}}`)
	config, err := cd.Config()
	require.NoError(t, err)
	require.Equal(t, map[string]string{AnnotationZone: "eu"}, config.Annotations)

	cd.Name = "n"
	require.Equal(t, "n", cd.TelemetryName())
	cd.Labels = map[string]string{LabelName: "m"}
	require.Equal(t, "m", cd.TelemetryName())
}

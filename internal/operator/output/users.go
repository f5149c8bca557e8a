// SPDX-License-Identifier: Apache-2.0

package output

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/names"
)

// WriteTargets and ReadTargets are the routes of a region's VMAuth that its users may take: those of the signals that it has. The chart
// kof-storage defines them in the VMAuth's spec.defaultTargetRefs.
func WriteTargets(s v1beta1.RegionSpec) []string {
	e := EndpointsOf(s)
	return targets("-insert", e.Metrics, e.Logs, e.Traces)
}

// ReadTargets: see [WriteTargets].
func ReadTargets(s v1beta1.RegionSpec) []string {
	e := EndpointsOf(s)
	return targets("-select", e.MetricsQuery, e.LogsQuery, e.TracesQuery)
}

func targets(what, metrics, logs, traces string) []string {
	var out []string
	for i, url := range []string{metrics, logs, traces} {
		if url != "" {
			out = append(out, []string{"metrics", "logs", "traces"}[i]+what)
		}
	}
	return out
}

// LabelUser is on VMUsers, for a VMAuth's userSelector.
const LabelUser = prefix + "vmuser"

// User is one that a region's VMAuth takes.
type User struct {
	Name    string // unique in the region
	Logins  []credential.Login
	Targets []string
}

// objects returns a VMUser and its Secret for each login.
func (u User) objects(namespace string) []*unstructured.Unstructured {
	refs := make([]any, len(u.Targets))
	for i, t := range u.Targets {
		refs[i] = map[string]any{"name": t}
	}
	var out []*unstructured.Unstructured
	for _, l := range u.Logins {
		name := l.Username
		user := object("operator.victoriametrics.com/v1beta1", "VMUser", namespace, name, map[string]any{"spec": map[string]any{
			"username": name, "passwordRef": map[string]any{"name": name, "key": "password"}, "targetRefs": refs, "disable_secret_creation": true,
		}})
		user.SetLabels(map[string]string{LabelUser: "true"})
		out = append(out, user, object("v1", "Secret", namespace, name, map[string]any{
			"type": "Opaque", "data": data(map[string]string{"password": l.Password}),
		}))
	}
	return out
}

// UserShards is how many Secrets a region's users are spread over: one may have 1 MiB, a user has about 1 KiB for each login.
const UserShards = 16

// MaxShardBytes is what a shard may have: below the API's bound of 1 MiB.
const MaxShardBytes = 1000 << 10

const usersKind = "kof-users"

// UserBundles returns the users for a regional cluster. All shards are always there, as the MultiClusterService names each.
func (o Owner) UserBundles(cluster, namespace string, users []User) []*unstructured.Unstructured {
	var shards [UserShards][]*unstructured.Unstructured
	for _, u := range users {
		sum := sha256.Sum256([]byte(u.Name))
		i := binary.BigEndian.Uint32(sum[:]) % UserShards
		shards[i] = append(shards[i], u.objects(namespace)...)
	}
	out := make([]*unstructured.Unstructured, UserShards)
	for i, objects := range shards {
		out[i] = o.bundle(names.In(usersKind+"-"+strconv.Itoa(i), cluster), PartUsers, objects)
	}
	return out
}

// LocalUsers returns the users of a region on the management cluster itself.
func (o Owner) LocalUsers(users []User) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, u := range users {
		for _, object := range u.objects(o.Namespace) {
			l := o.Labels()
			l[LabelPart], l[LabelUser] = PartUsers, "true"
			object.SetLabels(l)
			out = append(out, object)
		}
	}
	return out
}

// Keys and annotations of a login's Secret.
const (
	keyUser, keyPassword           = "username", "password"
	keyOtherUser, keyOtherPassword = "other-username", "other-password"

	annotationSerial, annotationPhase   = prefix + "serial", prefix + "phase"
	annotationSince, annotationRequest  = prefix + "since", prefix + "request"
	loginKind, readerLogin, timeOfLogin = "kof-login", "kof-query", time.RFC3339Nano
)

// LoginName is the Secret that keeps a cluster's login for a region.
func LoginName(cluster Owner, region string) string {
	return names.Across(loginKind, cluster.Namespace, cluster.Name, region)
}

// UserName is the beginning of a cluster's user names in a region.
func UserName(cluster Owner, region string) string {
	return names.Across("kof", cluster.Namespace, cluster.Name, region)
}

// ReaderName is the Secret that keeps the login for queries to a region.
func ReaderName(region string) string { return names.In(readerLogin, region) }

// LoginSecret keeps a login's state. What reads from the region by it finds username and password.
func (o Owner) LoginSecret(name, region string, s credential.State) *unstructured.Unstructured {
	texts := map[string]string{keyUser: s.Current.Username, keyPassword: s.Current.Password}
	if s.Phase != credential.Stable {
		texts[keyOtherUser], texts[keyOtherPassword] = s.Other.Username, s.Other.Password
	}
	u := o.object("v1", "Secret", name, PartLogin, map[string]any{"type": "Opaque", "data": data(texts)})
	l := u.GetLabels()
	l[LabelRegion] = region
	u.SetLabels(l)
	u.SetAnnotations(map[string]string{
		annotationSerial: strconv.Itoa(s.Serial), annotationPhase: s.Phase, annotationRequest: s.Request,
		annotationSince: s.Since.UTC().Format(timeOfLogin),
	})
	return u
}

// LoginState reads what LoginSecret wrote. A Secret that was tampered with counts as none: a new login is made.
func LoginState(annotations map[string]string, content map[string][]byte) credential.State {
	text := func(key string) string { return string(content[key]) }
	s := credential.State{
		Current: credential.Login{Username: text(keyUser), Password: text(keyPassword)},
		Other:   credential.Login{Username: text(keyOtherUser), Password: text(keyOtherPassword)},
		Phase:   annotations[annotationPhase], Request: annotations[annotationRequest],
	}
	var err, err2 error
	s.Serial, err = strconv.Atoi(annotations[annotationSerial])
	s.Since, err2 = time.Parse(timeOfLogin, annotations[annotationSince])
	known := s.Phase == credential.Stable || s.Phase == credential.Next || s.Phase == credential.Previous
	if err != nil || err2 != nil || !known || s.Current.Password == "" || (s.Phase != credential.Stable) != (s.Other.Password != "") {
		return credential.State{}
	}
	return s
}
